/* SPDX-License-Identifier: MIT */
/*
 * Registers: what a fresh vcpu sees, what survives an exit, what one guest never sees of another
 * or of the host.
 */
#include <hatch/board.h>

#include "world.h"

static struct world w;

GUEST(at_once, "	ebreak\n"
	       "	quit\n");

static enum hatch_verdict on_break(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

static void fresh_registers_are_zero(void)
{
	struct hatch_catch stop = HATCH_ON_BREAKPOINT(on_break, NULL);

	world_of(&w, at_once);
	hatch_vcpu_reset(&w.vcpu, hatch_gpa_of(WORLD_RAM), 3, 0x1234);
	world_catch(&w, &stop);
	world_run(&w);
	expect_outcome(&w, HATCH_UNWOUND);
	for (unsigned int i = 0; i < 32; i++)
		check_equal(w.vcpu.frame.x[i],
			    i == 10   ? 3
			    : i == 11 ? 0x1234
				      : 0,
			    __LINE__, "a register of a fresh vcpu");
	expect_equal(w.vcpu.vs.vsatp, 0);
	expect_equal(w.vcpu.vs.vsscratch, 0);
	expect_equal(w.vcpu.vs.vsie, 0);
	expect_equal(w.vcpu.hvip, 0);
	world_end(&w);
}

GUEST(clock_reader, "	rdtime a0\n"
		    "	quit\n");

static void time_starts_near_zero(void)
{
	uint64_t earlier, before = hatch_board_ticks();

	world_of(&w, clock_reader);
	world_run(&w);
	expect_outcome(&w, HATCH_DONE);
	earlier = (uint64_t)w.t.status;
	expect(earlier <= hatch_board_ticks() - before);
	world_again(&w, 0, 0);
	world_run(&w);
	expect((uint64_t)w.t.status > earlier); /* a reset does not set the clock back */
	expect(hatch_vcpu_time(&w.vcpu) >= (uint64_t)w.t.status);
	world_end(&w);
}

/* ---- floating point ----------------------------------------------------------------------- */

#define EACH_F(op, offset)                                                                         \
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"                          \
	"	" op " f\\n, (\\n * 8 + " #offset ")(a1)\n"                                        \
	"	.endr\n"                                                                                 \
	"	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"                \
	"	" op " f\\n, (\\n * 8 + " #offset ")(a1)\n"                                        \
	"	.endr\n"

/*
 * Stores its f registers and fcsr at a1 and loads others; the same again after each of three
 * calls. Floating point is on: sstatus.FS is set first.
 */
GUEST(fp_user,
      "	li t0, 0x6000\n"
      "	csrs sstatus, t0\n"
      "	li s1, 4\n"
      "1:\n" EACH_F("fsd", 0) "	frcsr t0\n"
			      "	sd t0, 256(a1)\n" EACH_F("fld", 512) "	li t0, 0x61\n"
								     "	fscsr t0\n"
								     "	mv a0, s1\n"
								     "	ask 1\n"
								     "	addi s1, s1, -1\n"
								     "	bnez s1, 1b\n"
								     "	li a0, 0\n"
								     "	quit\n");

#define FP_VALUE(n) (UINT64_C(0x4000000000000000) + (n)*UINT64_C(0x0001000100010001))

static void fp_prepare(struct world *world)
{
	world_of(world, fp_user);
	for (uint64_t i = 0; i < 32; i++)
		world_write(world, WORLD_DATA + 512 + 8 * i, &(uint64_t){ FP_VALUE(i) }, 8);
	hatch_vcpu_reset(&world->vcpu, hatch_gpa_of(WORLD_RAM), 0, WORLD_DATA);
}

static void fp_expect(struct world *world, bool fresh)
{
	for (uint64_t i = 0; i < 32; i++)
		check_equal(world_read(world, WORLD_DATA + 8 * i), fresh ? 0 : FP_VALUE(i),
			    __LINE__, "an f register");
	expect_equal(world_read(world, WORLD_DATA + 256), fresh ? 0 : 0x61);
}

enum host_fp {
	HOST_FP_NEVER,
	HOST_FP_ALWAYS,
	HOST_FP_SOMETIMES,
};

struct fp_run {
	enum host_fp use;
	bool first;
	double sum;
};

static double compute(double x)
{
	for (int i = 0; i < 10; i++)
		x = x * 1.25 + 0.5;
	return x;
}

static enum hatch_verdict on_fp_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct fp_run *run = arg;
	bool use = run->use == HOST_FP_ALWAYS ||
		   (run->use == HOST_FP_SOMETIMES && ev->hypercall.arg[0] % 2);

	fp_expect(&w, run->first);
	run->first = false;
	if (use)
		run->sum += compute((double)ev->hypercall.arg[0]);
	return hatch_resume(k, 0);
}

static void fp_with_host(enum host_fp use)
{
	struct fp_run run = { .use = use, .first = true };
	struct hatch_catch clause = HATCH_ON_HYPERCALL(WORLD_EID, on_fp_call, &run);

	fp_prepare(&w);
	world_catch(&w, &clause);
	expect_done(&w, 0);
	if (use == HOST_FP_ALWAYS)
		expect(run.sum == compute(4) + compute(3) + compute(2) + compute(1));
	world_end(&w);
}

static void fp_survives_exits(void)
{
	fp_with_host(HOST_FP_NEVER);
}

static void fp_survives_a_host_that_uses_it(void)
{
	fp_with_host(HOST_FP_ALWAYS);
	fp_with_host(HOST_FP_SOMETIMES);
}

static enum hatch_verdict on_swap(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

/* Two guests take turns; each finds what it left, and at first nothing. */
static void fp_of_two_guests_stays_apart(void)
{
	static struct world pair[2];
	struct hatch_catch swap[2];

	for (unsigned int i = 0; i < 2; i++) {
		fp_prepare(&pair[i]);
		swap[i] = HATCH_ON_HYPERCALL(WORLD_EID, on_swap, NULL);
		world_catch(&pair[i], &swap[i]);
	}
	for (unsigned int turn = 0; turn < 3; turn++) {
		for (unsigned int i = 0; i < 2; i++) {
			world_run(&pair[i]);
			expect_outcome(&pair[i], HATCH_UNWOUND);
			fp_expect(&pair[i], turn == 0);
			pair[i].vcpu.frame.pc += 4; /* over the call */
		}
	}
	world_end(&pair[0]);
	world_end(&pair[1]);
}

/* hatch_try_run is a function: what its caller holds in registers is there afterwards. */
static void fp_of_the_host_survives_a_run(void)
{
	register double kept __asm__("fs3") = 1.0 + (double)hatch_board_memory_free();
	double expected = 1.0 + (double)hatch_board_memory_free();

	__asm__ volatile("" : "+f"(kept));
	fp_with_host(HOST_FP_NEVER);
	__asm__ volatile("" : "+f"(kept));
	expect(kept == expected);
}

/* ---- integer registers -------------------------------------------------------------------- */

/* Every register but x0, a0, a6 and a7 holds its number; after the call they are checked. */
GUEST(register_user, "	.macro each_register action\n"
		     "	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 18, 19, 20, 21, 22\n"
		     "	\\action \\n\n"
		     "	.endr\n"
		     "	.irp n, 23, 24, 25, 26, 27, 28, 29, 30\n"
		     "	\\action \\n\n"
		     "	.endr\n"
		     "	.endm\n"
		     "	.macro set_register n\n"
		     "	li x\\n, 1000 + \\n\n"
		     "	.endm\n"
		     "	.macro test_register n\n"
		     "	addi x\\n, x\\n, -1000 - \\n\n"
		     "	or x31, x31, x\\n\n"
		     "	.endm\n"
		     "	each_register set_register\n"
		     "	li x11, 3\n"
		     "1:	ask 1\n"
		     "	li x31, 0x10000000\n"
		     "	lw x16, 0(x31)\n"
		     "	lw x31, 4(x31)\n"
		     "	addi x11, x11, -1\n"
		     "	bnez x11, 1b\n"
		     "	li x31, 0\n"
		     "	each_register test_register\n"
		     "	mv a0, x31\n"
		     "	quit\n");

static enum hatch_verdict on_registers(void *arg, const struct hatch_event *ev,
				       struct hatch_cont *k)
{
	const struct hatch_catch *clause = arg;

	(void)ev;
	for (unsigned int n = 1; n < 31; n++) {
		uint64_t value = 0;
		int error = hatch_cont_get(k, n, &value);

		if (n == 10 || n == 11 || n == 16 || n == 17)
			continue;
		if (clause->registers)
			expect_equal(error, 0);
		else
			expect(error == 0 || error == HATCH_EINVAL);
		if (!error)
			check_equal(value, 1000 + n, __LINE__, "a guest register");
	}
	expect_equal(hatch_cont_get(k, 32, &(uint64_t){ 0 }), HATCH_EINVAL);
	return hatch_resume(k, 0);
}

static enum hatch_verdict on_word(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_resume(k, 5);
}

static void registers_survive_exits_and_are_told_right(void)
{
	for (unsigned int all = 0; all <= 1; all++) {
		struct hatch_catch call, word = HATCH_ON_MMIO(WORLD_DEVICE, 8, on_word, NULL);

		call = HATCH_ON_HYPERCALL(WORLD_EID, on_registers, &call);
		call.registers = all;
		world_of(&w, register_user);
		world_catch(&w, &call);
		world_catch(&w, &word);
		expect_done(&w, 0);
		world_end(&w);
	}
}

/* Asks three times; the host changes s5, which must be seen. */
GUEST(changed, "	li s1, 3\n"
	       "	li s5, 1\n"
	       "1:	ask 1\n"
	       "	addi s1, s1, -1\n"
	       "	bnez s1, 1b\n"
	       "	mv a0, s5\n"
	       "	quit\n");

static enum hatch_verdict on_change(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t value;

	(void)arg;
	(void)ev;
	expect_equal(hatch_cont_get(k, 21, &value), 0);
	expect_equal(hatch_cont_set(k, 21, value * 10), 0);
	expect_equal(hatch_cont_set(k, 0, 7), 0);
	return hatch_resume(k, 0);
}

static void handler_changes_a_register(void)
{
	struct hatch_catch change = HATCH_ON_HYPERCALL(WORLD_EID, on_change, NULL);

	change.registers = true;
	world_of(&w, changed);
	world_catch(&w, &change);
	expect_done(&w, 1000);
	expect_equal(w.vcpu.frame.x[0], 0);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(fresh_registers_are_zero),
		CHECK(time_starts_near_zero),
		CHECK(fp_survives_exits),
		CHECK(fp_survives_a_host_that_uses_it),
		CHECK(fp_of_two_guests_stays_apart),
		CHECK(fp_of_the_host_survives_a_run),
		CHECK(registers_survive_exits_and_are_told_right),
		CHECK(handler_changes_a_register),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
