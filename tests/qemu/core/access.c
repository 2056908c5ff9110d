/* SPDX-License-Identifier: MIT */
/*
 * What a handler does in the guest's place: accesses with the guest's translation and rights, and
 * floating-point registers. The instructions of Zcb serve as examples: where the CPU has them
 * after all, everything must look the same.
 */
#include <hatch/board.h>
#include <hatch/handlers/demand.h>
#include <hatch/handlers/isa.h>

#include "world.h"

#define PAGE	      4096
#define LAZY	      UINT64_C(0x90000000) /* guest-physical: RAM without pages */
#define TABLE	      WORLD_DATA	   /* the guest's page tables */
#define DATA	      (WORLD_DATA + 0x8000)
#define CONTENT	      UINT64_C(0x8192a3b4c5d6e7f8)

/* The guest's pages, guest-virtual. */
#define FOR_USER      UINT64_C(0x1000)
#define FOR_READING   UINT64_C(0x2000)
#define ABSENT	      UINT64_C(0x3000)
#define ON_DEMAND     UINT64_C(0x4000)
#define DEVICE	      UINT64_C(0x5000)
#define FOR_KERNEL    UINT64_C(0x6000)
#define FOR_FETCHING  UINT64_C(0x7000)
#define CODE	      UINT64_C(0x8000) /* user's view of it */
#define BEHIND_A_WALK UINT64_C(0x40000000)

/* Bits of a page-table entry (Privileged ISA 20240411, 10.4.1). */
enum {
	V = 1,
	R = 2,
	W = 4,
	X = 8,
	U = 16,
	AD = 0xc0,
};

/* c.lbu, c.lhu, c.lh a3, 0(s0); c.sb, c.sh a3, 0(s0) */
#define LBU 0x8014
#define LHU 0x8414
#define LH  0x8454
#define SB  0x8814
#define SH  0x8c14

static struct world w;
static struct hatch_emulator emulator;
static struct hatch_demand demand;

/* The instruction comes first. Whatever traps to the guest itself is in s1, s2 and s3. */
GUEST(probe, "	.word 0\n"
	     "	ebreak\n"
	     "	.balign 16\n"
	     "	csrr s1, scause\n"
	     "	csrr s2, stval\n"
	     "	csrr s3, sepc\n"
	     "	li a0, 0\n"
	     "	quit\n");

#define SEEN_CAUSE w.vcpu.frame.x[9]
#define SEEN_TVAL  w.vcpu.frame.x[18]
#define SEEN_PC	   w.vcpu.frame.x[19]
#define LOADED	   w.vcpu.frame.x[13]

static void set_entry(uint64_t table, unsigned int index, uint64_t gpa, unsigned int bits)
{
	world_write(&w, table + index * 8, &(uint64_t){ gpa >> 12 << 10 | bits }, 8);
}

static void make_tables(void)
{
	const uint64_t low = TABLE + PAGE, lowest = TABLE + 2 * PAGE;

	set_entry(TABLE, 0, low, V);
	set_entry(TABLE, 1, LAZY + PAGE, V);
	set_entry(TABLE, 2, WORLD_RAM, V | R | W | X | AD);
	set_entry(low, 0, lowest, V);
	set_entry(lowest, FOR_USER / PAGE, DATA, V | R | W | U | AD);
	set_entry(lowest, FOR_READING / PAGE, DATA + PAGE, V | R | U | AD);
	set_entry(lowest, ON_DEMAND / PAGE, LAZY, V | R | W | U | AD);
	set_entry(lowest, DEVICE / PAGE, WORLD_DEVICE, V | R | W | U | AD);
	set_entry(lowest, FOR_KERNEL / PAGE, DATA, V | R | W | AD);
	set_entry(lowest, FOR_FETCHING / PAGE, DATA, V | X | U | AD);
	set_entry(lowest, CODE / PAGE, WORLD_RAM, V | R | X | U | AD);
}

static void begin(void)
{
	world_of(&w, probe);
	make_tables();
	expect_equal(hatch_demand_init(&demand, &w.guest, hatch_gpa_of(LAZY), 16 * PAGE, PAGE,
				       16 * PAGE),
		     0);
}

static void end(void)
{
	hatch_demand_fini(&demand);
	world_end(&w);
}

/* Puts the instruction to the start, in VS- or VU-mode with translation on; s0 is `at`. */
static void prepare(uint32_t insn, bool user, uint64_t at, uint64_t status)
{
	uint32_t word = (insn & 3) == 3 ? insn : insn | 0x00010000;

	world_write(&w, WORLD_RAM, &word, sizeof(word));
	world_write(&w, DATA + 8, &(uint64_t){ CONTENT }, 8);
	world_again(&w, 0, 0);
	expect_equal(hatch_emulator_init(&emulator, "all"), 0);
	expect_equal(hatch_emulator_add(&emulator, &w.t.scope), 0);
	w.vcpu.frame.x[8] = at;
	w.vcpu.frame.x[13] = 0x1234567890abcdef;
	w.vcpu.vs.vstvec = WORLD_RAM + 16;
	w.vcpu.vs.vsatp = UINT64_C(8) << 60 | TABLE >> 12;
	w.vcpu.vs.vsstatus |= status;
	if (user) {
		w.vcpu.frame.pc = CODE;
		w.vcpu.frame.sstatus &= ~SSTATUS_SPP;
	}
}

/* ---- the guest's own rights --------------------------------------------------------------- */

struct access {
	uint32_t insn;
	bool user;
	uint64_t at, status;
	uint64_t cause, tval; /* that the guest itself sees */
	uint64_t loaded;
};

#define GOES_ON CAUSE_BREAKPOINT, 0
#define LEFT	UINT64_C(0x1234567890abcdef)

static const struct access accesses[] = {
	{ LBU, false, FOR_KERNEL + 8, 0, GOES_ON, 0xf8 },
	{ LHU, false, FOR_KERNEL + 8, 0, GOES_ON, 0xe7f8 },
	{ LH, false, FOR_KERNEL + 8, 0, GOES_ON, UINT64_C(0xffffffffffffe7f8) },
	{ LH, false, FOR_KERNEL + 9, 0, GOES_ON, UINT64_C(0xffffffffffffd6e7) },
	{ LBU, false, FOR_USER + 8, SSTATUS_SUM, GOES_ON, 0xf8 },
	{ LBU, true, FOR_USER + 8, 0, GOES_ON, 0xf8 },
	{ LBU, true, FOR_KERNEL + 8, 0, CAUSE_LOAD_PAGE_FAULT, FOR_KERNEL + 8, LEFT },
	{ SH, true, FOR_KERNEL + 8, 0, CAUSE_STORE_PAGE_FAULT, FOR_KERNEL + 8, LEFT },
	{ SB, true, FOR_READING + 8, 0, CAUSE_STORE_PAGE_FAULT, FOR_READING + 8, LEFT },
	{ LHU, true, ABSENT + 8, 0, CAUSE_LOAD_PAGE_FAULT, ABSENT + 8, LEFT },
	{ SH, true, ABSENT, 0, CAUSE_STORE_PAGE_FAULT, ABSENT, LEFT },
	{ LBU, true, FOR_FETCHING + 8, 0, CAUSE_LOAD_PAGE_FAULT, FOR_FETCHING + 8, LEFT },
	{ LHU, true, FOR_READING - 1, 0, GOES_ON, 0 },
	{ SH, true, FOR_READING - 1, 0, CAUSE_STORE_PAGE_FAULT, FOR_READING, LEFT },
	{ LBU, true, UINT64_C(1) << 62, 0, CAUSE_LOAD_PAGE_FAULT, UINT64_C(1) << 62, LEFT },
};

static void rights_of_the_guest(void)
{
	begin();
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		const struct access *a = &accesses[i];

		prepare(a->insn, a->user, a->at, a->status);
		expect_done(&w, 0);
		check_that(SEEN_CAUSE == a->cause &&
				   (a->cause == CAUSE_BREAKPOINT || SEEN_TVAL == a->tval),
			   __LINE__, "access %zu: cause %llu at 0x%llx", i,
			   (unsigned long long)SEEN_CAUSE, (unsigned long long)SEEN_TVAL);
		if (a->insn != SB && a->insn != SH)
			check_equal(LOADED, a->loaded, __LINE__, "what was loaded");
		expect_equal(SEEN_PC,
			     (a->user ? CODE : WORLD_RAM) + (a->cause == CAUSE_BREAKPOINT ? 4 : 0));
	}
	end();
}

/* The hlv of QEMU 7.2, which is older than Svadu, does as if SUM were always set, MXR never. */
static void sum_and_mxr(void)
{
	if (!(hatch_hart_facts()->henvcfg & HENVCFG_ADUE)) {
		check_say("this machine's hlv ignores SUM and MXR: nothing to check");
		return;
	}
	begin();
	prepare(SB, false, FOR_USER + 8, 0);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_STORE_PAGE_FAULT);
	expect_equal(world_read(&w, DATA + 8), CONTENT);
	prepare(LBU, true, FOR_FETCHING + 8, SSTATUS_MXR);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_BREAKPOINT);
	expect_equal(LOADED, 0xf8);
	end();
}

static void stores(void)
{
	begin();
	prepare(SB, true, FOR_USER + 8, 0);
	expect_done(&w, 0);
	expect_equal(world_read(&w, DATA + 8), (CONTENT & ~UINT64_C(0xff)) | 0xef);
	prepare(SH, true, FOR_USER + 11, 0);
	expect_done(&w, 0);
	expect_equal(world_read(&w, DATA + 8), UINT64_C(0x8192a3cdefd6e7f8));
	end();
}

/* ---- what the host gives ------------------------------------------------------------------ */

static void page_on_demand(void)
{
	begin();
	for (unsigned int i = 0; i < 2; i++) {
		prepare(i ? LBU : SB, true, ON_DEMAND + 8, 0);
		world_catch(&w, &demand.clause);
		expect_done(&w, 0);
		expect_equal(SEEN_CAUSE, CAUSE_BREAKPOINT);
		expect_equal(demand.used, PAGE);
		expect_equal(hatch_catch_remove(&w.t.scope, &demand.clause), 0);
	}
	expect_equal(LOADED, 0xef);
	end();
}

/* The access needs a page table that is not there yet; when it is, it is empty. */
static void page_table_on_demand(void)
{
	begin();
	prepare(LBU, true, BEHIND_A_WALK, 0);
	world_catch(&w, &demand.clause);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_LOAD_PAGE_FAULT);
	expect_equal(SEEN_TVAL, BEHIND_A_WALK);
	expect_equal(demand.used, PAGE);
	end();
}

static void page_that_nobody_gives(void)
{
	begin();
	prepare(SH, false, ON_DEMAND + 8, SSTATUS_SUM);
	world_run(&w);
	expect_outcome(&w, HATCH_UNCAUGHT);
	expect_equal(w.t.event.kind, HATCH_PAGE);
	expect_equal(w.t.event.page.gpa.addr & -PAGE, LAZY);
	expect_equal(w.t.event.page.access, HATCH_STORE);
	expect_equal(w.vcpu.frame.pc, WORLD_RAM);
	end();
}

static struct hatch_event seen;

static enum hatch_verdict on_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	seen = *ev;
	return hatch_resume(k, CONTENT);
}

static void device_access(uint32_t insn, unsigned int width, bool write, uint64_t loaded)
{
	struct hatch_catch device = HATCH_ON_MMIO(WORLD_DEVICE, PAGE, on_device, NULL);

	seen.kind = HATCH_ANY;
	prepare(insn, true, DEVICE + 8, 0);
	world_catch(&w, &device);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_BREAKPOINT);
	expect_equal(seen.kind, HATCH_MMIO);
	expect_equal(seen.mmio.offset, 8);
	expect_equal(seen.mmio.width, width);
	expect_equal(seen.mmio.write, write);
	if (write)
		expect_equal(seen.mmio.value, width == 1 ? 0xef : 0xcdef);
	else
		expect_equal(LOADED, loaded);
}

static void device_registers(void)
{
	begin();
	device_access(LBU, 1, false, 0xf8);
	device_access(LHU, 2, false, 0xe7f8);
	device_access(LH, 2, false, UINT64_C(0xffffffffffffe7f8));
	device_access(SB, 1, true, 0);
	device_access(SH, 2, true, 0);
	end();
}

/* ---- floating point ----------------------------------------------------------------------- */

#define FLI_D_HALF 0xf2160653 /* fli.d fa2, 0.5 */
#define FROUND_BAD 0x42455653 /* fround.d fa2, fa0 with rounding mode 5 */
#define HALF	   UINT64_C(0x3fe0000000000000)

static void floating_point_is_off(void)
{
	begin();
	prepare(FLI_D_HALF, true, 0, 0);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_ILLEGAL_INSTRUCTION);
	expect_equal(SEEN_TVAL, FLI_D_HALF);
	end();
}

static void floating_point_becomes_dirty(void)
{
	begin();
	prepare(FLI_D_HALF, true, 0, SSTATUS_FS_CLEAN);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_BREAKPOINT);
	expect_equal(w.vcpu.fp[12], HALF);
	expect_equal(w.vcpu.vs.vsstatus & SSTATUS_FS, SSTATUS_FS_DIRTY);
	end();
}

static void rounding_mode_that_is_none(void)
{
	begin();
	prepare(FROUND_BAD, true, 0, SSTATUS_FS_CLEAN);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_ILLEGAL_INSTRUCTION);
	expect_equal(SEEN_TVAL, FROUND_BAD);
	prepare((FROUND_BAD & ~0x7000U) | 7 << 12, true, 0, SSTATUS_FS_CLEAN);
	w.vcpu.fcsr = 6 << 5;
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_ILLEGAL_INSTRUCTION);
	end();
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(rights_of_the_guest),
		CHECK(sum_and_mxr),
		CHECK(stores),
		CHECK(page_on_demand),
		CHECK(page_table_on_demand),
		CHECK(page_that_nobody_gives),
		CHECK(device_registers),
		CHECK(floating_point_is_off),
		CHECK(floating_point_becomes_dirty),
		CHECK(rounding_mode_that_is_none),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
