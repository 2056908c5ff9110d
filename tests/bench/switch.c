/* SPDX-License-Identifier: MIT */
/*
 * What it costs to go from one vcpu to another: from the call that ends a turn to the first
 * instruction behind the other's. Everything that belongs to a vcpu is switched, floating point too.
 * The two have guests of their own.
 */
#include <hatch/sched.h>

#include "bench.h"

static struct hatch_sched sched;
static struct hatch_guest other_guest;
static struct hatch_vcpu other;
static struct hatch_try other_try;
static struct hatch_share share[2];
static struct hatch_task task[2];

static uint64_t now(void *arg)
{
	(void)arg;
	return hatch_board_ticks();
}

static void alarm(void *arg, uint64_t ticks)
{
	(void)arg;
	hatch_board_timer(ticks);
}

static void wait(void *arg)
{
	(void)arg;
	hatch_board_wait();
}

static void wake(void *arg, unsigned int hart)
{
	(void)arg;
	hatch_board_wake(hart);
}

static void add(unsigned int i, struct hatch_try *t)
{
	share[i] = (struct hatch_share){ .name = "half", .weight = 1 };
	task[i] = (struct hatch_task){ .t = t, .share = &share[i] };
	bench_need(hatch_sched_add(&sched, &task[i]), "task");
}

static void begin_other(void)
{
	bench_load(&other_guest);
	bench_need(hatch_vcpu_init(&other, &other_guest), "vcpu");
	hatch_vcpu_reset(&other, hatch_gpa_of(HATCH_GUEST_RAM), 0, BENCH_YIELDS);
	bench_need(hatch_try_init(&other_try, &other), "try");
	bench_add(&other_try.scope, hatch_sched_yield_clause(&sched));
}

void bench_switch(void)
{
	const struct hatch_sched_host host = { now, alarm, wait, wake, NULL };

	bench_begin();
	bench_need(hatch_sched_init(&sched, &host, hatch_board_frequency()), "scheduler");
	bench_add(&bench.t.scope, hatch_sched_yield_clause(&sched));
	begin_other();
	bench_reset(0, BENCH_YIELD);
	add(0, &bench.t);
	add(1, &other_try);
	hatch_sched_serve(&sched, 0);
	bench_need(bench.t.outcome == HATCH_DONE ? 0 : HATCH_ESTALE, "switch");
	bench_print("switch");
	hatch_guest_fini(&other_guest);
	hatch_guest_fini(&bench.guest);
}
