/* SPDX-License-Identifier: MIT */
/*
 * Tries within handlers: the outer guest notices nothing.
 */
#include <hatch/board.h>

#include "world.h"

#define DEPTH 8

/*
 * Loads its registers, FP registers and CSRs with values made from a1, makes three calls and
 * three accesses, and checks them after each. Ends with 0 if all are as they were, else
 * with the number of the check that failed.
 */
GUEST(careful, "	li t0, 0x6000\n"
	       "	csrs sstatus, t0\n"
	       "	mv s2, a1\n"
	       "	add s3, a1, a1\n"
	       "	not s4, a1\n"
	       "	mv gp, s4\n"
	       "	mv tp, s3\n"
	       "	mv sp, s2\n"
	       "	fmv.d.x fs0, s3\n"
	       "	fmv.d.x ft0, s4\n"
	       "	csrw sscratch, s2\n"
	       "	csrw sepc, s3\n"
	       "	csrw scause, s2\n"
	       "	csrw stval, s4\n"
	       "	la t0, 1f\n"
	       "	csrw stvec, t0\n"
	       "	li s5, 3\n"
	       "	li s6, 0x10000000\n"
	       "	.balign 4\n"
	       "1:	mv a0, s2\n"
	       "	ask 1\n"
	       "	addi a0, a0, -1\n"
	       "	bne a0, s2, 9f\n"
	       "	lw s7, 0(s6)\n"
	       "	lw a5, 4(s6)\n"
	       "	li a0, 2\n"
	       "	bne s7, a5, 9f\n"
	       "	li a0, 3\n"
	       "	bne gp, s4, 9f\n"
	       "	li a0, 4\n"
	       "	bne tp, s3, 9f\n"
	       "	li a0, 5\n"
	       "	bne sp, s2, 9f\n"
	       "	fmv.x.d t0, fs0\n"
	       "	li a0, 6\n"
	       "	bne t0, s3, 9f\n"
	       "	fmv.x.d t0, ft0\n"
	       "	li a0, 7\n"
	       "	bne t0, s4, 9f\n"
	       "	csrr t0, sscratch\n"
	       "	li a0, 8\n"
	       "	bne t0, s2, 9f\n"
	       "	csrr t0, sepc\n"
	       "	li a0, 9\n"
	       "	bne t0, s3, 9f\n"
	       "	csrr t0, scause\n"
	       "	li a0, 10\n"
	       "	bne t0, s2, 9f\n"
	       "	csrr t0, stval\n"
	       "	li a0, 11\n"
	       "	bne t0, s4, 9f\n"
	       "	addi s5, s5, -1\n"
	       "	bnez s5, 1b\n"
	       "	li a0, 0\n"
	       "	quit\n"
	       "9:	quit\n");

struct level {
	struct world w;
	struct hatch_catch call, word;
	unsigned int runs;
};

static struct level levels[DEPTH + 1];

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k);
static enum hatch_verdict on_word(void *arg, const struct hatch_event *ev, struct hatch_cont *k);

/* Odd levels are run inside calls, the others inside accesses. */
static void run_level(unsigned int n)
{
	struct level *level = &levels[n];

	level->runs++;
	world_of(&level->w, careful);
	hatch_vcpu_reset(&level->w.vcpu, hatch_gpa_of(WORLD_RAM), 0, 0x1000 + 16 * n);
	level->call = HATCH_ON_HYPERCALL(WORLD_EID, on_call, level);
	level->word = HATCH_ON_MMIO(WORLD_DEVICE, 8, on_word, level);
	world_catch(&level->w, &level->call);
	world_catch(&level->w, &level->word);
	expect_equal(hatch_try_run(&level->w.t), HATCH_DONE);
	expect_equal(level->w.t.status, 0);
	world_end(&level->w);
}

static void descend(const struct level *level, unsigned int parity)
{
	unsigned int inner = (unsigned int)(level - levels) + 1;

	if (inner <= DEPTH && inner % 2 == parity && levels[inner].runs < 3)
		run_level(inner);
}

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t number = ev->hypercall.arg[0];

	descend(arg, 1);
	return hatch_resume(k, number + 1);
}

static enum hatch_verdict on_word(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	descend(arg, 0);
	return hatch_resume(k, 0xfffffffa);
}

static void eight_levels_of_tries(void)
{
	for (unsigned int n = 0; n <= DEPTH; n++)
		levels[n].runs = 0;
	run_level(0);
	for (unsigned int n = 1; n <= DEPTH; n++)
		expect_equal(levels[n].runs, 3);
}

/* The inner try is unwound, uncaught, failed: the outer one does not care. */
GUEST(two_calls, "	ask 1\n"
		 "	ask 1\n"
		 "	ask 1\n"
		 "	quit\n");
GUEST(one_call, "	ask 5\n"
		"	quit\n");

static struct world outer, inside;

static enum hatch_verdict on_ending(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	switch ((uintptr_t)arg) {
	case HATCH_UNWOUND:
		return hatch_unwind(k, 3);
	case HATCH_UNCAUGHT:
		return HATCH_PASS;
	case HATCH_FAILED:
		return HATCH_SKIP;
	default:
		return hatch_finish(k, 3);
	}
}

static enum hatch_verdict on_try_it(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_catch ending = HATCH_ON_HYPERCALL(WORLD_EID, on_ending, arg);

	(void)ev;
	world_of(&inside, one_call);
	world_catch(&inside, &ending);
	expect_equal(hatch_try_run(&inside.t), (uintptr_t)arg);
	world_end(&inside);
	return hatch_resume(k, 21);
}

static void inner_outcome_is_the_handlers_business(void)
{
	for (uintptr_t how = HATCH_DONE; how <= HATCH_FAILED; how++) {
		struct hatch_catch try_it = HATCH_ON_HYPERCALL(WORLD_EID, on_try_it, (void *)how);

		world_of(&outer, two_calls);
		world_catch(&outer, &try_it);
		expect_done(&outer, 21);
		world_end(&outer);
	}
}

/* Runs a try, then steps over the first call and passes the second one. */
static enum hatch_verdict on_try_then_pass(void *arg, const struct hatch_event *ev,
					   struct hatch_cont *k)
{
	unsigned int *asked = arg;

	(void)ev;
	world_of(&inside, one_call);
	expect_equal(hatch_try_run(&inside.t), HATCH_UNCAUGHT);
	world_end(&inside);
	return ++*asked == 2 ? HATCH_PASS : hatch_skip(k);
}

static void passing_after_an_inner_try(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_HYPERCALL(WORLD_EID, on_try_then_pass, &asked);

	world_of(&outer, two_calls);
	world_catch(&outer, &clause);
	world_run(&outer);
	expect_outcome(&outer, HATCH_UNCAUGHT);
	expect_equal(outer.t.event.hypercall.extension, WORLD_EID);
	expect_equal(asked, 2);
	expect_done(&outer, 0);
	world_end(&outer);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(eight_levels_of_tries),
		CHECK(inner_outcome_is_the_handlers_business),
		CHECK(passing_after_an_inner_try),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
