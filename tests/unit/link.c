/* Vectors: mega-protocol(7), "Links" and "Test vectors". */

#include "err.h"
#include "link.h"
#include "tap.h"

#define PH     "PuBhAnDL"
#define FILE_K "MDAwMDAwMDAwMDAwMDAwMCAhIiMkJSYnKCkqKywtLi8"
#define DIR_K  "QEFCQ0RFRkdISUpLTE1OTw"
#define NODE   "DiRdIrDi"
#define NODE2  "FiLeFiLe"
#define PASS   "AgA-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH8jr2_ny" \
    "DabmEiSFmmuGM9AP5RA5jAlYRty6DFQj_zFWJIS3TaYEsaDyueM4gmxuew"

#define A_FILE "https://mega.nz/file/" PH "#" FILE_K
#define A_DIR  "https://mega.nz/folder/" PH "#" DIR_K
#define A_PASS "https://mega.nz/#P!" PASS
#define NO_KEY_FILE "https://mega.nz/file/" PH
#define NO_KEY_DIR  "https://mega.nz/folder/" PH
#define IN_DIR A_DIR "/folder/" NODE
#define IN_FILE A_DIR "/file/" NODE
#define A_NODE "https://mega.nz/#N!" NODE "!" FILE_K "=###n=" PH

/* What link_is says, the link as link_print writes it, and its path. */
static const struct {
	const char *text;
	int is;
	const char *link, *path;
} good[] = {
	/* files */
	{ A_FILE, 1, A_FILE, NULL },
	{ "http://mega.nz/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "HTTPS://MEGA.NZ/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "mega.nz/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "mega.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega.nz#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.co.nz/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.app/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://www.mega.nz/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://eu.static.mega.co.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "www.mega.app/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz:443/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "http://127.0.0.1:8080/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "http://localhost/file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "http://[::1]:9/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.co.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz//file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/file/" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/file/" PH "?fbclid=xyz#" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/?lang=de#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ PH "!" FILE_K, 1, A_FILE, NULL },
	{ PH "#" FILE_K, 1, A_FILE, NULL },
	{ "file/" PH "#" FILE_K, 0, A_FILE, NULL },
	/* the player */
	{ "https://mega.nz/embed/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/embed/" PH "#" FILE_K "!30s", 1, A_FILE, NULL },
	{ "https://mega.nz/embed#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/embed/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/#E!" PH "!" FILE_K, 1, A_FILE, NULL },
	/* folders */
	{ A_DIR, 1, A_DIR, NULL },
	{ "https://mega.nz/#F!" PH "!" DIR_K, 1, A_DIR, NULL },
	{ "#F!" PH "!" DIR_K, 1, A_DIR, NULL },
	{ "#f!" PH "!" DIR_K, 1, A_DIR, NULL },
	{ "F!" PH "!" DIR_K, 0, A_DIR, NULL },
	{ PH "#" DIR_K, 1, A_DIR, NULL },
	{ PH "!" DIR_K, 1, A_DIR, NULL },
	{ "https://www.mega.co.nz/folder/" PH "#" DIR_K "/", 1, A_DIR, NULL },
	/* nodes in folders */
	{ IN_DIR, 1, IN_DIR, NULL },
	{ IN_FILE, 1, IN_FILE, NULL },
	{ "https://mega.nz/#F!" PH "!" DIR_K "!" NODE, 1, IN_DIR, NULL },
	{ "https://mega.nz/#F!" PH "!" DIR_K "?" NODE, 1, IN_FILE, NULL },
	{ A_DIR "/folder/" NODE2 "/file/" NODE, 1, IN_FILE, NULL },
	{ A_DIR "/folder/" NODE2 "/folder/" NODE "/", 1, IN_DIR, NULL },
	{ PH "#" DIR_K "/folder/" NODE, 1, IN_DIR, NULL },
	{ "https://mega.nz/#F!" PH "@" NODE "!" DIR_K, 1, IN_DIR, NULL },
	{ "https://mega.nz/#F*" NODE "!" PH "!" DIR_K, 1, IN_FILE, NULL },
	{ "#f*" NODE "!" PH "!" DIR_K, 1, IN_FILE, NULL },
	{ "#F!" PH "@" NODE "!" DIR_K ":/x", 1, IN_DIR, "/x" },
	/* files in folders whose key is not known */
	{ A_NODE, 1, A_NODE, NULL },
	{ "https://mega.nz/#N!" NODE "!" FILE_K "###n=" PH, 1, A_NODE, NULL },
	{ "https://mega.nz/#!N?" NODE "!" FILE_K "=###n=" PH, 1, A_NODE,
	    NULL },
	{ "#n!" NODE "!" FILE_K "=###n=" PH, 1, A_NODE, NULL },
	{ "<#N!" NODE "!" FILE_K "=###n=" PH ">,", 1, A_NODE, NULL },
	{ "https://mega.nz/%23N%21" NODE "%21" FILE_K "%3D%23%23%23n%3D" PH, 1,
	    A_NODE, NULL },
	{ "mega://N!" NODE "!" FILE_K "=###n=" PH, 1, A_NODE, NULL },
	/* paths in folders */
	{ A_DIR ":/", 1, A_DIR, "/" },
	{ A_DIR ":/a/b.txt", 1, A_DIR, "/a/b.txt" },
	{ A_DIR ":/a b%20c.txt, (1). ", 1, A_DIR, "/a b%20c.txt, (1). " },
	{ A_DIR ":/a:/b://c", 1, A_DIR, "/a:/b://c" },
	{ "#F!" PH "!" DIR_K ":/\xff", 1, A_DIR, "/\xff" },
	{ IN_DIR ":/x", 1, IN_DIR, "/x" },
	{ PH "#" DIR_K ":/x", 1, A_DIR, "/x" },
	{ "http://127.0.0.1:80/folder/" PH "#" DIR_K ":/x", 1, A_DIR, "/x" },
	/* passwords */
	{ A_PASS, 1, A_PASS, NULL },
	{ "mega.co.nz/#P!" PASS, 1, A_PASS, NULL },
	{ "#P!" PASS, 1, A_PASS, NULL },
	{ "<#P!" PASS ">.", 1, A_PASS, NULL },
	{ A_PASS ":/a/b", 1, A_PASS, "/a/b" },
	/* no key */
	{ NO_KEY_FILE, 1, NO_KEY_FILE, NULL },
	{ NO_KEY_FILE "#", 1, NO_KEY_FILE, NULL },
	{ "#!" PH, 1, NO_KEY_FILE, NULL },
	{ "#!" PH "!", 1, NO_KEY_FILE, NULL },
	{ NO_KEY_DIR, 1, NO_KEY_DIR, NULL },
	{ "#F!" PH "!", 1, NO_KEY_DIR, NULL },
	{ "https://mega.nz/folder/" PH "?x=y", 1, NO_KEY_DIR, NULL },
	/* escapes and surroundings */
	{ "https://mega.nz/%23%21" PH "%21" FILE_K, 1, A_FILE, NULL },
	{ "https://mega.nz/%23F!" PH "%21" DIR_K "%21" NODE, 1, IN_DIR, NULL },
	{ "https%3A%2F%2Fmega.nz%2ffile%2f" PH "%23" FILE_K, 1, A_FILE, NULL },
	{ "%20" A_FILE "%20%0a", 1, A_FILE, NULL },
	{ PH "%23" FILE_K, 1, A_FILE, NULL },
	{ "<" A_FILE ">", 1, A_FILE, NULL },
	{ "(" A_FILE "),", 1, A_FILE, NULL },
	{ "[" A_FILE "].", 1, A_FILE, NULL },
	{ "\"" A_FILE "\"", 1, A_FILE, NULL },
	{ "'" A_FILE "';", 1, A_FILE, NULL },
	{ "`" A_FILE "`", 1, A_FILE, NULL },
	{ "  \t" A_FILE " \r\n", 1, A_FILE, NULL },
	{ A_FILE "!", 1, A_FILE, NULL },
	{ A_DIR "?", 1, A_DIR, NULL },
	{ "( <" A_DIR "> )", 1, A_DIR, NULL },
	{ "https://mega.nz/#!" PH "!\n" FILE_K, 1, A_FILE, NULL },
	/* mega: */
	{ "mega://#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega:///#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega:#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega:!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega://#F!" PH "!" DIR_K, 1, A_DIR, NULL },
	{ "mega://F!" PH "!" DIR_K, 1, A_DIR, NULL },
	{ "mega://file/" PH "#" FILE_K, 1, A_FILE, NULL },
	{ "mega://folder/" PH "#" DIR_K, 1, A_DIR, NULL },
	{ "mega://https://mega.co.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
	{ "mega://mega.nz/#!" PH "!" FILE_K, 1, A_FILE, NULL },
};

/* What is refused, whether link_is sends it here, and words of the text. */
static const struct {
	const char *text;
	int is;
	const char *words;
} bad[] = {
	{ "", 0, "" },
	{ "/file/x", 0, "" },
	{ "/file/" PH, 0, NULL },
	{ "file/x", 0, "handle" },
	{ "a", 0, "" },
	{ "/", 0, "" },
	{ "//bin", 0, "" },
	{ "H:" NODE, 0, "" },
	{ "#", 0, "" },
	{ "#1 song", 0, "" },
	{ "mega.nz", 0, "" },
	{ "mega.nz backup/a", 0, "" },
	{ "notmega.nz/file/" PH "#" FILE_K, 0, "" },
	{ "localhost/file/" PH "#" FILE_K, 0, "" },
	{ PH, 0, "not a link" },
	{ PH "#", 0, "not a link" },
	{ PH "#short", 0, "43 characters, not 5" },
	{ PH "x#" FILE_K, 0, "handle" },
	{ PH "/" FILE_K, 0, "" },
	{ "Pu.hAnDL#" FILE_K, 0, "handle" },
	{ "https://mega.nz/", 1, "" },
	{ "https://mega.nz/register", 1, "not a link" },
	{ "https://mega.nz/" PH "#" FILE_K, 1, "not a link" },
	{ "https://mega.nz.example.com/file/" PH "#" FILE_K, 1, "other" },
	{ "https://mega.nz@example.com/file/" PH "#" FILE_K, 1, "other" },
	{ "https://user@mega.nz/file/" PH "#" FILE_K, 1, "other" },
	{ "https://example.com/file/" PH "#" FILE_K, 1, "other" },
	{ "https://xmega.nz/file/" PH "#" FILE_K, 1, "other" },
	{ "https://localhost.example.com/#!" PH "!" FILE_K, 1, "other" },
	{ "https://mega.nz:80:90/#!" PH "!" FILE_K, 1, "other" },
	{ "https://", 0, "" },
	{ "https://?", 0, "" },
	{ "http://x", 1, "other" },
	{ "https://mega.nz/file/", 1, "" },
	{ "https://mega.nz/file/short#" FILE_K, 1, "handle" },
	{ "https://mega.nz/file/" PH "x#" FILE_K, 1, "handle" },
	{ "https://mega.nz/file/" PH "/" FILE_K, 1, "no key" },
	{ "https://mega.nz/file/" PH "#" DIR_K, 1, "43 characters, not 22" },
	{ "https://mega.nz/folder/" PH "#" FILE_K, 1,
	    "22 characters, not 43" },
	{ A_FILE "x", 1, "43 characters, not 44" },
	{ "#!" PH "!" DIR_K, 1, "file link" },
	{ "#F!" PH "!" FILE_K, 1, "folder link" },
	{ A_DIR "x", 1, "22 characters, not 23" },
	{ A_FILE " and more", 1, "50" },
	{ A_FILE "#x", 1, "follows" },
	{ A_FILE "!30s", 1, "follows" },
	{ A_FILE "=x", 1, "follows" },
	{ A_FILE "/file/" NODE, 1, "follows" },
	{ A_FILE "%00", 1, "follows" },
	{ A_DIR "/file/short", 1, "handle" },
	{ A_DIR "!toolonghandle", 1, "handle" },
	{ A_DIR "/files/" NODE, 1, "follows" },
	{ A_DIR ":x", 1, "follows" },
	{ A_FILE ":/x", 1, "path" },
	{ IN_FILE ":/x", 1, "path" },
	{ "#!" PH "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1, "zero" },
	{ "#!" PH "!MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA", 1,
	    "zero" },
	{ "#F!" PH "!AAAAAAAAAAAAAAAAAAAAAA", 1, "zero" },
	{ "https://mega.nz/collection/" PH "#" DIR_K, 1, "collection" },
	{ "https://mega.nz/chat/" PH "#" DIR_K, 1, "chat" },
	{ "https://mega.nz/#C!" PH "!" DIR_K, 1, "chat" },
	{ "#F!" PH "@short!" DIR_K, 1, "handle" },
	{ "#F!" PH "@" NODE, 1, "has no key" },
	{ "#F*" NODE "!" PH "!", 1, "has no key" },
	{ "#F*" NODE, 1, "which folder" },
	{ "#F*" NODE "!" DIR_K, 1, "handle" },
	{ "#F*" NODE "!" PH "!" DIR_K ":/x", 1, "path" },
	{ "#!" PH "@" NODE "!" FILE_K, 1, "no key" },
	{ "#N!" NODE "!" FILE_K, 1, "which folder" },
	{ "#N!" NODE "!" FILE_K "=##n=" PH, 1, "which folder" },
	{ "#N!" NODE "!" FILE_K "=###n=", 1, "handle" },
	{ "#N!" NODE "!" FILE_K "=###n=" PH "x", 1, "handle" },
	{ "#N!" NODE "!" FILE_K "=###n=" PH "=x", 1, "follows" },
	{ "#N!" NODE "!" DIR_K "=###n=" PH, 1, "43 characters, not 22" },
	{ "#N!short!" FILE_K "=###n=" PH, 1, "handle" },
	{ A_NODE ":/x", 1, "path" },
	{ "mega://enc?" FILE_K, 1, "encoded" },
	{ "mega://enc2?" FILE_K, 1, "encoded" },
	{ "mega://fenc/?" FILE_K, 1, "encoded" },
	{ "mega://fenc2?" FILE_K, 1, "encoded" },
	{ "mega://elc?" FILE_K, 1, "encoded" },
	{ "mega:///configelc?http%3A%2F%2Fx:y", 1, "encoded" },
	{ "mega:x", 1, "" },
	{ "#P!", 0, "" },
	{ "#P!AgA", 1, "cut short" },
	{ "#P!" PASS "!", 1, NULL },
	{ "#P!" PASS "!x", 1, "follows" },
	{ "#P!AwA" "-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH8jr2_ny"
	    "DabmEiSFmmuGM9AP5RA5jAlYRty6DFQj_zFWJIS3TaYEsaDyueM4gmxuew", 1,
	    "version 3" },
	{ "#P!AgE" "-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH8jr2_ny"
	    "DabmEiSFmmuGM9AP5RA5jAlYRty6DFQj_zFWJIS3TaYEsaDyueM4gmxuew", 1,
	    "cut short" },
};

static void
test_good(void)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char text[LINK_TEXT_MAX];
		struct link l;

		ok(link_is(good[i].text) == good[i].is, "good %zu: %s", i,
		    good[i].is ? "a link" : "to be read as a path");
		ok(link_parse(&l, good[i].text) == 0 &&
		    eq(link_print(text, &l, 0), good[i].link), "read");
		ok(good[i].path == NULL ? l.path.p == NULL :
		    l.path.p != NULL && eq(l.path.p, good[i].path) &&
		    l.path.n == strlen(good[i].path), "its path");
	}
}

static void
test_bad(void)
{
	static const struct link wiped;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct link l;
		int r;

		ok(link_is(bad[i].text) == bad[i].is, "bad %zu: %s", i,
		    bad[i].is ? "like a link" : "to be read as a path");
		r = link_parse(&l, bad[i].text);
		if (bad[i].words == NULL) {
			ok(r == 0, "but can be read");
			continue;
		}
		ok(r == ERR_USAGE && strstr(err_text(), bad[i].words) != NULL,
		    "refused: %s", err_text());
		ok(memcmp(&l, &wiped, sizeof l) == 0, "and nothing kept");
		ok(strstr(err_text(), "MDAw") == NULL &&
		    strstr(err_text(), "QEFC") == NULL, "nor told");
	}
}

static void
test_long(void)
{
	struct link l;
	char *text = malloc(100001);

	if (text == NULL)
		abort();
	memset(text, 'A', 100000);
	memcpy(text, "https://mega.nz/#!", 18);
	text[100000] = '\0';
	ok(link_is(text), "a long text");
	ok(link_parse(&l, text) == ERR_USAGE &&
	    strstr(err_text(), "longer") != NULL, "longer than a link");
	memset(text, 'x', 100000);
	memcpy(text, A_DIR ":/", strlen(A_DIR ":/"));
	ok(link_parse(&l, text) == 0 &&
	    l.path.n == 100000 - strlen(A_DIR ":"), "its path may be long");
	free(text);
}

static void
test_fields(void)
{
	struct link l;

	ok(link_parse(&l, A_FILE) == 0 && l.kind == LINK_FILE &&
	    eq(l.ph, PH) && l.keylen == 32 && same(l.key, 32,
	    "3030303030303030303030303030303020212223242526272829"
	    "2a2b2c2d2e2f"), "a file");
	ok(l.node[0] == '\0' && l.auth[0] == '\0' && l.payload[0] == '\0',
	    "and nothing else");
	ok(link_parse(&l, IN_FILE) == 0 && l.kind == LINK_FOLDER &&
	    l.keylen == 16 && eq(l.node, NODE) && l.node_is_file &&
	    same(l.key, 16, "404142434445464748494a4b4c4d4e4f"),
	    "a file in a folder");
	ok(link_parse(&l, IN_DIR) == 0 && eq(l.node, NODE) &&
	    !l.node_is_file, "a folder in a folder");
	ok(link_parse(&l, A_DIR "/file/" NODE2 "/folder/" NODE) == 0 &&
	    eq(l.node, NODE) && !l.node_is_file, "the last one counts");
	ok(link_parse(&l, NO_KEY_DIR) == 0 && l.kind == LINK_FOLDER &&
	    l.keylen == 0, "a folder without a key");
	ok(link_parse(&l, A_PASS) == 0 && l.kind == LINK_PASSWORD &&
	    l.keylen == 0 && eq(l.payload, PASS) && eq(l.ph, PH),
	    "a password link");
	ok(link_parse(&l, A_NODE) == 0 && l.kind == LINK_NODE &&
	    l.keylen == 32 && eq(l.node, NODE) && eq(l.ph, PH),
	    "a file in a folder, by its own key");
	ok(link_lock(&l, "x", NULL) == ERR_USAGE, "which has no lock");
}

static void
test_print_old(void)
{
	static const struct {
		const char *text, *old;
	} t[] = {
		{ A_FILE, "https://mega.nz/#!" PH "!" FILE_K },
		{ A_DIR, "https://mega.nz/#F!" PH "!" DIR_K },
		{ IN_DIR, "https://mega.nz/#F!" PH "!" DIR_K "!" NODE },
		{ IN_FILE, "https://mega.nz/#F!" PH "!" DIR_K "?" NODE },
		{ NO_KEY_FILE, "https://mega.nz/#!" PH },
		{ NO_KEY_DIR, "https://mega.nz/#F!" PH },
		{ A_PASS, A_PASS },
		{ A_NODE, A_NODE },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char text[LINK_TEXT_MAX];
		struct link l;

		ok(link_parse(&l, t[i].text) == 0 &&
		    eq(link_print(text, &l, 1), t[i].old), "in the old form");
	}
}

static const char password[] = "correct horse battery staple";

static void
test_unlock(void)
{
	static const struct {
		const char *payload, *link;
		int version;
	} t[] = {
		{ "AgE-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH7ia"
		    "qYqGeNCRal3_4Rf7Ta838IHZKI9KjuS-yIu6LZXvyeMd7EksSd1r1iwy"
		    "AVeoBZaQo8z-soKblRRRs-auHOc", A_FILE, 2 },
		{ PASS, A_DIR, 2 },
		{ "AQE-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH7ia"
		    "qYqGeNCRal3_4Rf7Ta838IHZKI9KjuS-yIu6LZXvb07dcT8dz8_yja0B"
		    "t9zfOgshFxSQ7GI3z7N_3IYwOAs", A_FILE, 1 },
		{ "AQA-4GECcMsAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH8jr"
		    "2_nyDabmEiSFmmuGM9D6IK7LaEfT1a8hABVNj1JMrnXwGl1gBSVygvyF"
		    "7sGfVQ", A_DIR, 1 },
	};
	uint8_t salt[32];

	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char text[LINK_TEXT_MAX];
		struct link l;

		snprintf(text, sizeof text, "#P!%s", t[i].payload);
		ok(link_parse(&l, text) == 0 && link_unlock(&l, password) == 0,
		    "unlock version %d", t[i].version);
		ok(eq(link_print(text, &l, 0), t[i].link), "what it hid");
		if (t[i].version != 2)
			continue;
		ok(link_lock(&l, password, salt) == 0 &&
		    eq(l.payload, t[i].payload), "locked again");
		ok(l.kind == LINK_PASSWORD && l.keylen == 0 && same(l.key, 16,
		    "00000000000000000000000000000000"), "no key left behind");
	}
}

static void
test_unlock_bad(void)
{
	struct link l;
	char last;

	link_parse(&l, A_PASS);
	ok(link_unlock(&l, "wrong") == ERR_MAC, "a wrong password");
	ok(l.kind == LINK_PASSWORD && eq(l.payload, PASS), "can be retried");
	last = l.payload[100];
	l.payload[100] = last == 'x' ? 'y' : 'x';
	ok(link_unlock(&l, password) == ERR_MAC, "a payload changed");
	l.payload[100] = last;
	l.payload[60] = '\0';
	ok(link_unlock(&l, password) == ERR_USAGE, "a payload cut");
	link_parse(&l, A_FILE);
	ok(link_unlock(&l, password) == ERR_USAGE, "no password link at all");
	ok(link_lock(&l, "", NULL) == 0, "locked with no password");
	l.path = (struct slice){ "/x", 2 };
	ok(link_unlock(&l, "") == ERR_USAGE, "a path in what is a file");
	l.path = (struct slice){ NULL, 0 };
	ok(link_unlock(&l, "") == 0, "unlocked");
	link_parse(&l, A_PASS ":/a/b");
	ok(link_unlock(&l, password) == 0 && l.path.p != NULL &&
	    eq(l.path.p, "/a/b"), "a path in what is a folder");
}

static void
test_lock_bad(void)
{
	struct link l, other;

	link_parse(&l, NO_KEY_FILE);
	ok(link_lock(&l, password, NULL) == ERR_USAGE, "no key to lock");
	link_parse(&l, IN_FILE);
	ok(link_lock(&l, password, NULL) == ERR_USAGE, "a node in a folder");
	link_parse(&l, A_DIR);
	link_parse(&other, A_DIR);
	ok(link_lock(&l, "x", NULL) == 0 && link_lock(&other, "x", NULL) == 0 &&
	    strcmp(l.payload, other.payload) != 0, "salts are random");
}

static void
writable(void)
{
	static const char text[] = "https://mega.nz/folder/PuBhAnDL#"
	    "QEFCQ0RFRkdISUpLTE1OTw:AAECAwQFBgcICQoLDA0ODw";
	struct link l;
	char out[LINK_TEXT_MAX];
	char path[200];

	ok(link_parse(&l, text) == 0 && eq(l.auth, "AAECAwQFBgcICQoLDA0ODw"),
	    "a folder's write authorisation");
	ok(eq(link_print(out, &l, 0), text), "is printed, too");
	snprintf(path, sizeof path, "%s:/a b", text);
	ok(link_parse(&l, path) == 0 && l.path.n == 4 &&
	    eq(l.auth, "AAECAwQFBgcICQoLDA0ODw"), "and a path behind it");
}

static void
redacted(void)
{
	static const struct {
		const char *text, *shown;
	} t[] = {
		{ "/a/b", "/a/b" },
		{ "/MDAwMDAwMDAwMDAwMDAwMCAhIiMkJSYnKCkqKywtLi8",
		    "/MDAwMDAwMDAwMDAwMDAwMCAhIiMkJSYnKCkqKywtLi8" },
		{ "https://mega.nz/file/PuBhAnDL#"
		    "MDAwMDAwMDAwMDAwMDAwMCAhIiMkJSYnKCkqKywtLi8",
		    "https://mega.nz/file/PuBhAnDL#..." },
		{ "https://mega.nz/#F!PuBhAnDL!QEFCQ0RFRkdISUpLTE1OTw",
		    "https://mega.nz/#F!PuBhAnDL!..." },
		{ "https://mega.nz/folder/PuBhAnDL#QEFCQ0RFRkdISUpLTE1OTw:/"
		    "averyveryverylongnameindeed",
		    "https://mega.nz/folder/PuBhAnDL#...:/"
		    "averyveryverylongnameindeed" },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = BUF_MAX(1000);

		link_redact(&b, t[i].text);
		ok(eq(buf_str(&b), t[i].shown), "shown as %s", t[i].shown);
		buf_free(&b);
	}
}

int
main(void)
{
	test_good();
	test_bad();
	test_long();
	test_fields();
	test_print_old();
	test_unlock();
	test_unlock_bad();
	test_lock_bad();
	redacted();
	writable();
	return done();
}
