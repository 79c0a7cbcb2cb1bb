/* pace: how the number of connections follows what happens. */

#include "err.h"
#include "pace.h"
#include "tap.h"

static struct pace p;
static int64_t now = 1000;

/* So much later, at so many bytes a second. */
static int
later(int64_t rate, unsigned busy)
{
	now += PACE_MS;
	pace_moved(&p, rate * PACE_MS / 1000);
	return pace_look(&p, busy, now);
}

static void
fail(unsigned busy)
{
	err_set(ERR_NET, "HTTP status 503");
	pace_failed(&p, busy, now);
}

static void
raising(void)
{
	pace_init(&p, 0, now);
	ok(p.all == PACE_ALL && p.each == PACE_FIRST, "the beginning");
	ok(!pace_look(&p, 4, now + 1), "nothing at once");
	ok(!later(0, 4), "nothing where nothing moves");
	ok(later(1000, 4) && p.each == 6, "more for a file");
	ok(!later(1500, 6) && p.each == 6, "it pays");
	pace_init(&p, 0, now);
	ok(later(1000, 4) && p.each == 6, "more again");
	ok(!later(1020, 6) && p.each == 4, "it does not pay");
	ok(!later(1020, 4) && p.each == 4, "no other trial soon");
	now += 30000;
	ok(later(1020, 4) && p.each == 6, "but later");
	pace_init(&p, 0, now);
	ok(!later(1000, PACE_ALL) && p.each == PACE_FIRST,
	    "many files have all there is");
}

static void
lowering(void)
{
	pace_init(&p, 0, now);
	fail(16);
	ok(p.all == 8, "half of them");
	fail(15);
	ok(p.all == 8, "once for all that fail at once");
	now += PACE_MS;
	fail(8);
	ok(p.all == 4, "and half again");
	now += PACE_MS;
	fail(3);
	ok(p.all == 1, "of those in use");
	now += PACE_MS;
	fail(1);
	ok(p.all == 1, "never none");
	ok(later(1000, 1) && p.all == 2, "up again");
	ok(later(1900, 2) && p.all == 3, "as long as it pays");
	ok(!later(1900, 3) && p.all == 2, "and no longer");
	now += 30000;
	ok(later(1000, 2) && p.all == 3, "a trial");
	fail(3);
	ok(p.all == 1, "ends with a failure");
	ok(later(1, 1) && p.all == 2, "and is forgotten");
}

static void
fixed(void)
{
	pace_init(&p, 3, now);
	ok(p.all == 3 && p.each == 3, "what the user says");
	ok(!later(1000, 3), "and no more");
	fail(3);
	ok(p.all == 1, "but less");
	pace_init(&p, 100, now);
	ok(p.all == PACE_MAX && p.each == PACE_MAX, "not everything");
}

int
main(void)
{
	raising();
	lowering();
	fixed();
	return done();
}
