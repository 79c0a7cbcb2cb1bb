/* Vectors: mega-protocol(7), "MegaDownloader links"; made with python and
 * read and written alike by MegaDownloader's and MegaBasterd's own code. */

#include "err.h"
#include "megalink.h"
#include "tap.h"

#define FILE_KEY   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define FOLDER_KEY "AAECAwQFBgcICQoLDA0ODw"
#define FILE_LINK  "https://mega.nz/file/AbCdEfGh#" FILE_KEY
#define FOLDER_LINK "https://mega.nz/folder/FoLdEr01#" FOLDER_KEY
#define NODE_LINK  "https://mega.nz/#N!NoDeHnd1!" FILE_KEY "=###n=FoLdEr01"

static const char file_1[] = "mega://enc?HPry5YLAf5WUFh9UDwINJb4LElly6L2kr6EVK"
    "zn5slIFsxMBj1r2wVvo3lZ5XFWYshE-aImtEmlcGmjXgDkoSQ";
static const char folder_1[] = "mega://fenc?WVOMUJs2z0huSnwDY7JV38gdKyPPNFOxVK"
    "8dSXr8E4vvlyjQPq4QZhM4HZGaRNfa";
static const char file_2[] = "mega://enc2?5FCRu2I8AGTLYaxmhbN3QOuQ6YGx2McZpA6a"
    "vCMIsAAzYF11j7oRZzHNAvcu5JIKv4Wzu-yfWQ52dXxh2AgsNQ";
static const char folder_2[] = "mega://fenc2?3POy8_VwvY3fv3fNMWHKMMKU0_E2bWj4b"
    "z0FuMQc_7FKpSqJdmIW0JVtpgV8CgDl";
static const char node_2[] = "mega://enc2?ysM26XDXPolGLcNZsu9GXcoyAFYbDejDkYo4"
    "cWb2L_Ze1m7bk8oOEDXS9uAjgqWrfk8xyVSD_peu_A2ro-8f7zasznei7ywBpE2TXh1dTSQ";

/* The ordinary link that text stands for, or words for why not. */
static const char *
opened(const char *text)
{
	static char out[MEGALINK_TEXT_SIZE];
	struct slice s = { text, strlen(text) };
	struct megalink_found f;
	struct megalink l;
	int r;

	if (!megalink_find(&s, &f))
		return "no link";
	if (f.kind == MEGALINK_PLAIN)
		r = megalink_parse(&l, f.arg.p, f.arg.n);
	else if (f.kind <= MEGALINK_FENC2)
		r = megalink_open(&l, f.kind, f.arg);
	else
		return megalink_kind_name(f.kind);
	return r == 0 ? megalink_print(out, &l) : err_text();
}

static const char *
sealed(const char *ordinary, int old)
{
	static char out[512];
	struct buf b = BUF_MAX(sizeof out - 1);
	struct megalink l;

	if (megalink_parse(&l, ordinary, strlen(ordinary)) < 0 ||
	    megalink_seal(&b, &l, old) < 0)
		return err_text();
	memcpy(out, buf_str(&b), b.len + 1);
	buf_free(&b);
	return out;
}

static void
test_enc(void)
{
	char cut[sizeof file_2];

	ok(eq(opened(file_1), FILE_LINK), "enc");
	ok(eq(opened(folder_1), FOLDER_LINK), "fenc");
	ok(eq(opened(file_2), FILE_LINK), "enc2");
	ok(eq(opened(folder_2), FOLDER_LINK), "fenc2");
	ok(eq(opened(node_2), NODE_LINK), "a node in enc2");

	ok(eq(sealed(FILE_LINK, 1), file_1), "enc written");
	ok(eq(sealed(FOLDER_LINK, 1), folder_1), "fenc written");
	ok(eq(sealed(FILE_LINK, 0), file_2), "enc2 written");
	ok(eq(sealed(FOLDER_LINK, 0), folder_2), "fenc2 written");
	ok(eq(sealed(NODE_LINK, 0), node_2), "a node in enc2 written");

	ok(eq(opened("mega://enc2?HPry5YLAf5WUFh9UDwINJb4LElly6L2kr6EVKzn5slI"
	    "FsxMBj1r2wVvo3lZ5XFWYshE-aImtEmlcGmjXgDkoSQ"), FILE_LINK),
	    "key 1 under enc2");
	ok(eq(opened("mega://enc?5FCRu2I8AGTLYaxmhbN3QOuQ6YGx2McZpA6avCMIsAA"
	    "zYF11j7oRZzHNAvcu5JIKv4Wzu-yfWQ52dXxh2AgsNQ"), FILE_LINK),
	    "key 2 under enc");
	ok(eq(opened("MEGA:///ENC/?HPry5YLAf5WUFh9UDwINJb4LElly6L2kr6EVKzn5sl"
	    "I,FsxMBj1r2wVvo3lZ5XFWYshE+aImtEmlcGmjXgDkoSQ==."), FILE_LINK),
	    "other slashes and base64");
	ok(eq(opened("mega://enc2?5FCRu2I8AGTLYaxmhbN3QOuQ6YGx2McZpA6avCMIsAAzYF1"
	    "1j7oRZzHNAvcu5JIKvbCY3yf7deRihqXk9kSc-Q"), FILE_LINK),
	    "padded with zeros");
	ok(strstr(opened("mega://enc2?kb8l5UwfQm97Jtr0_WZ9Uu-NvASsMYlHS6Pl3ON"
	    "x7DsEHM1L0O7rMIAzxMVYUxVn"), "neither") != NULL,
	    "padded with zeros behind a key of an odd length");

	memcpy(cut, file_2, sizeof cut);
	cut[strlen(cut) - 1] = '\0';
	ok(strstr(opened(cut), "incomplete") != NULL, "a character missing");
	cut[strlen(cut) - 1] = '\0';
	ok(strstr(opened(cut), "incomplete") != NULL, "two missing");
	memcpy(cut, file_2, sizeof cut);
	cut[20] = 'B';
	ok(strstr(opened(cut), "neither") != NULL, "a character changed");
	ok(strstr(opened("mega://enc?"), "incomplete") != NULL, "an empty one");
}

static void
test_spellings(void)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "mega://#!AbCdEfGh!" FILE_KEY, FILE_LINK },
		{ "mega:#!AbCdEfGh!" FILE_KEY, FILE_LINK },
		{ "mega:!AbCdEfGh!" FILE_KEY, FILE_LINK },
		{ "(see mega:///#!AbCdEfGh!" FILE_KEY ").", FILE_LINK },
		{ "mega://#F!FoLdEr01!" FOLDER_KEY, FOLDER_LINK },
		{ "<a href=\"mega://F!FoLdEr01!" FOLDER_KEY "\">",
		    FOLDER_LINK },
		{ "mega://#N!NoDeHnd1!" FILE_KEY "=###n=FoLdEr01", NODE_LINK },
		{ "mega://N!NoDeHnd1!" FILE_KEY "###n=FoLdEr01", NODE_LINK },
		{ "mega://#!N?NoDeHnd1!" FILE_KEY "=###n=FoLdEr01",
		    NODE_LINK },
		{ "mega://#!megafolder?FoLdEr01?NoDeHnd1!" FILE_KEY,
		    NODE_LINK },
		{ "mega://https://mega.co.nz/#!AbCdEfGh!" FILE_KEY,
		    FILE_LINK },
		{ "mega://https://mega.nz/#%21AbCdEfGh%21%20" FILE_KEY,
		    FILE_LINK },
		{ "mega://chrome://mega/content/secure.html#!AbCdEfGh!"
		    FILE_KEY, FILE_LINK },
		{ "mega://file/AbCdEfGh#" FILE_KEY, FILE_LINK },
		{ "mega://folder/FoLdEr01#" FOLDER_KEY "/file/NoDeHnd1",
		    FOLDER_LINK "/file/NoDeHnd1" },
		{ "mega://#F!FoLdEr01!" FOLDER_KEY "!NoDeHnd1",
		    FOLDER_LINK "/folder/NoDeHnd1" },
		{ "mega://#!AbCdEfGh!", "https://mega.nz/file/AbCdEfGh" },
		{ "mega://https://example.com/#!AbCdEfGh!" FILE_KEY,
		    "not a link to a file or folder" },
		{ "mega://#!AbCdEfGh!" FILE_KEY "?x",
		    "not a link to a file or folder" },
		{ "mega://#N!NoDeHnd1!" FILE_KEY,
		    "not a link to a file or folder" },
		{ "mega://#!!" FILE_KEY, "not a link to a file or folder" },
		{ "mega://mega-search?12", "mega-search" },
		{ "mega://senc?AAAA", "unknown" },
		{ "mega://enc3?AAAA", "unknown" },
		{ "mega://elc?AAAA", "elc" },
		{ "mega://configelc?a:b:c", "configelc" },
		{ "http://crypter.example/!AAAA!01234567", "MegaCrypter" },
		{ "mc://crypter.example/!AAAA!01234567", "MegaCrypter" },
		{ "omega:!AbCdEfGh!", "no link" },
		{ "about mega: it is", "no link" },
		{ "mega://", "no link" },
		{ FILE_LINK, "no link" },
		{ "", "no link" },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ok(eq(opened(t[i].text), t[i].want), "%.40s", t[i].text);
}

static void
test_find(void)
{
	const char *text = "mega://enc?AAAA,mega://#!a!b\nand mega://elc?"
	    "mega://elc?uAAA, mega://configelc?http%3A%2F%2Fh:a:(b) end";
	struct slice s = { text, strlen(text) };
	struct megalink_found f;

	ok(megalink_find(&s, &f) && f.kind == MEGALINK_ENC, "first");
	ok(megalink_find(&s, &f) && f.kind == MEGALINK_PLAIN, "second");
	ok(megalink_find(&s, &f) && f.kind == MEGALINK_ELC && f.arg.n == 5,
	    "a prefix written twice counts once");
	ok(megalink_find(&s, &f) && f.kind == MEGALINK_CONFIG &&
	    f.arg.p[f.arg.n - 1] == ')', "configelc ends at a blank");
	ok(!megalink_find(&s, &f) && s.n == 0, "and no more");
	ok(megalink_is(file_1) && !megalink_is("mega://enc?AA x") &&
	    !megalink_is(" mega://enc?AA") && !megalink_is("/a/b"),
	    "what is one link");
}

static void
test_relative(void)
{
	static const char *const lines[] = {
		"#!AbCdEfGh!" FILE_KEY, "#F!FoLdEr01!" FOLDER_KEY,
		"#!N?NoDeHnd1!" FILE_KEY "=###n=FoLdEr01",
	};
	struct buf b = BUF_MAX(1024);
	struct megalink l;

	for (size_t i = 0; i < 3; i++) {
		buf_reset(&b);
		ok(megalink_parse(&l, lines[i], strlen(lines[i])) == 0 &&
		    megalink_relative(&b, &l) == 0 &&
		    eq(buf_str(&b), lines[i]), "%s", lines[i]);
		ok(megalink_doubt(&l) == NULL, "nothing odd about it");
	}
	ok(megalink_parse(&l, FOLDER_LINK "/file/NoDeHnd1",
	    strlen(FOLDER_LINK "/file/NoDeHnd1")) == 0 &&
	    megalink_relative(&b, &l) == ERR_USAGE,
	    "a node in a folder has no such form");
	buf_free(&b);
	ok(megalink_parse(&l, "#!A!BBBB", 8) == 0 &&
	    eq(megalink_doubt(&l), "a key of 4 characters, not 43"),
	    "odd lengths pass, and show");
	ok(megalink_parse(&l, "#!AbCdEfGh!", 11) == 0 &&
	    eq(megalink_doubt(&l), "no key"), "a key may be missing");
}

static void
test_config(const char *link, const char *url, const char *user,
    const char *key, const char *alias)
{
	struct megalink_config c;
	struct megalink_found f;
	struct slice s = { link, strlen(link) };

	ok(megalink_find(&s, &f) && megalink_config_read(&c, f.arg) == 0 &&
	    eq(c.url, url) && eq(c.user, user) && eq(c.key, key) &&
	    eq(c.alias, alias), "%s", link);
	megalink_config_free(&c);
}

static void
test_configs(void)
{
	static const char article[] = "mega://configelc?http%3A%2F%2Ftest.com"
	    "%2Felc%3Fa%3D1%26b%3D2:User%20Name:Api%20Key:Account%20Alias";
	static const char hard[] = "mega://configelc?https%3A%2F%2FELC.example"
	    "%2Fa%3Ab%3Fx%3D1%26y%3D2:Jos%C3%A9%20%2B:k%25%3A%7C%5C:"
	    "Alias%3A%201";
	static const char *const bad[] = {
		"http%3A%2F%2Fh", "http%3A%2F%2Fh:a", "http%3A%2F%2Fh::b",
		"http%3A%2F%2Fh:a:b:c:d", "ftp%3A%2F%2Fh:a:b", "h:a:b",
		"http%3A%2F%2F:a:b", "http%3A%2F%2Fu@h:a:b",
		"http%3A%2F%2Fh:a%0A:b", "http%3A%2F%2Fh:%FF:b",
		"http%3A%2F%2Fh:a:%ud800", "http%3A%2F%2Fh%20x:a:b", ":::",
		"http%3A%2F%2Fh:a%00b:c",
	};
	struct megalink_config c;
	struct megalink_found f;
	struct buf b = BUF_MAX(1024);
	struct slice s = { hard, strlen(hard) };

	test_config(article, "http://test.com/elc?a=1&b=2", "User Name",
	    "Api Key", "Account Alias");
	test_config(hard, "https://ELC.example/a:b?x=1&y=2",
	    "Jos\xc3\xa9 +", "k%:|\\", "Alias: 1");
	test_config("mega:configelc/?http%3A%2F%2Fh%2Fe:a+b:k\\:2",
	    "http://h/e", "a b", "k:2", "http://h/e");
	test_config("mega://configelc?https%3A%2F%2Fh:%u00e9%u20AC:%zz%:",
	    "https://h", "\xc3\xa9\xe2\x82\xac", "%zz%", "https://h");

	megalink_find(&s, &f);
	ok(megalink_config_read(&c, f.arg) == 0 &&
	    megalink_config_write(&b, &c) == 0 && eq(buf_str(&b), hard),
	    "written as encodeURIComponent does");
	megalink_config_free(&c);
	buf_free(&b);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(megalink_config_read(&c, (struct slice){ bad[i],
		    strlen(bad[i]) }) == ERR_PROTO && c.url == NULL,
		    "refused: %s", bad[i]);
}

static void
test_random(void)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
	    "opqrstuvwxyz0123456789-_";
	uint32_t x = 2463534242u;
	int bad = 0;

	for (int i = 0; i < 4000; i++) {
		char text[MEGALINK_TEXT_SIZE], want[MEGALINK_TEXT_SIZE];
		struct megalink l = { .type = (unsigned)i / 2 % 3 };
		char *const part[] = { l.id, l.key, l.node };
		size_t n[] = { 8, l.type == MEGALINK_FOLDER ? 22 : 43,
		    l.type == MEGALINK_NODE ? 8 : 0 };

		for (size_t k = 0; k < 3; k++)
			for (size_t c = 0; c < n[k]; c++) {
				x ^= x << 13;
				x ^= x >> 17;
				x ^= x << 5;
				part[k][c] = abc[x % 64];
			}
		megalink_print(want, &l);
		snprintf(text, sizeof text, "%s", sealed(want, i % 2));
		if (strcmp(opened(text), want) != 0)
			bad++;
	}
	ok(bad == 0, "4000 random links come back (%d do not)", bad);
}

int
main(void)
{
	test_enc();
	test_spellings();
	test_find();
	test_relative();
	test_configs();
	test_random();
	return done();
}
