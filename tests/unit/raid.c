/* raid: the parts of a file, and the file from five of them. */

#include <tomcrypt.h>

#include "aes.h"
#include "raid.h"
#include "tap.h"

#define LARGEST 5242881
#define LINES(size) (((size_t)(size) + RAID_LINE - 1) / RAID_LINE)
#define SPACE   (LINES(LARGEST) * RAID_LINE)

static uint8_t file[SPACE], again[SPACE];
static uint8_t parts[RAID_PARTS][LINES(LARGEST) * RAID_SECTOR];

static void
sizes(void)
{
	static const struct {
		int64_t size, part[RAID_PARTS];
	} want[] = {
		{ 0, { 0, 0, 0, 0, 0, 0 } },
		{ 1, { 1, 1, 0, 0, 0, 0 } },
		{ 17, { 16, 16, 1, 0, 0, 0 } },
		{ 27, { 16, 16, 11, 0, 0, 0 } },
		{ 79, { 16, 16, 16, 16, 16, 15 } },
		{ 80, { 16, 16, 16, 16, 16, 16 } },
		{ 81, { 17, 17, 16, 16, 16, 16 } },
		{ 187, { 48, 48, 43, 32, 32, 32 } },
		{ 131072, { 26224, 26224, 26224, 26208, 26208, 26208 } },
		{ 5242881, { 1048577, 1048577, 1048576, 1048576, 1048576,
		    1048576 } },
	};

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		int good = 1;

		for (int part = 0; part < RAID_PARTS; part++)
			good &= raid_part_size(part, want[i].size) ==
			    want[i].part[part];
		ok(good, "parts of %lld bytes", (long long)want[i].size);
	}
	ok(raid_part_size(3, (int64_t)80 << 34) == (int64_t)16 << 34,
	    "parts of more than a tebibyte");
}

/* The test data of mega-protocol(7), encrypted if so wished. */
static void
prepare(size_t size, int encrypted)
{
	uint8_t key[16], nonce[8];
	struct aes aes;

	memset(file, 0, sizeof file);
	for (size_t i = 0; i < size; i++)
		file[i] = (uint8_t)(167 * i + 13 * (i / 256) + 41);
	if (encrypted) {
		unhex(key, "2b7e151628aed2a6abf7158809cf4f3c");
		unhex(nonce, "f0e1d2c3b4a59687");
		aes_init(&aes, key);
		aes_ctr(&aes, file, file, size, nonce, 0);
	}
	for (int part = 0; part < RAID_PARTS; part++)
		raid_split(parts[part], part, file, LINES(size));
}

/* The file comes together from five parts, whichever is missing. */
static void
joins(size_t size)
{
	for (int missing = 0; missing <= RAID_PARTS; missing++) {
		const uint8_t *from[RAID_PARTS];

		for (int part = 0; part < RAID_PARTS; part++)
			from[part] = part == missing ? NULL : parts[part];
		memset(again, 0xa5, sizeof again);
		raid_join(again, from, LINES(size));
		ok(memcmp(again, file, LINES(size) * RAID_LINE) == 0,
		    "%zu bytes without part %d", size, missing);
	}
}

/* The first 187 bytes of plain data. */
static void
small(void)
{
	static const char *const want[RAID_PARTS] = {
		"299037dec56cd37a6108af16bda44bb21900a74eb55c43ea51f89f862d943"
		"b2270909090b0f09090f0b070b65d04ab52",
		"29d0771ec56c13ba6108af56fda44bf25900a74ef59c43ea9138df862dd47"
		"b228930d77e25cc731ac1680fb65d04ab52",
		"9940e78e35dc832ad1781fc66d14bb62c97017be650cb35a01a84ff69d44e"
		"b92f9a047ee953ce38a31d87f",
		"09b057fea54cf39a41e88f36dd842bd239e0872ed57c23ca7118bf660db45"
		"b02",
		"7920c76e15bc630ab158ffa64df49b42a950f79e45ec933ae1882fd67d24c"
		"b72",
		"e99037de852cd37a21c86f16bd640bb219c0670eb55c03aa51f89f46ed943"
		"be2",
	};

	prepare(187, 0);
	for (int part = 0; part < RAID_PARTS; part++)
		ok(same(parts[part], (size_t)raid_part_size(part, 187),
		    want[part]), "bytes of part %d", part);
	joins(187);
}

static void
large(void)
{
	static const char *const want[RAID_PARTS] = {
		"201fe48db3e23352b005097b40d67bb2326d18513fba6f0e8238a0b7ed6f3"
		"939",
		"bf6ff5c3db8bae3956627016b233d6b8fa004109b942c6b14421e626798aa"
		"77f",
		"476fe10035709cac826a6db9d4a1dedb4abe978abb4d9e9ecf55d089e37ba"
		"4d9",
		"3de8b30224f903e6c6ca1be8ec3918bded0e6e710c618b08016308efe9d3a"
		"c85",
		"adc05747fb9efd2c380024ea2ae31fcbd0221694e860e21bda14376229077"
		"788",
		"d94fa7a158bc4b46f86afd6129a3321f72321881c16c10809d35a6474a226"
		"f73",
	};
	uint8_t sum[32];
	hash_state h;

	prepare(LARGEST, 1);
	for (int part = 0; part < RAID_PARTS; part++) {
		sha256_init(&h);
		sha256_process(&h, parts[part],
		    (unsigned long)raid_part_size(part, LARGEST));
		sha256_done(&h, sum);
		ok(same(sum, sizeof sum, want[part]), "sum of part %d", part);
	}
	joins(LARGEST);
}

int
main(void)
{
	sizes();
	small();
	large();
	return done();
}
