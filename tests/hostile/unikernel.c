/* SPDX-License-Identifier: MIT */
/* Guests that make the eight calls of a unikernel with everything that these do not expect. */
#include <string.h>

#include <hatch/handlers/unikernel.h>

#include "arena.h"

#define SECTOR	  512
#define SECTORS	  64
#define GUARD	  4096 /* bytes around the disk that stay as they are */
#define CALLS	  2000 /* of one run */
#define RUNS	  60
#define TABLE	  WORLD_DATA
#define READ_ONLY UINT64_C(0x90000000) /* a page that is lent for reading */
#define FUNCTIONS 10		       /* two that there are not */

static struct world w;
static struct hatch_unikernel u;
static uint8_t disk[GUARD + SECTOR * SECTORS + GUARD];
static _Alignas(HATCH_PAGE_SIZE) uint64_t lent[HATCH_PAGE_SIZE / 8];
static uint64_t now;
static struct {
	unsigned int calls, waits, halted, quit;
	uint64_t bytes;
} tally;

/* s2: a table of calls, s3: how many: function and three arguments each. Ends with 0. */
GUEST(caller, "1:	ld a6, 0(s2)\n"
	      "	ld a0, 8(s2)\n"
	      "	ld a1, 16(s2)\n"
	      "	ld a2, 24(s2)\n"
	      "	li a7, 0x08554e49\n"
	      "	ecall\n"
	      "	addi s2, s2, 32\n"
	      "	addi s3, s3, -1\n"
	      "	bnez s3, 1b\n"
	      "	li a0, 0\n"
	      "	quit\n");

static uint64_t wall_ns(void *arg)
{
	(void)arg;
	return now == UINT64_MAX ? now : now++;
}

/* Nothing of the host comes out. */
static void write(void *arg, const void *bytes, size_t size)
{
	uint64_t word;

	(void)arg;
	tally.bytes += size;
	for (size_t at = 0; at + sizeof(word) <= size; at++) {
		memcpy(&word, (const uint8_t *)bytes + at, sizeof(word));
		check_that(word != CHECK_CANARY, __LINE__, "the host's canary was printed");
	}
}

static uint64_t bait(void)
{
	static const uint64_t places[] = {
		READ_ONLY,
		READ_ONLY - 1,
		READ_ONLY + HATCH_PAGE_SIZE - 64,
		WORLD_RAM + HATCH_PAGE_SIZE - 256, /* begins in the code, which is read-only too */
		WORLD_RAM + WORLD_RAM_SIZE - SECTOR,
		WORLD_DATA + 3,
		SECTOR,
		SECTORS,
		SECTORS - 1,
		UINT64_MAX / SECTOR,
		UINT64_MAX / SECTOR + 1,
		HATCH_UNIKERNEL_TRANSFER,
		HATCH_UNIKERNEL_FRAME_MAX,
		UINT64_MAX - SECTOR + 1,
	};
	uint64_t n = check_random();

	if (n >> 62 == 0)
		return arena_bait();
	if (n >> 62 == 1)
		return n % (8 * SECTOR);
	return n >> 62 == 2 ? WORLD_DATA + n % 0x70000
			    : places[n % (sizeof(places) / sizeof(places[0]))];
}

static void fill_table(void)
{
	uint64_t table[4];

	for (unsigned int i = 0; i < CALLS; i++) {
		table[0] = check_random() % FUNCTIONS;
		/* One end in a hundred is enough. */
		if (table[0] == HATCH_UNIKERNEL_HALT && check_random() % 64)
			table[0] = check_random();
		for (unsigned int n = 1; n < 4; n++)
			table[n] = bait();
		world_write(&w, TABLE + i * sizeof(table), table, sizeof(table));
	}
}

static void begin(void)
{
	world_of(&w, caller);
	expect_equal(hatch_gstage_protect(&w.guest.stage, hatch_gpa_of(WORLD_RAM), HATCH_PAGE_SIZE,
					  HATCH_PROT_READ | HATCH_PROT_EXEC),
		     0);
	for (size_t i = 0; i < sizeof(lent) / sizeof(lent[0]); i++)
		lent[i] = i * 0x9e3779b97f4a7c15;
	expect_equal(hatch_guest_lend(&w.guest, hatch_gpa_of(READ_ONLY), lent, sizeof(lent),
				      HATCH_PROT_READ),
		     0);
	memset(disk, 0x5a, sizeof(disk));
	memset(&tally, 0, sizeof(tally));
	now = 0;
}

static void expect_untouched(void)
{
	for (size_t i = 0; i < GUARD; i++)
		if (disk[i] != 0x5a || disk[GUARD + SECTOR * SECTORS + i] != 0x5a) {
			expect(!"the guest wrote beside its disk");
			break;
		}
	for (size_t i = 0; i < sizeof(lent) / sizeof(lent[0]); i++)
		if (lent[i] != i * 0x9e3779b97f4a7c15) {
			expect(!"the guest wrote where it may read only");
			break;
		}
}

static bool loop_back(void *arg, const void *frame, size_t size)
{
	return check_random() % 4 && hatch_unikernel_receive(arg, frame, size);
}

/* Plays the table to its end. Whoever waits is run again, when it is time and before. */
static void play(void)
{
	unsigned int left = 4 * CALLS;

	now = 0;
	world_again(&w, 0, 0);
	hatch_unikernel_init(&u, wall_ns, NULL);
	u.write = write;
	u.net.send = loop_back;
	u.net.arg = &u;
	expect_equal(hatch_unikernel_disk(&u, disk + GUARD, SECTOR, SECTORS), 0);
	expect_equal(hatch_unikernel_add(&u, &w.t.scope), 0);
	w.vcpu.frame.x[18] = TABLE;
	w.vcpu.frame.x[19] = CALLS;
	while (world_run(&w) == HATCH_UNWOUND && hatch_unikernel_waits(&u) && left--) {
		expect_equal(w.t.status, HATCH_UNIKERNEL_WAITS);
		now = check_random() % 2 ? u.state.until : now;
		tally.waits++;
	}
	expect_outcome(&w, HATCH_DONE);
	tally.calls += CALLS - (unsigned int)w.vcpu.frame.x[19];
	if (w.vcpu.frame.x[19])
		tally.halted++;
	else
		tally.quit++;
}

static void calls(void)
{
	begin();
	check_seed(43);
	for (unsigned int i = 0; i < RUNS; i++) {
		fill_table();
		play();
		expect_untouched();
	}
	check_say("%u calls, %u waits, %u halted, %u ran to the end; %llu bytes printed",
		  tally.calls, tally.waits, tally.halted, tally.quit,
		  (unsigned long long)tally.bytes);
	expect(tally.calls > RUNS * CALLS / 10);
	expect(tally.waits && tally.halted && tally.bytes);
	world_end(&w);
}

/* Until the end of all time: whoever runs it too early gets the same call again. */
static void endless_poll(void)
{
	const uint64_t table[2][4] = { { HATCH_UNIKERNEL_POLL, UINT64_MAX },
				       { HATCH_UNIKERNEL_HALT, 7 } };

	begin();
	world_write(&w, TABLE, table, sizeof(table));
	world_again(&w, 0, 0);
	hatch_unikernel_init(&u, wall_ns, NULL);
	expect_equal(hatch_unikernel_add(&u, &w.t.scope), 0);
	w.vcpu.frame.x[18] = TABLE;
	w.vcpu.frame.x[19] = 2;
	for (unsigned int i = 0; i < 1000; i++) {
		world_run(&w);
		expect_outcome(&w, HATCH_UNWOUND);
		expect(hatch_unikernel_waits(&u) && !hatch_unikernel_ready(&u));
		expect_equal(w.vcpu.frame.x[19], 2);
	}
	now = UINT64_MAX;
	expect(hatch_unikernel_ready(&u));
	expect_done(&w, 7);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = { CHECK(calls), CHECK(endless_poll) };

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
