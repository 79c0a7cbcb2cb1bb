/* Requests as MegaDownloader and MegaBasterd spell them, and tokens of the
 * blog's example page: mega-protocol(7), "ELC account servers". */

#include "elcpage.h"
#include "err.h"
#include "tap.h"

#define KEY_TEXT "EBESExQVFhcYGRobHB0eHyAhIiMkJSYn"
#define PASSWORD "PutYourPasswordHere!!"

static const uint8_t secret[ELCPAGE_SECRET_SIZE] = { 1, 2, 3 };

static struct slice
text_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static int
form_is(const char *body, const char *operation, const char *data,
    const char *user, const char *apikey)
{
	struct elcpage_form f;
	int r;

	elcpage_form_read(&f, text_of(body));
	r = eq(buf_str(&f.operation), operation) &&
	    eq(buf_str(&f.data), data) && eq(buf_str(&f.user), user) &&
	    eq(buf_str(&f.apikey), apikey);
	elcpage_form_free(&f);
	return r;
}

static void
test_form(void)
{
	ok(form_is("OPERATION_TYPE=D&DATA=AAECAwQFBgcICQoLDA0ODy19GdK%2fusQ"
	    "BeOe90aiHnR6YNa0d5hHfyEooAQlh27%2fs&USER=test&APIKEY=test",
	    "D", "AAECAwQFBgcICQoLDA0ODy19GdK/usQBeOe90aiHnR6YNa0d5hHfyEooA"
	    "Qlh27/s", "test", "test"), "MegaDownloader opening");
	ok(form_is("OPERATION_TYPE=E&DATA=" KEY_TEXT
	    "&USER=User+Name&APIKEY=Api+Key", "E", KEY_TEXT, "User Name",
	    "Api Key"), "MegaDownloader writing");
	ok(form_is("OPERATION_TYPE=D&DATA=AAECAwQFBgcICQoLDA0ODy19GdK/usQBe"
	    "Oe90aiHnR6YNa0d5hHfyEooAQlh27/s&USER=test&APIKEY=test",
	    "D", "AAECAwQFBgcICQoLDA0ODy19GdK/usQBeOe90aiHnR6YNa0d5hHfyEooA"
	    "Qlh27/s", "test", "test"), "MegaBasterd, unescaped");
	ok(form_is("APIKEY=k%2B%2b&x=1&USER=a&USER=b&DATA&&OPERATION_TYPE=E",
	    "E", "", "a", "k++"), "any order; the first of two counts");
	ok(form_is("USER=100%&APIKEY=%zz%4&DATA=a%3", "", "a%3", "100%",
	    "%zz%4"), "no escapes stay");
	ok(form_is("USER=&USER=b", "", "", "", ""), "an empty one is first");
	ok(form_is("", "", "", "", ""), "nothing at all");
}

static void
test_tokens(void)
{
	uint8_t key[ELC_KEY_SIZE], back[ELC_KEY_SIZE];
	uint8_t other[ELCPAGE_SECRET_SIZE] = { 1, 2, 4 };
	char token[ELCPAGE_TOKEN_TEXT], again[ELCPAGE_TOKEN_TEXT];
	int wrong = 0;

	ok(elcpage_key_read(key, text_of(KEY_TEXT)) == 0, "a key");
	ok(elcpage_key_read(back, text_of(KEY_TEXT "AA")) == ERR_PROTO &&
	    elcpage_key_read(back, text_of("EBES")) == ERR_PROTO &&
	    elcpage_key_read(back, text_of("EBESExQVFhcYGRobHB0eHyAhIiMkJSY="))
	    == ERR_PROTO &&
	    elcpage_key_read(back, text_of("-BESExQVFhcYGRobHB0eHyAhIiMkJSYn"))
	    == ERR_PROTO, "what is none");
	ok(elcpage_key_read(back, text_of(" BESExQVFhcYGRobHB0eHyAhIiMkJSYn"))
	    == 0 && back[0] == 0xf8, "a blank was a plus");

	elcpage_token(token, secret, key);
	elcpage_token(again, secret, key);
	ok(strlen(token) == 71 && strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_") == 71,
	    "a token needs no escaping");
	ok(strcmp(token, again) != 0, "and is never the same twice");
	ok(elcpage_token_open(back, secret, text_of(token)) == 0 &&
	    memcmp(back, key, sizeof key) == 0, "it opens");
	ok(elcpage_token_open(back, other, text_of(token)) == ERR_MAC,
	    "not under another secret");
	/* The last character has two bits that mean nothing. */
	for (size_t i = 0; i < 70; i++) {
		memcpy(again, token, sizeof again);
		again[i] = again[i] == 'A' ? 'B' : 'A';
		wrong += elcpage_token_open(back, secret, text_of(again)) !=
		    ERR_MAC;
	}
	ok(wrong == 0, "not with any character changed");
	ok(elcpage_token_open(back, secret, text_of("")) == ERR_MAC &&
	    elcpage_token_open(back, secret, text_of("1")) == ERR_MAC,
	    "not when there is none");
}

static int
legacy(const char *token, const char *password, const char *want)
{
	uint8_t key[ELC_KEY_SIZE];
	char text[ELC_KEY_TEXT];

	return elcpage_token_open_legacy(key, password, text_of(token)) == 0 ?
	    eq(elc_key_write(text, key), want) : want == NULL;
}

static void
test_legacy(void)
{
	static const char sample[] = "zLd5VbZvARy6s+Ml1a6gMgU/YDUQ7hoGJ9h0ip9"
	    "nYgCos7vPKLp5YsHW7WoGXJ7k";
	static const char blank[] = "zLd5VbZvARy6s Ml1a6gMgU/YDUQ7hoGJ9h0ip9"
	    "nYgCos7vPKLp5YsHW7WoGXJ7k";

	ok(legacy(sample, PASSWORD, "SHbWFsgPydjQL08l7BjtDubSqzClm4/1"),
	    "the page's own sample: AES-192");
	ok(legacy(blank, PASSWORD, "SHbWFsgPydjQL08l7BjtDubSqzClm4/1"),
	    "with its plus as a blank");
	ok(legacy("AAECAwQFBgcICQoLDA0ODy19GdK/usQBeOe90aiHnR6YNa0d5hHfyEooA"
	    "Qlh27/s", PASSWORD, KEY_TEXT), "another");
	ok(legacy("AAAAAAAAAAAAAAAAAAAAAVn7BTYhoCytqLk4fBAXuOh1dOBAT6Bxm+GCK"
	    "sWDG+MM", PASSWORD, KEY_TEXT), "another with a plus");
	ok(legacy("ABEiM0RVZneImaq7zN3u/6xPXZJMklJdY8O22SxRVAIaoAsIv4JLo6/jEOLD"
	    "iw5j",
	    "short", KEY_TEXT), "AES-128");
	ok(legacy("ABEiM0RVZneImaq7zN3u/4TkuYWmHv+5uSG8489BHwcNYpGvzNkQqBs+ZzuG"
	    "lK0S",
	    "exactly16letters", KEY_TEXT), "16 characters");
	ok(legacy("ABEiM0RVZneImaq7zN3u/8nCD9HuD2W5zMZ+mT2TEqvq6CIyo5xKluMjsq8w"
	    "ovqV",
	    "twenty-five-characters-aa", KEY_TEXT), "AES-256");
	ok(legacy("ABEiM0RVZneImaq7zN3u/5FWmjtgNWTq1fazHS5a61hVeVYfC/a4lPSgQVqr"
	    "0yW1",
	    "a password of more than 32 characters, cut", KEY_TEXT),
	    "a password too long is cut");
	ok(legacy(sample, "another", NULL), "not under another password");
	ok(legacy("zLd5", PASSWORD, NULL) && legacy("", PASSWORD, NULL),
	    "not when cut");
}

static void
test_pages(void)
{
	struct buf b = BUF_MAX(65536);
	struct megalink_config c = { .url = (char []){ "https://h/e?a=1&b=2" },
	    .user = (char []){ "ann" }, .key = (char []){ "k\"<'>" },
	    .alias = (char []){ "Us & \"them\"" } };

	ok(elcpage_reply(&b, "", "AB+/") == 0 &&
	    eq(buf_str(&b), "{\"e\":\"\",\"d\":\"AB+/\"}"), "a reply");
	buf_reset(&b);
	ok(elcpage_reply(&b, "no \"x\"\n", "") == 0 &&
	    eq(buf_str(&b), "{\"e\":\"no \\\"x\\\"\\n\",\"d\":\"\"}"),
	    "an error");
	buf_reset(&b);
	ok(elcpage_html(&b, &c) == 0 &&
	    strstr(buf_str(&b), "<code>https://h/e?a=1&#38;b=2</code>") &&
	    strstr(buf_str(&b), "<code>k&#34;&#60;&#39;&#62;</code>") &&
	    strstr(buf_str(&b), "<a href=\"mega://configelc?https%3A%2F%2Fh"
	    "%2Fe%3Fa%3D1%26b%3D2:ann:k%22%3C&#39;%3E:Us%20%26%20%22them%22"
	    "\">"), "a page");
	buf_free(&b);
}

int
main(void)
{
	test_form();
	test_tokens();
	test_legacy();
	test_pages();
	return done();
}
