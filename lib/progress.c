#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "http.h"
#include "json.h"
#include "name.h"
#include "progress.h"

#define REDRAW_MS 100
#define LOG_MS    30000
#define NAME_SHOWN 40

enum how { OFF, LINE, LOG, JSON_LINES };

static struct {
	enum how how;
	const char *verb;
	char name[4 * NAME_SHOWN + 1];
	int64_t total, moved, begun_ms, drawn_ms;
	unsigned files, ended;
	int drawn;                /* a line is on the terminal */
} now;

static void
clear(void)
{
	if (now.drawn) {
		fputs("\r\033[K", stderr);
		now.drawn = 0;
	}
}

void
progress_begin(const char *verb)
{
	int tty = isatty(STDERR_FILENO);

	now.verb = verb;
	now.begun_ms = now.drawn_ms = http_now_ms();
	if (cmd.progress == CMD_NEVER || cmd.quiet)
		now.how = OFF;
	else if (cmd.progress == CMD_AS_JSON)
		now.how = JSON_LINES;
	else if (tty)
		now.how = LINE;
	else
		now.how = cmd.progress == CMD_ALWAYS ? LOG : OFF;
	if (now.how == LINE)
		cmd_before_message = clear;
}

/* 12345678 as "11.8M". */
static const char *
human(char out[16], int64_t n)
{
	static const char units[] = " KMGTP";
	double v = (double)n;
	size_t u = 0;

	while (v >= 1000 && u + 2 < sizeof units) {
		v /= 1024;
		u++;
	}
	if (u == 0)
		snprintf(out, 16, "%lld", (long long)n);
	else
		snprintf(out, 16, v < 10 ? "%.1f%c" : "%.0f%c", v, units[u]);
	return out;
}

static void
draw_line(int64_t rate)
{
	char a[16], b[16], c[16];

	fprintf(stderr, "\r%s", now.verb);
	if (now.files > 1)
		fprintf(stderr, " %u/%u", now.ended, now.files);
	fprintf(stderr, "  %s of %s", human(a, now.moved), human(b, now.total));
	if (now.total > 0)
		fprintf(stderr, " (%d%%)", (int)(now.moved >= now.total ? 100 :
		    now.moved * 100 / now.total));
	fprintf(stderr, "  %s/s  %s", human(c, rate), now.name);
	fputs(now.moved >= now.total && now.ended < now.files ?
	    "  finishing\033[K" : "\033[K", stderr);
	now.drawn = 1;
}

static void
draw_log(int64_t rate)
{
	char a[16], b[16], c[16];

	fprintf(stderr, "%s: %s of %s, %s/s, %u of %u files\n", cmd.name,
	    human(a, now.moved), human(b, now.total), human(c, rate),
	    now.ended, now.files);
}

static void
draw_json(int64_t rate)
{
	struct buf b = BUF_MAX(4096);
	struct json_out o = { &b, 0 };

	json_open(&o, NULL, '{');
	json_open(&o, "progress", '{');
	json_put_int(&o, "bytes", now.moved);
	json_put_int(&o, "total", now.total);
	json_put_int(&o, "rate", rate);
	json_put_int(&o, "files", now.files);
	json_put_int(&o, "done", now.ended);
	json_close(&o, '}');
	json_close(&o, '}');
	fprintf(stderr, "%s\n", buf_str(&b));
	buf_free(&b);
}

static void
draw(int force)
{
	int64_t t = http_now_ms(), rate;

	if (now.how == OFF)
		return;
	if (!force && t - now.drawn_ms < (now.how == LOG ? LOG_MS :
	    now.how == LINE ? REDRAW_MS : 1000))
		return;
	now.drawn_ms = t;
	rate = now.moved * 1000 / (t - now.begun_ms + 1);
	if (now.how == LINE)
		draw_line(rate);
	else if (now.how == LOG)
		draw_log(rate);
	else
		draw_json(rate);
	fflush(stderr);
}

void
progress_file(const char *name, int64_t size)
{
	struct buf b = BUF_MAX(sizeof now.name - 1);
	size_t n = strlen(name);

	now.total += size;
	now.files++;
	name_escape(&b, name, n < NAME_SHOWN ? n : NAME_SHOWN);
	snprintf(now.name, sizeof now.name, "%s", buf_str(&b));
	buf_free(&b);
	draw(0);
}

void
progress_ended(void)
{
	now.ended++;
	draw(0);
}

void
progress_moved(void *ctx, int64_t n)
{
	(void)ctx;
	now.moved += n;
	draw(0);
}

void
progress_end(void)
{
	if (now.how == JSON_LINES)
		draw(1);
	clear();
}
