#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <tomcrypt.h>

#include "b64.h"
#include "compat.h"
#include "err.h"
#include "hashcash.h"
#include "sha256_x86.h"

#define TOKEN_TEXT   64      /* characters of a token */
#define PREFIX_TEXT  6       /* and of a prefix */
#define TOKENS       262144  /* how often the token follows the prefix */
#define BLOCK        64      /* SHA-256's */
#define CYCLE        3       /* blocks after which the tokens recur */
#define LANES_MAX    2       /* prefixes that any path takes at a time */
#define THREADS_MAX  64

/*
 * The message of a challenge: a prefix and a number of tokens, in blocks.
 * The prefix shares its block with the first tokens; from the second block
 * on, messages differ in nothing.
 */
struct message {
	uint8_t first[BLOCK];    /* with room for the prefix */
	uint8_t cycle[CYCLE * BLOCK];
	uint8_t last[BLOCK];     /* four bytes of token, and padding */
	size_t nblocks;          /* between first and last */
#ifdef SHA256_X86
	uint32_t schedule[CYCLE][64], last_schedule[64];
#endif
};

/* A way to compute: word[i] is the first of the hash with prefix[i], which
 * is a big-endian number. */
struct path {
	const char *name;
	unsigned lanes;
	int (*usable)(void);
	void (*hash)(uint32_t *word, const struct message *m,
	    const uint32_t *prefix);
};

static void
put_number(uint8_t p[4], uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint32_t
get_number(const uint8_t p[4])
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
threshold(unsigned easiness)
{
	return ((easiness & 63) * 2 + 1) << ((easiness >> 6) * 7 + 3);
}

/* tokens is a multiple of 4, so that the last block has 4 bytes of them. */
static void
message_init(struct message *m, const uint8_t token[HASHCASH_TOKEN_SIZE],
    size_t tokens)
{
	const size_t size = HASHCASH_TOKEN_SIZE;
	size_t bytes = HASHCASH_PREFIX_SIZE + size * tokens;

	memset(m, 0, sizeof *m);
	m->nblocks = tokens * size / BLOCK - 1;
	for (size_t i = HASHCASH_PREFIX_SIZE; i < BLOCK; i++)
		m->first[i] = token[(i - HASHCASH_PREFIX_SIZE) % size];
	for (size_t i = 0; i < sizeof m->cycle; i++)
		m->cycle[i] = token[(i + BLOCK - HASHCASH_PREFIX_SIZE) % size];
	memcpy(m->last, token + size - 4, 4);
	m->last[4] = 0x80;
	put_number(m->last + BLOCK - 4, (uint32_t)(8 * bytes));
#ifdef SHA256_X86
	for (int i = 0; i < CYCLE; i++)
		sha256_x86_expand(m->schedule[i], m->cycle + i * BLOCK);
	sha256_x86_expand(m->last_schedule, m->last);
#endif
}

/* The hash's state behind the block with the prefix. */
static void
first_block(hash_state *s, const struct message *m, uint32_t prefix)
{
	uint8_t block[BLOCK];

	memcpy(block, m->first, sizeof block);
	put_number(block, prefix);
	sha256_init(s);
	sha256_process(s, block, sizeof block);
}

static int
always(void)
{
	return 1;
}

static void
hash_portable(uint32_t *word, const struct message *m,
    const uint32_t *prefix)
{
	size_t left = m->nblocks;
	uint8_t out[32];
	hash_state s;

	first_block(&s, m, prefix[0]);
	for (; left >= CYCLE; left -= CYCLE)
		sha256_process(&s, m->cycle, sizeof m->cycle);
	sha256_process(&s, m->cycle, left * BLOCK);
	sha256_process(&s, m->last, 4);
	sha256_done(&s, out);
	word[0] = get_number(out);
}

#ifdef SHA256_X86
static void
hash_shani(uint32_t *word, const struct message *m,
    const uint32_t *prefix)
{
	uint32_t state[SHA256_X86_LANES][8];
	hash_state s;

	for (int i = 0; i < SHA256_X86_LANES; i++) {
		first_block(&s, m, prefix[i]);
		for (int j = 0; j < 8; j++)
			state[i][j] = (uint32_t)s.sha256.state[j];
	}
	sha256_x86_repeat(state, m->schedule, CYCLE, m->nblocks);
	sha256_x86_repeat(state, &m->last_schedule, 1, 1);
	for (int i = 0; i < SHA256_X86_LANES; i++)
		word[i] = state[i][0];
}
#endif

static const struct path paths[] = {
#ifdef SHA256_X86
	{ "shani", SHA256_X86_LANES, sha256_x86_usable, hash_shani },
#endif
	{ "portable", 1, always, hash_portable },
};

#define NPATHS (sizeof paths / sizeof *paths)

/* Whether a path can run here and agrees with the portable one. */
static int
path_works(const struct path *p)
{
	static const uint32_t prefix[LANES_MAX] = { 0x01020304, 0xfffefdfc };
	uint8_t token[HASHCASH_TOKEN_SIZE];
	uint32_t got[LANES_MAX], want;
	struct message m;

	if (!p->usable())
		return 0;
	for (size_t i = 0; i < sizeof token; i++)
		token[i] = (uint8_t)(i * 37 + 11);
	message_init(&m, token, 8);
	p->hash(got, &m, prefix);
	for (unsigned i = 0; i < p->lanes; i++) {
		hash_portable(&want, &m, prefix + i);
		if (got[i] != want)
			return 0;
	}
	return 1;
}

static const struct path *selected;

static const struct path *
path_get(void)
{
	for (size_t i = 0; selected == NULL; i++)
		if (path_works(&paths[i]))
			selected = &paths[i];
	return selected;
}

const char *
hashcash_path(void)
{
	return path_get()->name;
}

int
hashcash_select(const char *name)
{
	for (size_t i = 0; i < NPATHS; i++) {
		if (strcmp(paths[i].name, name) == 0 &&
		    path_works(&paths[i])) {
			selected = &paths[i];
			return 0;
		}
	}
	return -1;
}

/* Read a number of 1 to max digits at *s, and the colon behind it. */
static int
field_number(const char **s, size_t max, int64_t *v)
{
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n > max || (*s)[n] != ':')
		return -1;
	for (*v = 0; n > 0; n--)
		*v = *v * 10 + (*(*s)++ - '0');
	(*s)++;
	return 0;
}

int
hashcash_parse(struct hashcash *h, const char *value)
{
	int64_t version, easiness;

	if (field_number(&value, 1, &version) == -1 || version != 1 ||
	    field_number(&value, 3, &easiness) == -1 || easiness > 255 ||
	    field_number(&value, 18, &h->time) == -1 ||
	    strlen(value) != TOKEN_TEXT || !b64_valid(value, TOKEN_TEXT) ||
	    b64_decode_exact(h->token, sizeof h->token, value, TOKEN_TEXT) < 0)
		return err_set(ERR_PROTO, "a proof of work is asked for in a "
		    "form that we do not know");
	h->easiness = (unsigned)easiness;
	return 0;
}

double
hashcash_work(const struct hashcash *h)
{
	return 4294967296.0 / threshold(h->easiness);
}

/* What the threads of a search share. */
struct search {
	struct message m;
	const struct path *path;
	uint32_t threshold;
	atomic_uint next;         /* prefix to try */
	atomic_int state;
	uint32_t prefix;          /* by whoever set FOUND */
};

enum { SEARCHING, FOUND, GIVEN_UP };

static int
settle(struct search *s, int state)
{
	int searching = SEARCHING;

	return atomic_compare_exchange_strong(&s->state, &searching, state);
}

/* Try the next prefixes.  Even 64 fast processors need days to use them up. */
static void
attempt(struct search *s)
{
	uint32_t prefix[LANES_MAX], word[LANES_MAX];
	uint32_t n = atomic_fetch_add(&s->next, s->path->lanes);

	for (unsigned i = 0; i < s->path->lanes; i++)
		prefix[i] = n + i;
	s->path->hash(word, &s->m, prefix);
	for (unsigned i = 0; i < s->path->lanes; i++)
		if (word[i] <= s->threshold && settle(s, FOUND))
			s->prefix = prefix[i];
}

static void *
helper(void *arg)
{
	struct search *s = arg;

	while (atomic_load(&s->state) == SEARCHING)
		attempt(s);
	return NULL;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Search with this thread and n more.  It alone looks at the clock and calls
 * stop. */
static void
search(struct search *s, unsigned n, int64_t timeout_ms, int (*stop)(void))
{
	const int64_t begin = now_ms();
	pthread_t thread[THREADS_MAX];
	unsigned started = 0;

	while (started < n &&
	    pthread_create(&thread[started], NULL, helper, s) == 0)
		started++;
	while (atomic_load(&s->state) == SEARCHING) {
		if (now_ms() - begin >= timeout_ms ||
		    (stop != NULL && stop() != 0))
			settle(s, GIVEN_UP);
		else
			attempt(s);
	}
	while (started > 0)
		pthread_join(thread[--started], NULL);
}

int
hashcash_solve(const struct hashcash *h, unsigned threads,
    int64_t timeout_ms, int (*stop)(void), char answer[HASHCASH_ANSWER_SIZE])
{
	struct search s = { .path = path_get() };
	uint8_t prefix[HASHCASH_PREFIX_SIZE];
	char *p = answer;

	if (threads == 0)
		threads = (unsigned)compat_cpus();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	atomic_init(&s.next, 0);
	atomic_init(&s.state, SEARCHING);
	message_init(&s.m, h->token, TOKENS);
	s.threshold = threshold(h->easiness);
	search(&s, threads - 1, timeout_ms, stop);
	if (atomic_load(&s.state) != FOUND)
		return err_set(ERR_SLOW, "the proof of work that the service "
		    "asks for was not done in time");
	*p++ = '1';
	*p++ = ':';
	b64_encode(p, h->token, sizeof h->token);
	p += TOKEN_TEXT;
	*p++ = ':';
	put_number(prefix, s.prefix);
	b64_encode(p, prefix, sizeof prefix);
	return 0;
}

int
hashcash_check(const struct hashcash *h, const char *answer)
{
	uint8_t token[HASHCASH_TOKEN_SIZE], prefix[HASHCASH_PREFIX_SIZE];
	uint32_t numbers[LANES_MAX] = { 0 }, word[LANES_MAX];
	struct message m;

	if (strlen(answer) != HASHCASH_ANSWER_SIZE - 1 ||
	    strncmp(answer, "1:", 2) != 0)
		return 0;
	answer += 2;
	if (b64_decode_exact(token, sizeof token, answer, TOKEN_TEXT) < 0 ||
	    memcmp(token, h->token, sizeof token) != 0)
		return 0;
	answer += TOKEN_TEXT;
	if (*answer++ != ':' || b64_decode_exact(prefix, sizeof prefix,
	    answer, PREFIX_TEXT) < 0)
		return 0;
	numbers[0] = get_number(prefix);
	message_init(&m, token, TOKENS);
	path_get()->hash(word, &m, numbers);
	return word[0] <= threshold(h->easiness);
}
