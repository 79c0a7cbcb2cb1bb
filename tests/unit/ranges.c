/* ranges: a set of ranges against a plain array of bytes. */
#include "ranges.h"
#include "tap.h"

#define SIZE 200

static struct ranges s;
static char model[SIZE];

static int
sound(void)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.r[i].from >= s.r[i].to)
			return 0;
		if (i > 0 && s.r[i - 1].to >= s.r[i].from)
			return 0;
	}
	return 1;
}

/* The first gap in the model. */
static int
model_gap(int from, int to, struct range *gap)
{
	while (from < to && model[from])
		from++;
	if (from == to)
		return 0;
	gap->from = from;
	while (from < to && !model[from])
		from++;
	gap->to = from;
	return 1;
}

static int
equal(void)
{
	for (int from = 0; from < SIZE; from += 7) {
		for (int to = from; to < SIZE; to += 11) {
			struct range a = { 0, 0 }, b = { 0, 0 };

			if (ranges_gap(&s, from, to, &a) !=
			    model_gap(from, to, &b) || a.from != b.from ||
			    a.to != b.to)
				return 0;
		}
	}
	return 1;
}

static void
step(void)
{
	int from = rand() % SIZE, to = from + rand() % 20;
	int new = 0;

	if (rand() % 20 == 0) {
		ranges_cut(&s, from);
		memset(model + from, 0, (size_t)(SIZE - from));
		return;
	}
	if (to > SIZE)
		to = SIZE;
	for (int i = from; i < to; i++)
		new |= !model[i];
	memset(model + from, 1, (size_t)(to - from));
	if (ranges_add(&s, from, to) != new)
		ok(0, "says whether %d to %d is new", from, to);
}

int
main(void)
{
	struct range gap;

	ok(ranges_gap(&s, 5, 9, &gap) && gap.from == 5 && gap.to == 9,
	    "an empty set is all gap");
	ok(!ranges_gap(&s, 5, 5, &gap), "an empty range has none");
	ok(ranges_add(&s, 10, 20) && ranges_add(&s, 20, 30) && s.n == 1,
	    "neighbours join");
	ok(!ranges_add(&s, 12, 28), "what is there is not new");
	ok(!ranges_add(&s, 7, 7) && s.n == 1, "nothing is not new");
	ranges_cut(&s, 15);
	ok(s.n == 1 && s.r[0].to == 15, "cut inside a range");
	ranges_cut(&s, 0);
	ok(s.n == 0, "cut all");
	ranges_free(&s);
	srand(1);
	for (int i = 0; i < 2000; i++)
		step();
	ok(sound(), "sorted and joined after 2000 steps");
	ok(equal(), "as a plain array has it");
	ranges_free(&s);
	return done();
}
