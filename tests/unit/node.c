/* Vectors: mega-protocol(7), "Test vectors"; those without a source are
 * made here, by the functions that write what node reads. */

#include "attr.h"
#include "b64.h"
#include "node.h"
#include "tap.h"

#define USER "AAECAwQFBgc"
#define FILE_KEY \
	"30303030303030303030303030303030202122232425262728292a2b2c2d2e2f"
#define FOLDER_KEY "303132333435363738393a3b3c3d3e3f"
#define FILE_K   USER ":m7X2AYhPzW9uKbI_gsynelvofi5bRHyUSyHJr3dWwNg"
#define FOLDER_K USER ":A_LDvcqCa_CC18-wNc24wQ"
#define SHARE_FILE_K "DiRdIrDi:XvsHeXmKIp8N_8sDrmlrAYyqf1iaoM62NQpF5wpuQ1s"
#define FILE_A   "bS0FxSw-SOhe2J38E0CulruUYo_i5rdtBxdZy-UQyX8"
#define FOLDER_A "GLNaGX5Wb5ig3ghBnQDNmwgdNvctUSVxKbxGdR-KlaY"

static uint8_t master[16], share[16];
static struct node_keys keys;
static struct json j;

static void
reset_keys(void)
{
	unhex(master, "000102030405060708090a0b0c0d0e0f");
	unhex(share, "404142434445464748494a4b4c4d4e4f");
	node_keys_free(&keys);
	node_keys_init(&keys, master, USER, NULL);
}

static int
read_text(struct node_wire *w, const char *text)
{
	if (json_parse(&j, text, strlen(text)) < 0)
		return -1;
	return node_read(w, &j, 0);
}

/* The same, taken apart as it comes in pieces. */
static struct node_scan scan;

static int
scan_enter(void *ctx, int depth, struct slice key, int open)
{
	(void)ctx;
	(void)key;
	if (depth == 0 && open == '{')
		node_begin(&scan);
	return 1;
}

static int
scan_value(void *ctx, int depth, struct slice key, struct slice text)
{
	(void)ctx;
	if (depth == 1)
		node_member(&scan, key, text);
	return 0;
}

static int
scan_text(struct node_wire *w, const char *text, size_t piece)
{
	struct json_split s;
	size_t n = strlen(text);
	int r = 0;

	json_split_init(&s, NULL, 1 << 20);
	s.enter = scan_enter;
	s.value = scan_value;
	for (size_t i = 0; i < n && r == 0; i += piece) {
		/* What has been fed is gone. */
		char *copy = malloc(piece);
		size_t len = n - i < piece ? n - i : piece;

		if (copy == NULL)
			abort();
		memcpy(copy, text + i, len);
		r = json_split_feed(&s, copy, len);
		free(copy);
	}
	json_split_free(&s);
	return r < 0 ? r : node_end(&scan, w);
}

static int
same_slice(struct slice a, struct slice b)
{
	return a.n == b.n && (a.p == NULL) == (b.p == NULL) &&
	    (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static int
same_wire(const struct node_wire *a, const struct node_wire *b)
{
	return strcmp(a->h, b->h) == 0 && strcmp(a->p, b->p) == 0 &&
	    strcmp(a->u, b->u) == 0 && strcmp(a->su, b->su) == 0 &&
	    a->t == b->t && a->s == b->s && a->ts == b->ts && a->r == b->r &&
	    same_slice(a->a, b->a) && same_slice(a->k, b->k) &&
	    same_slice(a->sk, b->sk);
}

/* What a record opens to. */
static void
open_text(struct node_clear *c, const char *text)
{
	struct node_wire w;

	if (read_text(&w, text) < 0)
		w = (struct node_wire){ 0 };
	node_open(&keys, &w, c);
}

static int
name_is(const struct node_clear *c, const char *want)
{
	return c->name.p != NULL && c->name.n == strlen(want) &&
	    memcmp(c->name.p, want, c->name.n) == 0;
}

static void
test_numbers(void)
{
	char text[16];

	ok(node_number("AAAAAAAA") == 0, "the least handle");
	ok(node_number("AAAAAAAB") == 1, "big-endian");
	ok(node_number("________") == ((int64_t)1 << 48) - 1, "the largest");
	ok(eq(node_handle(text, node_number("FiLeFiLe")), "FiLeFiLe"),
	    "there and back");
	ok(node_user_number(USER) == 0x0001020304050607, "a user");
	ok(eq(node_user_handle(text, node_user_number("___________")),
	    "__________8"), "a user with the highest bit");
}

static void
test_read(void)
{
	struct node_wire w;

	ok(read_text(&w, "{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"u\":\"" USER
	    "\",\"t\":0,\"a\":\"" FILE_A "\",\"k\":\"" FILE_K "\",\"s\":5,"
	    "\"ts\":1700000002,\"new\":[1,{\"h\":2}]}") == 0, "a record");
	ok(eq(w.h, "FiLeFiLe") && eq(w.p, "DiRdIrDi") && eq(w.u, USER) &&
	    w.t == 0 && w.s == 5 && w.ts == 1700000002 &&
	    w.a.n == strlen(FILE_A) && w.k.n == strlen(FILE_K) && w.r == -1,
	    "its members");
	ok(read_text(&w, "{\"h\":\"RoOtRoOt\",\"p\":\"\",\"t\":2,\"a\":\"\","
	    "\"k\":\"\",\"ts\":1}") == 0 && w.p[0] == '\0' && w.u[0] == '\0' &&
	    w.a.p == NULL, "a root");
	ok(read_text(&w, "{\"h\":\"RoOtRoOt\",\"p\":null,\"t\":2,\"a\":null}")
	    == 0 && w.p[0] == '\0', "null is nothing");
	ok(read_text(&w, "{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"t\":0,"
	    "\"s\":\"12\",\"ts\":\"7\"}") == 0 && w.s == 12 && w.ts == 7,
	    "numbers in strings");
	ok(read_text(&w, "{\"h\":\"DiRdIrDi\",\"t\":1,\"s\":99}") == 0 &&
	    w.s == 0, "a folder has no size");
	ok(read_text(&w, "{\"h\":\"DiRdIrDi\",\"t\":1,\"su\":\"" USER "\"}")
	    == 0 && w.su[0] == '\0', "a share without rights is none");
	ok(read_text(&w, "{\"h\":\"DiRdIrDi\",\"t\":1,\"su\":\"" USER
	    "\",\"r\":1}") == 0 && eq(w.su, USER) && w.r == 1, "a share");

	ok(read_text(&w, "{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"t\":0,"
	    "\"s\":-1,\"k\":\"" FILE_K "\",\"a\":\"" FILE_A "\"}") == 0 &&
	    eq(w.h, "FiLeFiLe") && eq(w.p, "DiRdIrDi") && w.k.p == NULL,
	    "a size that cannot be leaves the place alone");
	ok(read_text(&w, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":{}}") == 0 &&
	    w.a.p == NULL, "so do attributes that are no string");
	ok(read_text(&w, "{\"h\":\"FiLeFiL\",\"t\":0}") < 0, "a short handle");
	ok(read_text(&w, "{\"h\":\"FiLeFi+e\",\"t\":0}") < 0, "no handle");
	ok(read_text(&w, "{\"t\":0}") < 0, "none at all");
	ok(read_text(&w, "{\"h\":\"FiLeFiLe\",\"t\":5}") < 0, "no such type");
	ok(read_text(&w, "{\"h\":\"FiLeFiLe\"}") < 0, "no type");
	ok(read_text(&w, "[]") < 0, "no object");
}

static void
test_scan(void)
{
	static const char *const t[] = {
		"{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"u\":\"" USER "\","
		    "\"t\":0,\"a\":\"" FILE_A "\",\"k\":\"" FILE_K "\","
		    "\"s\":5,\"ts\":1700000002,\"new\":[1,{\"h\":2}],"
		    "\"h\":\"TwIcEtWi\"}",
		"{\"h\":\"DiRdIrDi\",\"t\":1,\"su\":\"" USER "\",\"r\":2,"
		    "\"sk\":\"1TPlm0WhU-1-Xpxd_P1Kqg\",\"p\":null}",
		"{\"h\":\"RoOtRoOt\",\"p\":\"\",\"t\":2,\"a\":\"\",\"k\":\"\"}",
		"{\"h\":\"FiLeFiLe\",\"p\":\"DiRdIrDi\",\"t\":0,\"s\":-1,"
		    "\"k\":\"" FILE_K "\"}",
		"{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":7,\"ts\":\"12\"}",
	};
	static const char *const bad[] = { "{}", "{\"h\":\"FiLeFiLe\"}",
	    "{\"t\":0}", "{\"h\":\"short\",\"t\":0}",
	    "{\"h\":\"FiLeFiLe\",\"t\":9}" };
	struct node_wire a, b;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int good = read_text(&a, t[i]) == 0;

		for (size_t piece = 1; piece < 60; piece += 3)
			good = good && scan_text(&b, t[i], piece) == 0 &&
			    same_wire(&a, &b);
		ok(good, "taken apart: %s", t[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(scan_text(&b, bad[i], 99) < 0, "refused: %s", bad[i]);
	node_scan_free(&scan);
}

static void
test_own(void)
{
	struct node_clear c;

	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"" FILE_K "\"}");
	ok(c.keylen == 32 && same(c.key, 32, FILE_KEY), "a file's key");
	ok(name_is(&c, "test.txt") && c.mtime == -1 && !c.more, "its name");
	open_text(&c, "{\"h\":\"DiRdIrDi\",\"t\":1,\"a\":\"" FOLDER_A
	    "\",\"k\":\"" FOLDER_K "\"}");
	ok(c.keylen == 16 && same(c.key, 16, FOLDER_KEY) &&
	    name_is(&c, "My Folder"), "a folder");
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\""
	    "6YKAyIGh4ZZfMvcJDBy7Xkjyzsh-uCtgyoog8Y_f9SDbzNGQIiFVgOoGNtujIk"
	    "LVBfxbGY5dQljKWmWoe7AHSg\",\"k\":\"" FILE_K "\"}");
	ok(name_is(&c, "héllo wörld.txt"), "no padding at all");
	ok(c.c.n == 28 && memcmp(c.c.p, "AAECAwQFBgcICQoLDA0ODwSAdPBQ", 28)
	    == 0 && c.mtime == 1357935744, "a fingerprint");
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\""
	    "OwN8OksnPInLT5SBSMxdkzZOkvVuf7ARfaCYGZT-gxs\",\"k\":\"" FILE_K
	    "\"}");
	ok(name_is(&c, "héllo"), "an escaped name");
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"m7X2AYhPzW9uKbI_gsynelvofi5bRHyUSyHJr3dWwNg\"}");
	ok(name_is(&c, "test.txt"), "a key string without an owner");
	open_text(&c, "{\"h\":\"RoOtRoOt\",\"t\":2,\"a\":\"\",\"k\":\"\"}");
	ok(c.keylen == 0 && c.name.p == NULL, "a root has neither");
}

static void
test_parts(void)
{
	static const char both[] = "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"" SHARE_FILE_K "/" FILE_K "\"}";
	static const char shared[] = "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\""
	    FILE_A "\",\"k\":\"" SHARE_FILE_K "\"}";
	struct node_clear c;
	uint8_t key[16];

	open_text(&c, both);
	ok(name_is(&c, "test.txt"), "the own part behind another");
	open_text(&c, shared);
	ok(c.keylen == 0 && c.name.p == NULL, "a share that is not known");
	ok(node_keys_add(&keys, node_number("DiRdIrDi"), master) == 1,
	    "a share key is new");
	open_text(&c, both);
	ok(name_is(&c, "test.txt") && same(c.key, 32, FILE_KEY),
	    "a wrong share key does not win over the own part");
	open_text(&c, shared);
	ok(c.keylen == 32 && c.name.p == NULL,
	    "alone it opens what cannot be checked, but no name");
	ok(node_keys_add(&keys, node_number("DiRdIrDi"), share) == 1,
	    "another key replaces it");
	ok(node_keys_add(&keys, node_number("DiRdIrDi"), share) == 0,
	    "the same is not new");
	open_text(&c, shared);
	ok(name_is(&c, "test.txt"), "a share");
	ok(node_keys_find(&keys, node_number("DiRdIrDi"), key) == 1 &&
	    memcmp(key, share, 16) == 0, "found");
	ok(node_keys_find(&keys, node_number("DiRdIrDj"), key) == 0,
	    "not found");
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"/:/x:y/BBBBBBBBBBB:m7X2/" USER ":short/" SHARE_FILE_K
	    "///\"}");
	ok(name_is(&c, "test.txt"), "among rubbish");
	open_text(&c, "{\"h\":\"DiRdIrDi\",\"t\":1,\"a\":\"" FOLDER_A
	    "\",\"k\":\"" FILE_K "\"}");
	ok(c.keylen == 0, "a folder with a file's key");

	for (int64_t h = 2000; h > 0; h -= 2) {
		unhex(key, "00000000000000000000000000000000");
		key[0] = (uint8_t)h;
		node_keys_add(&keys, h, key);
	}
	ok(node_keys_find(&keys, 1000, key) == 1 && key[0] == (1000 & 255) &&
	    node_keys_find(&keys, 1001, key) == 0 && node_keys_find(&keys,
	    node_number("DiRdIrDi"), key) == 1, "a thousand shares");
}

/* A folder link has one key, and no user. */
static void
test_link(void)
{
	struct node_clear c;

	node_keys_free(&keys);
	node_keys_init(&keys, share, "", NULL);
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"" SHARE_FILE_K "\"}");
	ok(name_is(&c, "test.txt"), "a node in a folder link");
	open_text(&c, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\"" FILE_A
	    "\",\"k\":\"" FILE_K "/" SHARE_FILE_K "\"}");
	ok(name_is(&c, "test.txt"), "the owner's part is not for us");
	reset_keys();
}

/* Keys that another user left under our RSA key. */
static void
test_rsa(void)
{
	uint8_t blob[RSA_BLOB_MAX], mpi[RSA_BYTES_MAX + 2], key[32];
	char privk[B64_LEN(RSA_BLOB_MAX) + 1], k[B64_LEN(sizeof mpi) + 1];
	char text[2048];
	struct rsa_private *priv;
	struct rsa_public *pub;
	struct node_clear c;
	size_t n;
	int len;

	ok(rsa_generate(&priv, &pub, 2048) == 0, "a key pair");
	n = rsa_private_pack(priv, blob);
	key_wrap(blob, blob, n, master);
	b64_encode(privk, blob, n);
	node_keys_free(&keys);
	node_keys_init(&keys, master, USER, privk);

	unhex(key, FILE_KEY);
	len = rsa_encrypt(pub, mpi, key, sizeof key, 0);
	b64_encode(k, mpi, (size_t)len);
	snprintf(text, sizeof text, "{\"h\":\"FiLeFiLe\",\"t\":0,\"a\":\""
	    FILE_A "\",\"k\":\"" USER ":%s\"}", k);
	open_text(&c, text);
	ok(name_is(&c, "test.txt") && same(c.key, 32, FILE_KEY),
	    "a key under RSA");

	len = rsa_encrypt(pub, mpi, share, sizeof share, 0);
	b64_encode(k, mpi, (size_t)len);
	ok(node_keys_unwrap(&keys, key, (struct slice){ k, strlen(k) }) == 0
	    && memcmp(key, share, 16) == 0, "a share key under RSA");
	ok(node_keys_unwrap(&keys, key, (struct slice){
	    "1TPlm0WhU-1-Xpxd_P1Kqg", 22 }) == 0 &&
	    memcmp(key, share, 16) == 0, "one under the master key");
	ok(node_keys_unwrap(&keys, key, (struct slice){ k, 100 }) < 0,
	    "half of one");
	rsa_private_free(priv);
	rsa_public_free(pub);

	node_keys_free(&keys);
	privk[0] = privk[0] == 'A' ? 'B' : 'A';
	node_keys_init(&keys, master, USER, privk);
	open_text(&c, text);
	ok(c.keylen == 0, "a damaged private key opens nothing");
	reset_keys();
	open_text(&c, text);
	ok(c.keylen == 0, "nor does none");
}

/* A record with these attributes, under the folder's key. */
static void
open_attributes(struct node_clear *c, const char *plain, size_t n)
{
	uint8_t block[1024] = { 0 }, key[16];
	char text[2048], a[B64_LEN(sizeof block) + 1];
	struct aes aes;

	unhex(key, FOLDER_KEY);
	memcpy(block, plain, n);
	n = (n + 15) / 16 * 16;
	aes_init(&aes, key);
	aes_cbc_encrypt(&aes, block, block, n);
	aes_wipe(&aes);
	b64_encode(a, block, n);
	snprintf(text, sizeof text, "{\"h\":\"DiRdIrDi\",\"t\":1,\"a\":\"%s\","
	    "\"k\":\"" FOLDER_K "\"}", a);
	open_text(c, text);
}

static void
test_names(void)
{
	static const struct {
		const char *plain, *name; /* NULL: none */
	} t[] = {
		{ "MEGA{\"n\":\"a\"}", "a" },
		{ "MEGA{\"n\": \"a\"}", "a" },
		{ "MEGA{\"n\":\"\"}", "" },
		{ "MEGA{\"n\":12}", "12" },
		{ "MEGA{\"n\":\"..\"}", ".." },
		{ "MEGA{\"n\":\"a/b\"}", "a/b" },
		{ "MEGA{\"n\":\"a\\n\\t\\\"b\"}", "a\n\t\"b" },
		{ "MEGA{\"n\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80" },
		{ "MEGA{\"n\":\"\xf0\x9f\x98\x80\"}", "\xf0\x9f\x98\x80" },
		{ "MEGA{\"n\":\"\xff\xfe\"}", "\xff\xfe" },
		{ "MEGA{\"n\":\"a\",\"n\":\"b\"}", "b" },
		{ "MEGA{\"nn\":\"a\"}", NULL },
		{ "MEGA{}", NULL },
		{ "MEGA{\"n\":\"a\"", NULL },
		{ "MEGA{\"n\":\"a\"}}", NULL },
		{ "MEGA[\"n\"]", NULL },
		{ "mega{\"n\":\"a\"}", NULL },
	};
	struct node_clear c;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		open_attributes(&c, t[i].plain, strlen(t[i].plain));
		ok(c.keylen == 16 && (t[i].name == NULL ? c.name.p == NULL :
		    name_is(&c, t[i].name)), "%s", t[i].plain);
	}
	open_attributes(&c, "MEGA{\"n\":\"a\\u0000b\"}", 20);
	ok(c.name.n == 3 && memcmp(c.name.p, "a\0b", 3) == 0, "a NUL inside");
	open_text(&c, "{\"h\":\"DiRdIrDi\",\"t\":1,\"a\":\"GLNaGX5Wb5ig\","
	    "\"k\":\"" FOLDER_K "\"}");
	ok(c.keylen == 16 && c.name.p == NULL, "half a block");
	open_text(&c, "{\"h\":\"DiRdIrDi\",\"t\":1,\"k\":\"" FOLDER_K "\"}");
	ok(c.keylen == 16 && c.name.p == NULL, "no attributes");
	open_text(&c, "{\"h\":\"DiRdIrDi\",\"t\":1,\"a\":\"" FOLDER_A "\"}");
	ok(c.keylen == 0 && c.name.p == NULL, "no key");
}

static void
test_attributes(void)
{
	static const struct {
		const char *plain;
		int64_t mtime;
		int c, more;
	} t[] = {
		{ "MEGA{\"n\":\"a\",\"t\":1700000000}", 1700000000, 0, 1 },
		{ "MEGA{\"n\":\"a\",\"t\":\"red,blue\"}", -1, 0, 1 },
		{ "MEGA{\"n\":\"a\",\"t\":1,\"c\":\"AAAAAAAAAAAAAAAAAAAAAAQA8VNl\"}",
		    1700000000, 1, 1 },
		{ "MEGA{\"c\":\"AAAAAAAAAAAAAAAAAAAAAAQA8VNl\",\"t\":1}",
		    1700000000, 1, 1 },
		{ "MEGA{\"c\":\"AAAAAAAAAAAAAAAAAAAAAAQA8VNl\"}",
		    1700000000, 1, 0 },
		{ "MEGA{\"c\":\"AAAAAAAAAAAAAAAAAAAAAAQA8VN\"}", -1, 0, 1 },
		{ "MEGA{\"c\":\"AAAA\"}", -1, 0, 1 },
		{ "MEGA{\"c\":7}", -1, 0, 1 },
		{ "MEGA{\"c\":\"AAAAAAAAAAAAAAAAAAAAAAj__________w\"}", -1, 1,
		    0 },
		{ "MEGA{\"fav\":1}", -1, 0, 1 },
	};
	struct node_clear c;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		open_attributes(&c, t[i].plain, strlen(t[i].plain));
		ok(c.mtime == t[i].mtime && (c.c.p != NULL) == t[i].c &&
		    c.more == t[i].more, "%s", t[i].plain);
	}
}

static void
test_zero_key(void)
{
	uint8_t zero[32] = { 0 };
	char k[64], text[256];
	struct node_clear c;

	memset(zero + 16, 7, 16);
	memset(zero, 7, 16);
	key_wrap(zero, zero, sizeof zero, master);
	b64_encode(k, zero, sizeof zero);
	snprintf(text, sizeof text, "{\"h\":\"FiLeFiLe\",\"t\":0,\"k\":\"" USER
	    ":%s\"}", k);
	open_text(&c, text);
	ok(c.keylen == 0, "a file key whose AES key is zero");
}

static const char *
component(enum node_type type, char *name, size_t n)
{
	static char tmp[16], out[64];
	struct node node = { .type = type, .h = "FiLeFiLe", .name = name,
	    .namelen = n };
	size_t len;
	const char *p = node_component(&node, tmp, &len);

	memcpy(out, p, len);
	out[len] = '\0';
	return out;
}

static void
test_components(void)
{
	char plain[] = "a", slash[] = "a/b", nul[] = "a\0b", empty[] = "";
	char dots[] = "..", tmp[16];
	struct node n = { .h = "FiLeFiLe" }, copy;
	size_t len;

	ok(eq(component(NODE_FILE, plain, 1), "a"), "a name");
	ok(eq(component(NODE_FILE, dots, 2), ".."), "dots are a name here");
	ok(eq(component(NODE_FILE, slash, 3), "H:FiLeFiLe"), "a slash");
	ok(eq(component(NODE_FILE, nul, 3), "H:FiLeFiLe"), "a NUL");
	ok(eq(component(NODE_FILE, empty, 0), "H:FiLeFiLe"), "nothing");
	ok(eq(component(NODE_FILE, NULL, 0), "H:FiLeFiLe"), "not known");
	ok(eq(component(NODE_RUBBISH, NULL, 0), "Rubbish Bin"), "a root");
	ok(eq(node_name(&n, tmp, &len), "H:FiLeFiLe") && len == 10,
	    "a name that is not known");
	node_copy(&copy, &n);
	ok(copy.name == NULL, "a copy of it");
	n.name = slash;
	n.namelen = 3;
	ok(eq(node_name(&n, tmp, &len), "a/b") && len == 3,
	    "shown as it is");
	node_copy(&copy, &n);
	ok(copy.name != n.name && eq(copy.name, "a/b"), "a copy");
	node_free(&copy);
	ok(copy.name == NULL && copy.h[0] == '\0', "freed and wiped");
}

int
main(void)
{
	reset_keys();
	test_numbers();
	test_read();
	test_scan();
	test_own();
	test_parts();
	test_link();
	test_rsa();
	test_names();
	test_attributes();
	test_zero_key();
	test_components();
	node_keys_free(&keys);
	json_free(&j);
	return done();
}
