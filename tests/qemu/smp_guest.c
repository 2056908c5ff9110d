/* SPDX-License-Identifier: MIT */
/*
 * Core on several harts at once: each with a guest, a vcpu and a try of its own. Needs a machine of
 * HARTS harts. The checks are made by the boot hart, when the others are back.
 */
#include <hatch/board.h>

#include "world.h"

#define HARTS 4

static unsigned int calls[HARTS];

static void parallel(unsigned int harts, void (*work)(void *arg, unsigned int index), void *arg)
{
	expect_equal(hatch_board_parallel(harts, work, arg), 0);
}

#define PINGS 1000

/* Calls a0 times, adding up the answers. */
GUEST(caller, "	mv s0, a0\n"
	      "	li s1, 0\n"
	      "1:	mv a0, s0\n"
	      "	ask 1\n"
	      "	add s1, s1, a1\n"
	      "	addi s0, s0, -1\n"
	      "	bnez s0, 1b\n"
	      "	mv a0, s1\n"
	      "	quit\n");

static struct world world[HARTS];
static struct hatch_catch ping[HARTS];

static enum hatch_verdict on_ping(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	unsigned int *mine = arg;

	(*mine)++;
	return hatch_resume_pair(k, 0, ev->hypercall.arg[0] + (uint64_t)(mine - calls));
}

/* The answers are n + index for n from PINGS down to 1. */
static long sum(unsigned int index)
{
	return PINGS * (PINGS + 1) / 2 + (long)index * PINGS;
}

static void prepare(unsigned int index)
{
	ping[index] = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 1, on_ping, &calls[index]);
	world_again(&world[index], PINGS, 0);
	world_catch(&world[index], &ping[index]);
	calls[index] = 0;
}

/* `arg`: how far the worlds have moved on, so that each is run by each hart. */
static void run_a_world(void *arg, unsigned int index)
{
	const unsigned int *shift = arg;

	world_run(&world[(index + *shift) % HARTS]);
}

static void each_hart_runs_each_guest(void)
{
	for (unsigned int i = 0; i < HARTS; i++)
		world_of(&world[i], caller);
	for (unsigned int shift = 0; shift < 2 * HARTS; shift++) {
		for (unsigned int i = 0; i < HARTS; i++)
			prepare(i);
		parallel(HARTS, run_a_world, &shift);
		for (unsigned int i = 0; i < HARTS; i++) {
			expect_outcome(&world[i], HATCH_DONE);
			expect_equal(world[i].t.status, sum(i));
			expect_equal(calls[i], PINGS);
		}
	}
	for (unsigned int i = 0; i < HARTS; i++)
		world_end(&world[i]);
}

/* A guest's whole life on each hart: they share the board's memory. */
static void live_a_life(void *arg, unsigned int index)
{
	(void)arg;
	for (unsigned int i = 0; i < 20; i++) {
		world_of(&world[index], caller);
		prepare(index);
		world_run(&world[index]);
		world_end(&world[index]);
	}
}

static void harts_share_the_memory(void)
{
	parallel(HARTS, live_a_life, NULL);
	for (unsigned int i = 0; i < HARTS; i++) {
		expect_outcome(&world[i], HATCH_DONE);
		expect_equal(world[i].t.status, sum(i));
	}
}

/* A wake-up for a hart whose guest runs is none of the guest's business. */
static void wake_or_run(void *arg, unsigned int index)
{
	unsigned int *done = arg;

	if (index == 0) {
		world_run(&world[0]);
		__atomic_store_n(done, 1, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(done, __ATOMIC_ACQUIRE))
		hatch_board_wake(0);
}

static void a_guest_does_not_notice_wake_ups(void)
{
	unsigned int done = 0;

	world_of(&world[0], caller);
	prepare(0);
	parallel(2, wake_or_run, &done);
	expect_outcome(&world[0], HATCH_DONE);
	expect_equal(world[0].t.status, sum(0));
	world_end(&world[0]);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(each_hart_runs_each_guest),
		CHECK(harts_share_the_memory),
		CHECK(a_guest_does_not_notice_wake_ups),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
