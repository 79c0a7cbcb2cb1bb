/* names: what nodes of equal names are called. */
#include "names.h"
#include "tap.h"

static const char *
shown(const struct names *s, int64_t id)
{
	const struct names_entry *e = names_get(s, id);

	return e != NULL ? e->shown : "(none)";
}

static int
is(const struct names *s, int64_t id, const char *want)
{
	if (strcmp(shown(s, id), want) == 0)
		return 1;
	printf("# %s, not %s\n", shown(s, id), want);
	return 0;
}

static void
one_by_one(void)
{
	struct names *s = names_new();
	const struct names_entry *e;

	ok(names_find(s, "a") == NULL && names_get(s, 1) == NULL,
	    "an empty folder has nothing");
	names_add(s, 1, "a.txt", 0);
	names_add(s, 2, "a.txt", 0);
	names_add(s, 3, "a.txt", 1);
	ok(is(s, 1, "a.txt"), "the first keeps its name");
	ok(is(s, 2, "a (1).txt") && is(s, 3, "a (2).txt"),
	    "others get numbers");
	e = names_find(s, "a (2).txt");
	ok(e != NULL && e->id == 3 && e->kind == 1 &&
	    strcmp(e->base, "a.txt") == 0, "found by what it is called");
	ok(names_kinds(s) == 1, "one is of another kind");
	ok(names_collide(s), "some are not called by their own names");
	names_remove(s, 1);
	ok(is(s, 2, "a (1).txt"), "a name stays when another goes");
	names_add(s, 4, "a.txt", 0);
	ok(is(s, 4, "a.txt"), "the free one goes to who comes next");
	names_add(s, 5, "a (1).txt", 0);
	ok(is(s, 5, "a (1) (1).txt"), "a name that looks like a number's");
	names_change_id(s, 4, 40);
	ok(names_get(s, 4) == NULL && is(s, 40, "a.txt"), "another id");
	names_remove(s, 2);
	names_remove(s, 3);
	names_remove(s, 5);
	names_remove(s, 99);
	ok(!names_collide(s) && names_count(s) == 1 && names_kinds(s) == 0,
	    "one is left");
	names_free(s);
}

/* As many of one name as a stranger likes. */
static void
many(void)
{
	enum { MANY = 100000 };
	struct names_item *items = calloc(MANY, sizeof *items);
	struct names *s = names_new();

	if (items == NULL)
		abort();
	for (size_t i = 0; i < MANY; i++)
		items[i] = (struct names_item){ (int64_t)i, "a.txt", 0 };
	names_fill(s, items, MANY);
	ok(names_count(s) == MANY && is(s, MANY - 1, "a (99999).txt"),
	    "many of one name");
	names_remove(s, 7);
	names_add(s, MANY, "a.txt", 0);
	ok(is(s, MANY, "a (7).txt"), "a number that is free again");
	names_free(s);
	free(items);
}

static void
extensions(void)
{
	static const struct {
		const char *name, *second;
	} cases[] = {
		{ "lol", "lol (1)" },
		{ ".hidden", ".hidden (1)" },
		{ "..x", "..x (1)" },
		{ ".a.b", ".a (1).b" },
		{ "a.tar.gz", "a.tar (1).gz" },
		{ "a.", "a (1)." },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct names *s = names_new();

		names_add(s, 1, cases[i].name, 0);
		names_add(s, 2, cases[i].name, 0);
		ok(is(s, 2, cases[i].second), "the second %s",
		    cases[i].name);
		names_free(s);
	}
}

static void
long_names(void)
{
	struct names *s = names_new();
	char name[256], want[256];

	memset(name, 'x', 255);
	name[255] = '\0';
	memcpy(name + 251, ".txt", 4);
	memcpy(want, name, 256);
	memcpy(want + 247, " (1).txt", 9);
	names_add(s, 1, name, 0);
	names_add(s, 2, name, 0);
	ok(is(s, 2, want), "a long name is cut before its extension");
	for (size_t i = 0; i < 250; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	name[250] = 'b';
	names_add(s, 3, name, 0);
	names_add(s, 4, name, 0);
	ok(strlen(shown(s, 4)) <= 255 &&
	    strcmp(shown(s, 4) + strlen(shown(s, 4)) - 10,
	    "\xc3\xa4 (1).txt") == 0, "between characters");
	names_free(s);
}

static void
many_at_once(void)
{
	static const struct names_item items[] = {
		{ 1, "a.txt", 0 }, { 2, "a.txt", 0 }, { 3, "a (1).txt", 0 },
		{ 4, "b", 1 }, { 5, "a.txt", 0 },
	};
	struct names *s = names_new();
	size_t at = 0, n = 0;

	names_fill(s, items, 5);
	ok(is(s, 1, "a.txt") && is(s, 2, "a (2).txt") &&
	    is(s, 3, "a (1).txt") && is(s, 5, "a (3).txt"),
	    "no name is given away that somebody has");
	while (names_next(s, &at) != NULL)
		n++;
	ok(n == 5, "all come in turn");
	names_free(s);
}

/* An order of places that survives changes beside. */
static void
while_reading(void)
{
	struct names *s = names_new();
	char name[16], seen[1000] = { 0 };
	const struct names_entry *e;
	size_t at = 0;
	int missed = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "n%d", i);
		names_add(s, i, name, 0);
	}
	while ((e = names_next(s, &at)) != NULL) {
		if (e->id < 1000)
			seen[e->id] = 1;
		if (e->id % 3 == 0)
			names_remove(s, e->id);
		else if (e->id < 1000 && e->id % 7 == 0)
			names_add(s, e->id + 5000, "new", 0);
	}
	for (int i = 0; i < 1000; i++)
		missed += !seen[i];
	ok(missed == 0, "nothing is missed while others come and go");
	names_free(s);
}

int
main(void)
{
	one_by_one();
	many();
	extensions();
	long_names();
	many_at_once();
	while_reading();
	return done();
}
