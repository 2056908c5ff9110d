/* SPDX-License-Identifier: MIT */
/*
 * Clones: the same catch resumed many times; and states of clauses, which go with them.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/clone.h>
#include <hatch/csr.h>

#include "world.h"

#define DATA "0x80080000"

/*
 * Asks; spreads the answer over memory, FP and a CSR; asks again and checks that all is as it left it.
 * Quits with both answers: first * 1000 + second; -1 if something is not as it was.
 */
GUEST(asker, "	li t0, 0x6000\n"
	     "	csrs sstatus, t0\n"
	     "	li s0, " DATA "\n"
	     "	li s1, 0x12345\n"
	     "	ask 1\n"
	     "	mv s2, a0\n"
	     "	add t0, s2, s1\n"
	     "	sd t0, 0(s0)\n"
	     "	li t1, 0x7000\n"
	     "	add t1, t1, s0\n"
	     "	sd s2, 8(t1)\n"
	     "	fmv.d.x fs1, t0\n"
	     "	csrw sscratch, s2\n"
	     "	ask 2\n"
	     "	mv s3, a0\n"
	     "	li a0, -1\n"
	     "	ld t2, 0(s0)\n"
	     "	add t0, s2, s1\n"
	     "	bne t2, t0, 1f\n"
	     "	ld t2, 8(t1)\n"
	     "	bne t2, s2, 1f\n"
	     "	fmv.x.d t2, fs1\n"
	     "	bne t2, t0, 1f\n"
	     "	csrr t2, sscratch\n"
	     "	bne t2, s2, 1f\n"
	     "	li t0, 1000\n"
	     "	mul a0, s2, t0\n"
	     "	add a0, a0, s3\n"
	     "1:	quit\n");

/* Draws six binary choices, writes each into a page of its own, quits with their number. */
GUEST(chooser, "	li s0, " DATA "\n"
	       "	li s1, 0\n"
	       "	li s2, 6\n"
	       "1:	ask 1\n"
	       "	slli s1, s1, 1\n"
	       "	or s1, s1, a0\n"
	       "	sd s1, 0(s0)\n"
	       "	li t0, 4096\n"
	       "	add s0, s0, t0\n"
	       "	addi s2, s2, -1\n"
	       "	bnez s2, 1b\n"
	       "	sub s0, s0, t0\n"
	       "	ld a0, 0(s0)\n"
	       "	quit\n");

static struct world w;
static struct hatch_captured held;
static struct hatch_catch on_ask;
static unsigned int finals;

static enum hatch_verdict capture(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	return hatch_cont_capture(k, &held);
}

static void count_final(void *arg)
{
	finals++;
}

static struct hatch_finally last;

static void begin_with(const uint8_t *code, const uint8_t *end)
{
	world_begin(&w, code, end);
	on_ask = HATCH_ON_HYPERCALL(WORLD_EID, capture, NULL);
	last = (struct hatch_finally){ count_final, NULL, NULL };
	finals = 0;
	world_catch(&w, &on_ask);
	expect_equal(hatch_finally_add(&w.t.scope, &last), 0);
	expect_equal(world_run(&w), HATCH_SUSPENDED);
}
#define begin(name) begin_with(name, name##_end)

/* 64 answers, 64 outcomes; the check's frame counts the pages. */
static void sixty_four_answers(void)
{
	static struct hatch_clone clone;
	struct hatch_captured first;

	begin(asker);
	first = held;
	for (uint64_t i = 0; i < 64; i++) {
		expect_equal(hatch_cont_clone(&first, &clone), 0);
		expect_equal(hatch_cont_resume(&clone.captured, i), HATCH_SUSPENDED);
		expect_equal(held.t == &clone.t, true);
		expect_equal(hatch_cont_resume(&held, 7), HATCH_DONE);
		expect_equal(clone.t.status, i * 1000 + 7);
		expect_equal(hatch_clone_fini(&clone), 0);
		expect_equal(finals, i + 1);
	}
	expect_equal(world_read(&w, WORLD_DATA), 0); /* the original's memory: untouched */
	expect_equal(hatch_cont_resume(&first, 5), HATCH_SUSPENDED);
	expect_equal(hatch_cont_resume(&held, 6), HATCH_DONE);
	expect_equal(w.t.status, 5006);
	world_end(&w);
}

/* All at once, and each half-way while the others go on; the original ends first. */
static void side_by_side(void)
{
	static struct hatch_clone clone[16];
	struct hatch_captured again[16], first;

	begin(asker);
	first = held;
	for (uint64_t i = 0; i < 16; i++)
		expect_equal(hatch_cont_clone(&first, &clone[i]), 0);
	for (uint64_t i = 0; i < 16; i++) {
		expect_equal(hatch_cont_resume(&clone[i].captured, i), HATCH_SUSPENDED);
		again[i] = held;
	}
	expect_equal(hatch_cont_resume(&first, 99), HATCH_SUSPENDED);
	expect_equal(hatch_cont_resume(&held, 1), HATCH_DONE);
	expect_equal(w.t.status, 99001);
	for (uint64_t i = 16; i--;) {
		expect_equal(hatch_cont_resume(&again[i], 100 + i), HATCH_DONE);
		expect_equal(clone[i].t.status, i * 1000 + 100 + i);
	}
	for (uint64_t i = 0; i < 16; i++)
		expect_equal(hatch_clone_fini(&clone[i]), 0);
	expect_equal(finals, 17);
	world_end(&w);
}

static uint64_t seen;

/* Depth first through all choices: each node of the tree is one clone of a clone. */
static void explore(const struct hatch_captured *at)
{
	for (uint64_t choice = 0; choice < 2; choice++) {
		static struct hatch_clone clones[6];
		static unsigned int depth;
		struct hatch_clone *clone = &clones[depth];

		expect_equal(hatch_cont_clone(at, clone), 0);
		if (hatch_cont_resume(&clone->captured, choice) == HATCH_DONE) {
			expect(clone->t.status >= 0 && clone->t.status < 64);
			seen |= UINT64_C(1) << clone->t.status;
		} else {
			struct hatch_captured next = held;

			depth++;
			explore(&next);
			depth--;
		}
		expect_equal(hatch_clone_fini(clone), 0);
	}
}

static void clones_of_clones(void)
{
	begin(chooser);
	seen = 0;
	explore(&(struct hatch_captured){ held.t, held.serial });
	expect_equal(seen, UINT64_MAX);
	expect_equal(finals, 64 + 62); /* the leaves, and what is dropped on the way back */
	expect_equal(hatch_cont_drop(&(struct hatch_captured){ &w.t, w.t.serial }), 0);
	world_end(&w);
}

/* ---- States ---- */

static struct {
	uint64_t sum;
	struct hatch_vcpu *vcpu;
} device;

static void device_save(void *arg, void *to)
{
	memcpy(to, &device.sum, sizeof(device.sum));
}

static int device_restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	memcpy(&device.sum, from, sizeof(device.sum));
	device.vcpu = vcpu;
	return 0;
}

static enum hatch_verdict on_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(k->vcpu == device.vcpu, true);
	if (ev->mmio.write)
		device.sum += ev->mmio.value;
	return hatch_resume(k, device.sum);
}

/* Adds each answer to the device; quits with what the device says after the second. */
GUEST(adder, "	li s0, 0x10000000\n"
	     "	li t0, 1\n"
	     "	sw t0, 0(s0)\n"
	     "	ask 1\n"
	     "	sw a0, 0(s0)\n"
	     "	ask 2\n"
	     "	sw a0, 0(s0)\n"
	     "	lw a0, 0(s0)\n"
	     "	quit\n");

static struct hatch_state device_state = {
	.name = "device",
	.version = 1,
	.size = sizeof(uint64_t),
	.save = device_save,
	.restore = device_restore,
};

static void begin_adder(struct hatch_catch *clause)
{
	device.sum = 0;
	device.vcpu = &w.vcpu;
	world_of(&w, adder);
	*clause = HATCH_ON_MMIO(WORLD_DEVICE, 0x1000, on_device, NULL);
	on_ask = HATCH_ON_HYPERCALL(WORLD_EID, capture, NULL);
	world_catch(&w, &on_ask);
	world_catch(&w, clause);
	expect_equal(hatch_state_add(&w.t.scope, &device_state), 0);
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	expect_equal(device.sum, 1);
}

static void states_go_with_clones(void)
{
	static struct hatch_clone clone[4];
	struct hatch_captured first, again[4];
	struct hatch_catch clause;

	begin_adder(&clause);
	first = held;
	for (uint64_t i = 0; i < 4; i++) {
		expect_equal(hatch_cont_clone(&first, &clone[i]), 0);
		expect_equal(hatch_cont_resume(&clone[i].captured, 10 * i), HATCH_SUSPENDED);
		again[i] = held;
	}
	for (uint64_t i = 4; i--;) {
		expect_equal(hatch_cont_resume(&again[i], 100), HATCH_DONE);
		expect_equal(clone[i].t.status, 101 + 10 * i);
	}
	expect_equal(hatch_cont_resume(&first, 5), HATCH_SUSPENDED);
	expect_equal(hatch_cont_resume(&held, 5), HATCH_DONE);
	expect_equal(w.t.status, 11);
	for (uint64_t i = 0; i < 4; i++)
		expect_equal(hatch_clone_fini(&clone[i]), 0);
	hatch_try_fini(&w.t);
	world_end(&w);
}

static void state_errors(void)
{
	struct hatch_state bad = device_state, twin = device_state;
	struct hatch_catch clause;

	begin_adder(&clause);
	expect_equal(hatch_state_add(&w.t.scope, &device_state), HATCH_EINVAL);
	expect_equal(hatch_state_add(&w.t.scope, &twin), HATCH_EOVERLAP);
	bad.save = NULL;
	expect_equal(hatch_state_add(&w.t.scope, &bad), HATCH_EINVAL);
	bad = device_state;
	bad.name = NULL;
	expect_equal(hatch_state_add(&w.t.scope, &bad), HATCH_EINVAL);
	expect_equal(hatch_state_add(NULL, &twin), HATCH_EINVAL);
	hatch_cont_drop(&held);
	world_end(&w);
}

/* ---- Errors ---- */

static struct hatch_clone one;

static enum hatch_verdict end_self(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(hatch_clone_fini(&one), HATCH_EBUSY);
	return hatch_finish(k, 3);
}

static void errors(void)
{
	struct hatch_captured none = { 0 }, used;

	begin(asker);
	expect_equal(hatch_cont_clone(NULL, &one), HATCH_EINVAL);
	expect_equal(hatch_cont_clone(&none, &one), HATCH_EINVAL);
	expect_equal(hatch_cont_clone(&held, NULL), HATCH_EINVAL);
	expect_equal(hatch_cont_clone(&held, &one), 0);
	used = one.captured;
	on_ask.handler = end_self;
	expect_equal(hatch_cont_resume(&one.captured, 1), HATCH_DONE);
	expect_equal(one.t.status, 3);
	expect_equal(hatch_cont_resume(&used, 1), HATCH_FAILED);
	expect_equal(hatch_cont_drop(&used), HATCH_ESTALE);
	expect_equal(hatch_clone_fini(&one), 0);
	used = held;
	expect_equal(hatch_cont_drop(&held), 0);
	expect_equal(hatch_cont_clone(&used, &one), HATCH_ESTALE);
	world_end(&w);
}

/* A clone that was opened and never run is dropped with it. */
static void opened_and_forgotten(void)
{
	begin(asker);
	expect_equal(hatch_cont_clone(&held, &one), 0);
	expect(hatch_cont_reopen(&one.captured) != NULL);
	expect_equal(hatch_clone_fini(&one), 0);
	expect_equal(finals, 1);
	expect_equal(hatch_cont_drop(&held), 0);
	expect_equal(finals, 2);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(sixty_four_answers),    CHECK(side_by_side), CHECK(clones_of_clones),
		CHECK(states_go_with_clones), CHECK(state_errors), CHECK(errors),
		CHECK(opened_and_forgotten),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
