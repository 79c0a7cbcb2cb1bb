/*
 * Chunks, MACs and checksums against mega-protocol(7), "Test vectors", on
 * every path of AES.
 */
#include <tomcrypt.h>

#include "chunk.h"
#include "err.h"
#include "tap.h"

#define LARGEST 5242881
#define CHUNKS  16 /* and more than LARGEST has */
#define SPARE   16 /* room to misalign */

static const struct {
	int64_t size;
	const char *sha256; /* of the ciphertext */
	const char *meta;
	uint64_t chunks;
	const char *packed; /* the key */
	const char *sum;    /* of all, as one POST */
} vec[] = {
	{ 0, "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855",
	    "0000000000000000", 0, "db9fc7d59c0b4421abf7158809cf4f3c"
	    "f0e1d2c3b4a596870000000000000000",
	    "000000000000000000000000" },
	{ 1, "1f18d650d205d71d934c3646ff5fac1c"
	    "096ba52eba4cf758b865364f4167d3cd",
	    "e96d8d8fad09d82b", 1, "db9fc7d59c0b4421429a9807a4c69717"
	    "f0e1d2c3b4a59687e96d8d8fad09d82b",
	    "1d0000000000000000000000" },
	{ 15, "0a7b666adf3371ec7c8cf4d0ed71109a"
	    "3a0e31eb33f173c320fb47dc65495857",
	    "126e74b6d62a7efe", 1, "db9fc7d59c0b4421b999613edfe531c2"
	    "f0e1d2c3b4a59687126e74b6d62a7efe",
	    "5ace9b5b425814ee099d3b08" },
	{ 16, "eb216b7e08970e711418e79b3340cb4c"
	    "12273f5d4792c11ede2f0e4f3e2d3eb8",
	    "3b4e3626eb1158a1", 1, "db9fc7d59c0b442190b923aee2de179d"
	    "f0e1d2c3b4a596873b4e3626eb1158a1",
	    "5ace9b11425814ee099d3b08" },
	{ 17, "72f4abf76610d4766ebc6e9ac9f46971"
	    "fd953b9335acad05adffc7171c2fc294",
	    "1158e66044bcc316", 1, "db9fc7d59c0b4421baaff3e84d738c2a"
	    "f0e1d2c3b4a596871158e66044bcc316",
	    "5ace9b11d25814ee099d3b08" },
	{ 131057, "393b899913cec636ded2f047351b214e"
	    "becac32915d06fe768ed47d75c7e75f0",
	    "87d8f1e6cddc43f6", 1, "db9fc7d59c0b44212c2fe46ec4130cca"
	    "f0e1d2c3b4a5968787d8f1e6cddc43f6",
	    "5891bc042900b87860743236" },
	{ 131071, "74b6ef4685708a919e001984da749cc0"
	    "9c19f3cf2e2ce3400b1308b316a3aadb",
	    "b9a25fe8cfacfb33", 1, "db9fc7d59c0b442112554a60c663b40f"
	    "f0e1d2c3b4a59687b9a25fe8cfacfb33",
	    "019ab5f27d68880e986a9b01" },
	{ 131072, "70f146ace4d04093dbea2098aa4319ef"
	    "5e21c8239e85bd3b3181560763792557",
	    "2f112d2f7c2ec472", 1, "db9fc7d59c0b442184e638a775e18b4e"
	    "f0e1d2c3b4a596872f112d2f7c2ec472",
	    "019ab5f27d68887c986a9b01" },
	{ 131073, "e0165373faf9d042681e782c79d9e31b"
	    "268648d562c7e912cca2037e8f9d0896",
	    "35d66d82cd4a5c07", 2, "db9fc7d59c0b44219e21780ac485133b"
	    "f0e1d2c3b4a5968735d66d82cd4a5c07",
	    "019ab5f27d68887ca66a9b01" },
	{ 393216, "d2e90b72b276559f9eef24e981bd83e3"
	    "3cdced912cdacd29ada861f7c18211f4",
	    "0efe02c938d386e0", 2, "db9fc7d59c0b4421a5091741311cc9dc"
	    "f0e1d2c3b4a596870efe02c938d386e0",
	    "b18c22cf9c652134f425114e" },
	{ 3670016, "e2a021bd7263d3d38552f215cbb8718c"
	    "2c7540e7fa8cbc0977da041badd1a045",
	    "e5301434123ee121", 7, "db9fc7d59c0b44214ec701bc1bf1ae1d"
	    "f0e1d2c3b4a59687e5301434123ee121",
	    "dfe67975a971b951853a060b" },
	{ 3670021, "27b5804e21a245e401d39a83d1a8eb73"
	    "6e0fda77addc66ecf996cb2fabd13b70",
	    "b4e08dd0e2582ad4", 8, "db9fc7d59c0b44211f179858eb9765e8"
	    "f0e1d2c3b4a59687b4e08dd0e2582ad4",
	    "5ae67975a971b9514afd7e7e" },
	{ 4718592, "22421f296de9370a940db5fa8940f1de"
	    "1104dbf597beee57999381e0926ded18",
	    "de2fdee19dcaf6ae", 8, "db9fc7d59c0b442175d8cb699405b992"
	    "f0e1d2c3b4a59687de2fdee19dcaf6ae",
	    "26f754afa4052310f678f492" },
	{ 5242880, "9f6a7b1dbeb0f8bf3a2fb4ff919f6f92"
	    "9d8bc6e98f5bbfd14d033262cd9946fb",
	    "fafc66350f420b90", 9, "db9fc7d59c0b4421510b73bd068d44ac"
	    "f0e1d2c3b4a59687fafc66350f420b90",
	    "b4d8d18cf80aa132e6e4aa6a" },
	{ 5242881, "1c363acfdb882171885ab4ea5c82bcd5"
	    "cc7f9d25ede7f7cd95d4697b5c569382",
	    "d99aa696108091a7", 9, "db9fc7d59c0b4421726db31e194fde9b"
	    "f0e1d2c3b4a59687d99aa696108091a7",
	    "b4d8d18cf80aa132e5e4aa6a" },
};

/* The chunks of the largest. */
static const struct {
	int64_t start, len;
	const char *sum, *mac;
} chunk[] = {
	{ 0, 131072, "019ab5f27d68887c986a9b01",
	    "5fc3264f5ae3bd5d5672e12a424d7377" },
	{ 131072, 262144, "6c4f8a4fb016973de10da948",
	    "377a00316eb8ae6c50f3898ec8530e56" },
	{ 393216, 393216, "098a8915709a91705138c910",
	    "77b3da6efa6f418f61e723f5e91de528" },
	{ 786432, 524288, "22b6475e6020cd964e470d80",
	    "ef7eb0f37161280773e16b32a9cf1126" },
	{ 1310720, 655360, "7114f5a6b4cad624499eefc7",
	    "44147e57bba797b7811613d2b6134708" },
	{ 1966080, 786432, "8d9f611333a98351d6ef798a",
	    "f2dcabd1e499cd8e85d9cdd3d5553da0" },
	{ 2752512, 917504, "7c0322c65f99a815c99b5ff9",
	    "038c431174bff0ff343a9f584771cf3e" },
	{ 3670016, 1048576, "7342f299f9112dda0d749a41",
	    "82bb9a7355e277bd51b6435b645eaddc" },
	{ 4718592, 524289, "922f85235c0f8222139c5ef8",
	    "fef36a4cca98b6fcfdff6e7956743946" },
};

#define NVEC   (sizeof vec / sizeof *vec)
#define NCHUNK (sizeof chunk / sizeof *chunk)

static uint8_t plain[LARGEST], cipher[LARGEST];
static uint8_t space[LARGEST + SPARE];
static uint8_t key[16], nonce[8];
static struct aes aes;
static uint32_t seed = 1;

static unsigned
random_below(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (unsigned)((uint64_t)seed * n >> 32);
}

/* n bytes of data somewhere in space. */
static uint8_t *
place(const uint8_t *data, size_t n)
{
	return memcpy(space + random_below(SPARE), data, n);
}

/* A whole file, most chunks at a time. */
static void
crypt_some(uint8_t *p, int64_t size, uint8_t (*macs)[16], unsigned most,
    int encrypt)
{
	const unsigned count = (unsigned)chunk_count(size);

	for (unsigned i = 0, n; i < count; i += n) {
		struct chunk_job jobs[CHUNKS];

		n = most < count - i ? most : count - i;
		for (unsigned k = 0; k < n; k++) {
			int64_t start = chunk_start(i + k);

			jobs[k] = (struct chunk_job){ .p = p + start,
			    .start = start, .n = (size_t)(chunk_end(start,
			    size) - start) };
		}
		chunk_crypt_jobs(&aes, nonce, jobs, n, encrypt);
		for (unsigned k = 0; k < n; k++)
			memcpy(macs[i + k], jobs[k].mac, 16);
	}
}

static void
crypt_at_once(uint8_t *p, int64_t size, uint8_t (*macs)[16], int encrypt)
{
	crypt_some(p, size, macs, CHUNKS, encrypt);
}

static int
has_sha256(const uint8_t *p, size_t n, const char *want)
{
	uint8_t sum[32];
	hash_state h;

	sha256_init(&h);
	sha256_process(&h, p, n);
	sha256_done(&h, sum);
	return same(sum, 32, want);
}

static int
has_meta(const uint8_t (*macs)[16], uint64_t n, const char *want)
{
	uint8_t meta[KEY_META_SIZE];

	chunk_condense(meta, &aes, macs, n);
	return same(meta, sizeof meta, want);
}

static void
boundaries(void)
{
	static const int64_t start[] = {
		0, 131072, 393216, 786432, 1310720, 1966080, 2752512, 3670016,
		4718592, 5767168, 6815744
	};
	const unsigned n = sizeof start / sizeof *start;
	int starts = 1, index = 1, count = 1, end = 1;

	for (unsigned i = 0; i < n; i++)
		starts &= chunk_start(i) == start[i];
	for (unsigned i = 0; i + 1 < n; i++) {
		index &= chunk_index(start[i]) == i;
		index &= chunk_index(start[i + 1] - 1) == i;
		count &= chunk_count(start[i] + 1) == i + 1;
		count &= chunk_count(start[i + 1]) == i + 1;
		end &= chunk_end(start[i], LARGEST * 2) == start[i + 1];
		end &= chunk_end(start[i + 1] - 1, LARGEST * 2) ==
		    start[i + 1];
		end &= chunk_end(start[i], start[i + 1]) == start[i + 1];
		end &= chunk_end(start[i], start[i] + 1) == start[i] + 1;
	}
	ok(starts, "where chunks start");
	ok(index, "which chunk holds an offset");
	ok(count && chunk_count(0) == 0, "how many chunks there are");
	ok(end, "where chunks end");
	ok(chunk_end(INT64_MAX - 1, INT64_MAX) == INT64_MAX &&
	    chunk_start(chunk_count(INT64_MAX) - 1) < INT64_MAX,
	    "the largest file");
}

static void
whole_files(const char *path)
{
	static uint8_t macs[CHUNKS][16];

	for (size_t i = 0; i < NVEC; i++) {
		const size_t n = (size_t)vec[i].size;
		uint8_t *p = place(plain, n), blob[KEY_FILE_SIZE];
		struct filekey k;

		crypt_at_once(p, vec[i].size, macs, 1);
		ok(chunk_count(vec[i].size) == vec[i].chunks &&
		    has_sha256(p, n, vec[i].sha256),
		    "%s: %zu bytes encrypted", path, n);
		ok(has_meta((const uint8_t (*)[16])macs, vec[i].chunks,
		    vec[i].meta), "%s: their MAC", path);

		memcpy(k.key, key, sizeof k.key);
		memcpy(k.nonce, nonce, sizeof k.nonce);
		chunk_condense(k.mac, &aes, (const uint8_t (*)[16])macs,
		    vec[i].chunks);
		key_pack_file(blob, &k);
		ok(same(blob, sizeof blob, vec[i].packed),
		    "%s: their key", path);

		memset(macs, 0, sizeof macs);
		crypt_at_once(p, vec[i].size, macs, 0);
		ok(memcmp(p, plain, n) == 0 &&
		    has_meta((const uint8_t (*)[16])macs, vec[i].chunks,
		    vec[i].meta), "%s: and back", path);
	}
}

/* Chunks that share the lanes come out as they do alone. */
static void
together(const char *path)
{
	static const int64_t size[] = { 40, 131073, 131089, 3670021,
		LARGEST };
	static uint8_t want[CHUNKS][16], macs[CHUNKS][16];

	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		const size_t n = (size_t)size[i];
		const size_t nmacs = 16 * (size_t)chunk_count(size[i]);
		int right = 1;

		memcpy(cipher, plain, n);
		crypt_some(cipher, size[i], want, 1, 1);
		for (unsigned most = 3; most <= CHUNKS; most *= 5) {
			uint8_t *p = place(plain, n);

			memset(macs, 0, sizeof macs);
			crypt_some(p, size[i], macs, most, 1);
			right &= memcmp(p, cipher, n) == 0 &&
			    memcmp(macs, want, nmacs) == 0;
			memset(macs, 0, sizeof macs);
			crypt_some(p, size[i], macs, most, 0);
			right &= memcmp(p, plain, n) == 0 &&
			    memcmp(macs, want, nmacs) == 0;
		}
		ok(right, "%s: %zu bytes, some chunks at a time", path, n);
	}
	memcpy(cipher, plain, 131089);
	crypt_at_once(cipher, 131089, macs, 1);
	ok(has_meta((const uint8_t (*)[16])macs, 2, "2720e03c6f02d9a6"),
	    "%s: the MAC of 131089 bytes", path);
}

static void
chunk_macs(const char *path)
{
	static uint8_t macs[CHUNKS][16];
	struct chunk_job jobs[NCHUNK];
	int right = 1;

	memcpy(cipher, plain, LARGEST);
	crypt_at_once(cipher, LARGEST, macs, 1);
	for (size_t i = 0; i < NCHUNK; i++)
		right &= same(macs[i], 16, chunk[i].mac);
	ok(right, "%s: the MAC of each chunk", path);

	for (size_t i = 0; i < NCHUNK; i++)
		jobs[i] = (struct chunk_job){ .p = space + chunk[i].start,
		    .n = (size_t)chunk[i].len, .start = chunk[i].start };
	memcpy(space, plain, LARGEST);
	chunk_crypt_jobs(&aes, nonce, jobs, NCHUNK, 1);
	for (size_t i = 0; i < NCHUNK; i++)
		right &= same(jobs[i].mac, 16, chunk[i].mac);
	ok(right && memcmp(space, cipher, LARGEST) == 0,
	    "%s: chunks as jobs", path);
	chunk_crypt_jobs(&aes, nonce, jobs, NCHUNK, 0);
	for (size_t i = 0; i < NCHUNK; i++)
		right &= same(jobs[i].mac, 16, chunk[i].mac);
	ok(right && memcmp(space, plain, LARGEST) == 0,
	    "%s: and back", path);

	memset(space, 0, 32);
	jobs[0] = (struct chunk_job){ .p = space, .n = 16,
	    .start = 64LL << 30 };
	jobs[1] = (struct chunk_job){ .p = space + 16, .n = 15,
	    .start = 1LL << 40 };
	chunk_crypt_jobs(&aes, nonce, jobs, 2, 0);
	ok(same(space, 32, "2d44d7ad88668f2ed29daf1871a580f2"
	    "c744dc0713cbf9717cc8d33c8dd5a100"),
	    "%s: chunks at 64 GiB and 1 TiB", path);
}

/* What chunk_verify says of the MACs of a file. */
static int
verdict(const uint8_t (*macs)[16], int64_t size, const char *meta,
    const char **how)
{
	uint8_t m[KEY_META_SIZE];

	*how = NULL;
	unhex(m, meta);
	return chunk_verify(m, &aes, nonce, macs, size, how);
}

static void
verify(const char *path)
{
	static const struct {
		int64_t size;
		const char *meta, *who;
	} t[] = {
		{ LARGEST, "de2fdee19dcaf6ae", "the last chunk left out" },
		{ LARGEST, "5c66a62db5b4373f", "chunk 7 left out" },
		{ LARGEST, "c6a4a92cc1841d81", "chunks 3 and 6 left out" },
		{ 131057, "545e8e7e3072b606", "megajs" },
		{ 131071, "4285f954fb5c5bdc", "megajs" },
		{ 131072, "0188eada75534d3b", "megajs" },
		{ 393216, "1407270de25fec7a", "megajs" },
		{ 3670016, "2e45c01985f02dd2", "megajs" },
		{ 4718592, "d582e87291233ec5", "megajs" },
	};
	static uint8_t buf[CHUNKS][16];
	const uint8_t (*macs)[16] = (const uint8_t (*)[16])buf;
	const char *how;
	int right = 1;

	for (size_t i = 0; i < NVEC; i++) {
		memcpy(space, plain, (size_t)vec[i].size);
		crypt_at_once(space, vec[i].size, buf, 1);
		right &= verdict(macs, vec[i].size, vec[i].meta, &how) == 0;
		right &= how == NULL;
	}
	ok(right, "%s: right MACs", path);
	ok(verdict(macs, 0, "3794126e0746cb31", &how) == 0 &&
	    verdict(macs, 0, "674ff2bf8759a428", &how) == 0 && how == NULL,
	    "%s: an empty file may have any MAC", path);

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		memcpy(space, plain, (size_t)t[i].size);
		crypt_at_once(space, t[i].size, buf, 1);
		ok(verdict(macs, t[i].size, t[i].meta, &how) == 1 &&
		    how != NULL, "%s: %lld bytes, %s: %s", path,
		    (long long)t[i].size, t[i].who, how != NULL ? how : "");
	}

	memcpy(space, plain, LARGEST);
	space[LARGEST / 2] ^= 1;
	crypt_at_once(space, LARGEST, buf, 1);
	ok(verdict(macs, LARGEST, vec[NVEC - 1].meta, &how) == ERR_MAC &&
	    how == NULL, "%s: a changed bit", path);
	memcpy(buf[NCHUNK], nonce, 8);
	memcpy(buf[NCHUNK] + 8, nonce, 8);
	chunk_condense(space, &aes, macs, NCHUNK + 1);
	ok(chunk_verify(space, &aes, nonce, macs, LARGEST, &how) == ERR_MAC,
	    "%s: a chunk too many where megajs had none", path);
}

#define MANY 200 /* chunks, more than any search looks at */

struct run {
	unsigned at, len;
};

/* Whether the MAC of many chunks but those of two runs is accepted. */
static int
accepts(struct run a, struct run b)
{
	static uint8_t macs[MANY][16], rest[MANY][16];
	uint8_t meta[KEY_META_SIZE];
	const char *how;
	unsigned n = 0;

	for (unsigned i = 0; i < MANY; i++) {
		memcpy(macs[i], plain + 16 * i, 16);
		if (i - a.at >= a.len && i - b.at >= b.len)
			memcpy(rest[n++], macs[i], 16);
	}
	chunk_condense(meta, &aes, (const uint8_t (*)[16])rest, n);
	return chunk_verify(meta, &aes, nonce, (const uint8_t (*)[16])macs,
	    chunk_start(MANY) - 100, &how) == 1;
}

static void
search(const char *path)
{
	static const struct {
		struct run a, b;
	} yes[] = {
		{ { MANY - 96, 64 }, { 0, 0 } }, { { MANY - 96, 1 }, { 0, 0 } },
		{ { MANY - 64, 64 }, { 0, 0 } }, { { MANY - 1, 1 }, { 0, 0 } },
		{ { MANY - 40, 16 }, { MANY - 16, 16 } },
		{ { MANY - 40, 1 }, { MANY - 38, 1 } },
		{ { MANY - 3, 1 }, { MANY - 1, 1 } },
		{ { MANY - 33, 16 }, { MANY - 16, 16 } },
	}, no[] = {
		{ { MANY - 97, 1 }, { 0, 0 } }, { { MANY - 96, 65 }, { 0, 0 } },
		{ { MANY - 41, 1 }, { MANY - 1, 1 } },
		{ { MANY - 40, 17 }, { MANY - 1, 1 } },
		{ { MANY - 40, 1 }, { MANY - 17, 17 } },
	};
	int right = 1;

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		right &= accepts(yes[i].a, yes[i].b);
	ok(right, "%s: runs of chunks that may have been left out", path);
	right = 1;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		right &= !accepts(no[i].a, no[i].b);
	ok(right, "%s: and those that go too far", path);
}

static int
has_sum(const uint8_t *p, size_t n, const char *want)
{
	struct chunk_sum s = { 0 };
	size_t k;

	while (n > 0) {
		k = random_below(100000);
		if (k > n)
			k = n;
		chunk_sum_add(&s, p, k);
		p += k;
		n -= k;
	}
	return same(s.sum, sizeof s.sum, want);
}

static void
sums(void)
{
	int right = 1;

	memcpy(cipher, plain, LARGEST);
	aes_ctr(&aes, cipher, cipher, LARGEST, nonce, 0);
	for (size_t i = 0; i < NVEC; i++)
		right &= has_sum(cipher, (size_t)vec[i].size, vec[i].sum);
	ok(right, "checksums of whole files");
	right = 1;
	for (size_t i = 0; i < NCHUNK; i++)
		right &= has_sum(cipher + chunk[i].start,
		    (size_t)chunk[i].len, chunk[i].sum);
	ok(right, "checksums of chunks");
	ok(has_sum(cipher + 131072, 1, "3e0000000000000000000000") &&
	    has_sum(cipher + 3670016, 5, "cfc778758500000000000000"),
	    "checksums of a few bytes");
	ok(has_sum(cipher, 393216, "b18c22cf9c652134f425114e") &&
	    has_sum(cipher + 131072, 1966080 - 131072,
	    "0224bb792fe08f52b8291a69"), "checksums of several chunks");
}

int
main(void)
{
	const char *const *path;

	for (size_t i = 0; i < LARGEST; i++)
		plain[i] = (uint8_t)(167 * i + 13 * (i / 256) + 41);
	unhex(key, "2b7e151628aed2a6abf7158809cf4f3c");
	unhex(nonce, "f0e1d2c3b4a59687");

	boundaries();
	for (path = aes_paths(); *path != NULL; path++) {
		ok(aes_select(*path) == 0, "%s", *path);
		aes_init(&aes, key);
		whole_files(*path);
		together(*path);
		chunk_macs(*path);
		verify(*path);
		search(*path);
	}
	sums();
	return done();
}
