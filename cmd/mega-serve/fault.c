/* Faults on purpose: the rules, and which of them a request meets. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

#include "fault.h"

enum what {
	HTTP, CODE, CUT, DROP, FLIP, SLOW, DELAY, LOST, HASHCASH, EXPIRE, RANDOM
};

#define NUMBER_MAX ((long long)1 << 32) /* before its unit */

struct fault_rule {
	unsigned where;       /* of enum fault_where */
	enum what what;
	char cmd[16];         /* only requests with this command, or for this
	                       * part of a file; "": any */
	int64_t arg;
	int64_t left;         /* HTTP: X-MEGA-Time-Left */
	int percent;
	double chance;        /* RANDOM */
	uint64_t state;       /* RANDOM: of the generator */
	int64_t from, times;  /* applies to matches from .. from+times-1 */
	int64_t seen;
};

static const struct {
	const char *name;
	enum what what;
	int arg;              /* it takes one */
} words[] = {
	{ "http", HTTP, 1 },
	{ "cut", CUT, 1 },
	{ "drop", DROP, 0 },
	{ "flip", FLIP, 0 },
	{ "slow", SLOW, 1 },
	{ "delay", DELAY, 1 },
	{ "lost", LOST, 0 },
	{ "hashcash", HASHCASH, 1 },
	{ "reply", CODE, 1 },
	{ "expire", EXPIRE, 0 },
};

/* A number with its unit: k, M, G are 1024s; s and ms give milliseconds. */
static int
number(const char *text, int64_t *out, char **end)
{
	static const struct {
		const char *unit;
		int64_t factor;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "k", 1 << 10 },
		{ "M", 1 << 20 }, { "G", 1 << 30 },
	};
	long long v = strtoll(text, end, 10);

	if (*end == text || v > NUMBER_MAX || v < -NUMBER_MAX)
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].unit);

		if (strncmp(*end, units[i].unit, n) == 0) {
			v *= units[i].factor;
			*end += n;
			break;
		}
	}
	*out = v;
	return 0;
}

/* Take "@N" and "xTIMES" off the end of spec. */
static void
read_tail(struct fault_rule *r, char *spec)
{
	static const char marks[] = "x@x";

	r->from = 1;
	r->times = -1;
	for (int i = 0; marks[i] != '\0'; i++) {
		char *p = strrchr(spec, marks[i]);
		char *end;
		long long v;

		if (p == NULL || p == spec)
			continue;
		v = strtoll(p + 1, &end, 10);
		if (end == p + 1 || *end != '\0' || v <= 0)
			continue;
		*p = '\0';
		if (marks[i] == 'x') {
			r->times = v;
		} else {
			r->from = v;
			if (r->times < 0)
				r->times = 1;
		}
	}
}

static int
read_where(struct fault_rule *r, const char *name, size_t n)
{
	static const struct {
		const char *name;
		unsigned where;
	} places[] = {
		{ "cs", FAULT_CS }, { "sc", FAULT_SC }, { "up", FAULT_UP },
		{ "dl", FAULT_DL }, { "*", FAULT_ANY },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (strlen(places[i].name) == n &&
		    memcmp(places[i].name, name, n) == 0) {
			r->where = places[i].where;
			return 0;
		}
	}
	return -1;
}

/* "rand:SEED:P". */
static int
read_random(struct fault_rule *r, const char *text)
{
	char *end;

	r->what = RANDOM;
	r->where = FAULT_ANY;
	r->state = strtoull(text, &end, 10);
	if (end == text || *end != ':')
		return -1;
	text = end + 1;
	r->chance = strtod(text, &end);
	return end == text || *end != '\0' || r->chance < 0 ||
	    r->chance > 1 ? -1 : 0;
}

static int
read_arg(struct fault_rule *r, const char *arg)
{
	char *end;

	if (number(arg, &r->arg, &end) < 0)
		return -1;
	if (*end == '%' && r->what == CUT) {
		r->percent = 1;
		end++;
	}
	if (strncmp(end, ":left=", 6) == 0 && r->what == HTTP) {
		if (number(end + 6, &r->left, &end) < 0)
			return -1;
	}
	return *end == '\0' ? 0 : -1;
}

/* What is behind "WHERE:", without its tail. */
static int
read_what(struct fault_rule *r, char *text)
{
	char *arg = strchr(text, '=');

	if (*text == '-') {
		r->what = CODE;
		return read_arg(r, text);
	}
	if (arg != NULL)
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].name, text) != 0)
			continue;
		r->what = words[i].what;
		if ((arg != NULL) != (words[i].arg != 0))
			return -1;
		return arg == NULL ? 0 : read_arg(r, arg);
	}
	/* "cs:p=-3", "cs:p=lost": only requests with that command; and
	 * "dl:part3=drop". */
	if (arg == NULL || (r->where & (FAULT_CS | FAULT_DL)) != r->where ||
	    r->cmd[0] != '\0' || strlen(text) >= sizeof r->cmd)
		return -1;
	memcpy(r->cmd, text, strlen(text) + 1);
	return read_what(r, arg);
}

int
fault_add(struct faults *f, const char *spec)
{
	struct fault_rule r = { 0 };
	char *copy = xstrdup(spec);
	char *colon;
	int bad;

	if (strncmp(copy, "rand:", 5) == 0) {
		r.from = 1;
		r.times = -1;
		bad = read_random(&r, copy + 5);
	} else {
		read_tail(&r, copy);
		colon = strchr(copy, ':');
		bad = colon == NULL ||
		    read_where(&r, copy, (size_t)(colon - copy)) < 0 ||
		    read_what(&r, colon + 1) < 0;
	}
	free(copy);
	if (bad)
		return err_set(ERR_USAGE, "%s: no such fault", spec);
	f->rule = xreallocarray(f->rule, f->n + 1, sizeof *f->rule);
	f->rule[f->n++] = r;
	return 0;
}

/* splitmix64: repeatable from the seed, which is all that matters. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* One of the things that every client has to survive. */
static void
random_fault(struct fault_rule *r, struct fault *out, enum fault_where where)
{
	uint64_t x = draw(&r->state);

	if ((double)(x >> 11) / 9007199254740992.0 >= r->chance)
		return;
	switch (draw(&r->state) % 4) {
	case 0:
		out->http = where == FAULT_CS || where == FAULT_SC ? 500 : 503;
		break;
	case 1:
		out->lost = 1;
		break;
	case 2:
		out->cut = (int64_t)(draw(&r->state) % 100);
		out->cut_percent = 1;
		break;
	default:
		if (where == FAULT_CS || where == FAULT_SC)
			out->code = ERR_AGAIN;
		else
			out->http = 500;
	}
}

static int
matches(const struct fault_rule *r, enum fault_where where,
    const struct slice *names, size_t n)
{
	if ((r->where & (unsigned)where) == 0)
		return 0;
	if (r->cmd[0] == '\0')
		return 1;
	for (size_t i = 0; i < n; i++) {
		if (names[i].n == strlen(r->cmd) &&
		    memcmp(names[i].p, r->cmd, names[i].n) == 0)
			return 1;
	}
	return 0;
}

/* Busy and slowed down concern a whole request, every other error only the
 * command that it was asked for. */
static void
apply_code(const struct fault_rule *r, struct fault *out,
    enum fault_where where)
{
	int code = (int)r->arg;

	if (r->cmd[0] == '\0' || where != FAULT_CS || code == ERR_AGAIN ||
	    code == ERR_RATELIMIT) {
		out->code = code;
		return;
	}
	out->cmd_code = code;
	memcpy(out->cmd, r->cmd, sizeof out->cmd);
}

static void
apply(struct fault_rule *r, struct fault *out, enum fault_where where)
{
	switch (r->what) {
	case HTTP:
		out->http = (int)r->arg;
		out->left = r->left;
		break;
	case CODE:
		apply_code(r, out, where);
		break;
	case CUT:
		out->cut = r->arg;
		out->cut_percent = r->percent;
		break;
	case DROP:
		out->drop = 1;
		break;
	case FLIP:
		out->flip = 1;
		break;
	case SLOW:
		out->slow = r->arg;
		break;
	case DELAY:
		out->delay_ms = r->arg;
		break;
	case LOST:
		out->lost = 1;
		break;
	case HASHCASH:
		out->easiness = (int)r->arg;
		break;
	case EXPIRE:
		out->expire = 1;
		break;
	case RANDOM:
		random_fault(r, out, where);
		break;
	}
}

void
fault_pick(struct faults *f, struct fault *out, enum fault_where where,
    const struct slice *names, size_t n)
{
	*out = (struct fault){ .cut = -1, .easiness = -1 };
	for (size_t i = 0; i < f->n; i++) {
		struct fault_rule *r = &f->rule[i];

		if (!matches(r, where, names, n))
			continue;
		r->seen++;
		if (r->seen >= r->from &&
		    (r->times < 0 || r->seen < r->from + r->times))
			apply(r, out, where);
	}
}

void
fault_free(struct faults *f)
{
	free(f->rule);
	*f = (struct faults){ 0 };
}
