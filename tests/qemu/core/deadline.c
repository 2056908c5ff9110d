/* SPDX-License-Identifier: MIT */
/*
 * A try's deadline: whatever the guest does it is interrupted, and resumed it notices nothing.
 */
#include <hatch/board.h>
#include <hatch/call.h>
#include <hatch/csr.h>
#include <hatch/handlers/exit.h>

#include "world.h"

#define DEADLINES 10000
#define SHORT	  200 /* ticks */

/* Rotates by 7 through t5 and t6, without Zbb. */
__asm__("	.macro rol_by_hand reg\n"
	"	slli t5, \\reg, 7\n"
	"	srli t6, \\reg, 57\n"
	"	or \\reg, t5, t6\n"
	"	.endm\n");

/* Fills every register from a1 rounds of a generator, and memory at s0; ends with a hash. */
GUEST(busy, "	csrci sstatus, 2\n" /* no interrupts: it does not matter */
	    "	csrw sie, zero\n"
	    "	li t0, 0x6000\n"
	    "	csrs sstatus, t0\n"
	    "	li s0, 0x80080000\n"
	    "	li t0, 0x5851f42d4c957f2d\n"
	    "	li t1, 1\n"
	    "1:	mul t1, t1, t0\n"
	    "	addi t1, t1, 1442\n"
	    "	srli t2, t1, 52\n"
	    "	slli t2, t2, 3\n"
	    "	add t2, t2, s0\n"
	    "	ld t3, 0(t2)\n"
	    "	add t3, t3, t1\n"
	    "	sd t3, 0(t2)\n"
	    "	fmv.d.x f5, t3\n"
	    "	fmv.x.d t4, f5\n"
	    "	xor s1, s1, t4\n"
	    "	rol_by_hand s1\n"
	    "	addi a1, a1, -1\n"
	    "	bnez a1, 1b\n"
	    "	srli a0, s1, 1\n"
	    "	quit\n");

GUEST(endless, "	csrci sstatus, 2\n"
	       "	csrw sie, zero\n"
	       "	csrw stvec, zero\n"
	       "1:	j 1b\n");

GUEST(asking, "1:	ask 1\n"
	      "	j 1b\n");

static struct world w;
static unsigned int deadlines, alarms;
static struct hatch_captured held;

static void set_deadline_in(uint64_t ticks)
{
	hatch_try_set_deadline(&w.t, hatch_vcpu_time(&w.vcpu) + ticks);
}

static enum hatch_verdict on_deadline_again(void *arg, const struct hatch_event *ev,
					    struct hatch_cont *k)
{
	expect_equal(ev->length, 0);
	expect(ev->deadline.ticks <= hatch_vcpu_time(&w.vcpu));
	expect_equal(w.t.deadline, HATCH_NEVER);
	deadlines++;
	set_deadline_in(check_random() % 30);
	return deadlines % 2 ? hatch_resume(k, 99) : hatch_retry(k);
}

static enum hatch_verdict on_deadline_unwind(void *arg, const struct hatch_event *ev,
					     struct hatch_cont *k)
{
	return hatch_unwind(k, 5);
}

static enum hatch_verdict on_deadline_capture(void *arg, const struct hatch_event *ev,
					      struct hatch_cont *k)
{
	return hatch_cont_capture(k, &held);
}

#define ROUNDS 1000000

static long run_busy(void)
{
	w.vcpu.frame.x[11] = ROUNDS;
	set_deadline_in(10);
	world_run(&w);
	expect_outcome(&w, HATCH_DONE);
	return w.t.status;
}

static long hash_without(void)
{
	long hash;

	world_of(&w, busy);
	w.vcpu.frame.x[11] = ROUNDS;
	expect_equal(world_run(&w), HATCH_DONE);
	hash = w.t.status;
	world_end(&w);
	return hash;
}

/* Ten thousand interruptions at random places: the same registers and memory in the end. */
static void final_state_is_the_same(void)
{
	struct hatch_catch clause = HATCH_ON_DEADLINE(on_deadline_again, NULL);
	long hash = hash_without();

	check_seed(1);
	deadlines = 0;
	for (unsigned int attempts = 0; deadlines < DEADLINES; attempts++) {
		unsigned int before = deadlines;

		world_of(&w, busy);
		world_catch(&w, &clause);
		expect_equal(run_busy(), hash);
		world_end(&w);
		hatch_catch_remove(clause.scope, &clause);
		if (!expect(attempts < 1000 || deadlines > before))
			return;
	}
	check_say("%u deadlines", deadlines);
}

static void endless_loop_ends(void)
{
	struct hatch_catch clause = HATCH_ON_DEADLINE(on_deadline_unwind, NULL);

	world_of(&w, endless);
	world_catch(&w, &clause);
	for (int i = 0; i < 3; i++) { /* it can be run again, until the next one */
		set_deadline_in(SHORT);
		expect_equal(world_run(&w), HATCH_UNWOUND);
		expect_equal(w.t.status, 5);
	}
	world_end(&w);
}

static void passed_deadline_comes_at_once(void)
{
	struct hatch_catch clause = HATCH_ON_DEADLINE(on_deadline_unwind, NULL);

	world_of(&w, endless);
	world_catch(&w, &clause);
	hatch_try_set_deadline(&w.t, 0);
	expect_equal(world_run(&w), HATCH_UNWOUND);
	expect_equal(w.vcpu.frame.pc, WORLD_RAM);
	world_end(&w);
}

static void nobody_catches_it(void)
{
	world_of(&w, endless);
	set_deadline_in(SHORT);
	expect_equal(world_run(&w), HATCH_UNCAUGHT);
	expect_equal(w.t.event.kind, HATCH_DEADLINE);
	hatch_try_set_deadline(&w.t, HATCH_NEVER - 1); /* far, but not never */
	hatch_board_timer(hatch_board_ticks() + SHORT);
	expect_equal(hatch_try_run(&w.t), HATCH_UNWOUND); /* by the world's own clause */
	expect_equal(w.t.status, WORLD_LATE);
	world_end(&w);
}

static enum hatch_verdict on_alarm(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	alarms++;
	hatch_board_timer(HATCH_NEVER);
	return hatch_resume(k, 0);
}

/* The host's alarm and the deadline share one timer; neither hides the other. */
static void alarm_and_deadline(void)
{
	struct hatch_catch late = HATCH_ON_DEADLINE(on_deadline_unwind, NULL);
	struct hatch_catch alarm = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_alarm, NULL);

	for (int i = -1; i <= 1; i++) {
		uint64_t now;

		alarms = 0;
		world_of(&w, endless);
		now = hatch_board_ticks();
		expect_equal(hatch_catch_remove(&w.t.scope, &w.on_late), 0);
		world_catch(&w, &late);
		world_catch(&w, &alarm);
		hatch_board_timer(now + 100 * SHORT);
		hatch_try_set_deadline(&w.t, now + (uint64_t)(10 + i) * 10 * SHORT +
						     w.vcpu.confine.htimedelta);
		expect_equal(hatch_try_run(&w.t), HATCH_UNWOUND);
		expect(i == 1 || !alarms); /* of two that are due the deadline is first */
		if (!alarms) {
			hatch_try_set_deadline(&w.t, HATCH_NEVER);
			set_deadline_in(200 * SHORT);
			expect_equal(hatch_try_run(&w.t), HATCH_UNWOUND);
		}
		expect_equal(alarms, 1);
		hatch_catch_remove(&w.t.scope, &late);
		hatch_catch_remove(&w.t.scope, &alarm);
		world_end(&w);
	}
}

static struct world other;
static unsigned int others;

static enum hatch_verdict on_ask_run_other(void *arg, const struct hatch_event *ev,
					   struct hatch_cont *k)
{
	if (++others == 3)
		set_deadline_in(SHORT);
	hatch_try_set_deadline(&other.t, hatch_vcpu_time(&other.vcpu) + SHORT);
	expect_equal(hatch_try_run(&other.t), HATCH_UNWOUND);
	return hatch_resume(k, 0);
}

/* A try within a handler has its own; afterwards the outer one's is in force again. */
static void deadlines_nest(void)
{
	struct hatch_catch ask = HATCH_ON_HYPERCALL(WORLD_EID, on_ask_run_other, NULL);
	struct hatch_catch late = HATCH_ON_DEADLINE(on_deadline_unwind, NULL);
	struct hatch_catch late_too = HATCH_ON_DEADLINE(on_deadline_unwind, NULL);

	world_of(&w, asking);
	world_of(&other, endless);
	world_catch(&w, &ask);
	world_catch(&w, &late);
	world_catch(&other, &late_too);
	others = 0;
	expect_equal(world_run(&w), HATCH_UNWOUND);
	expect_equal(w.t.status, 5);
	expect(others >= 3);
	world_end(&other);
	world_end(&w);
}

/* Runs the guest in slices, the captured continuation from each to the next. */
static unsigned int run_in_slices(long hash)
{
	struct hatch_catch clause = HATCH_ON_DEADLINE(on_deadline_capture, NULL);
	unsigned int slices = 0;

	world_of(&w, busy);
	world_catch(&w, &clause);
	w.vcpu.frame.x[11] = ROUNDS;
	set_deadline_in(SHORT);
	for (hatch_try_run(&w.t); w.t.outcome == HATCH_SUSPENDED; slices++) {
		set_deadline_in(SHORT);
		hatch_cont_resume(&held, 0);
	}
	expect_equal(w.t.outcome, HATCH_DONE);
	expect_equal(w.t.status, hash);
	world_end(&w);
	return slices;
}

static void deadline_is_captured(void)
{
	long hash = hash_without();
	unsigned int slices = 0;

	for (unsigned int attempts = 0; attempts < 100 && slices < 10; attempts++)
		slices += run_in_slices(hash);
	expect(slices >= 10);
}

static uint64_t count_up(uint64_t rounds)
{
	volatile uint64_t n = 0;

	while (n < rounds)
		n++;
	return n;
}

/* A call that its limit stopped goes on, and ends as it would have ended. */
static unsigned int call_in_slices(struct hatch_box *box)
{
	struct hatch_call_result result = hatch_call(box, count_up, ROUNDS);
	unsigned int slices = 0;

	for (; result.stop == HATCH_STOP_LATE; slices++)
		result = hatch_call_resume(box);
	expect_equal(result.outcome, HATCH_DONE);
	expect_equal(result.value, ROUNDS);
	return slices;
}

static void limited_call_goes_on(void)
{
	static struct hatch_box box;
	unsigned int slices = 0;

	expect_equal(hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), 16384, 0), 0);
	expect_equal(hatch_call_resume(&box).error, HATCH_ESTALE);
	expect_equal(hatch_call_resume(NULL).error, HATCH_EINVAL);
	expect_equal(hatch_box_limit(&box, SHORT), 0);
	for (unsigned int attempts = 0; attempts < 100 && slices < 10; attempts++)
		slices += call_in_slices(&box);
	expect(slices >= 10);
	expect_equal(hatch_call_resume(&box).error, HATCH_ESTALE);
	expect_equal(hatch_call(&box, count_up, UINT64_MAX).stop, HATCH_STOP_LATE);
	expect_equal(hatch_box_reset(&box), 0);
	expect_equal(hatch_call_resume(&box).error, HATCH_ESTALE);
	expect_equal(hatch_box_fini(&box), 0);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(final_state_is_the_same),
		CHECK(endless_loop_ends),
		CHECK(passed_deadline_comes_at_once),
		CHECK(nobody_catches_it),
		CHECK(alarm_and_deadline),
		CHECK(deadlines_nest),
		CHECK(deadline_is_captured),
		CHECK(limited_call_goes_on),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
