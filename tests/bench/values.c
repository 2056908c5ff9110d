/* SPDX-License-Identifier: MIT */
/* What it costs to suspend, clone, undo and interrupt a try. The host measures. */
#include <inttypes.h>
#include <stdio.h>

#include "bench.h"

#define LARGE_SIZE (64UL << 20)
#define DIRTIED	   256 /* pages */
#define DEADLINES  10000

static struct hatch_captured held;

static enum hatch_verdict on_ask_capture(void *arg, const struct hatch_event *ev,
					 struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_cont_capture(k, &held);
}

static enum hatch_verdict on_ask_unwind(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

static void begin_large(hatch_handler *on_ask)
{
	bench_begin();
	bench_need(hatch_guest_add_ram(&bench.guest, hatch_gpa_of(BENCH_LARGE), LARGE_SIZE),
		   "64 MiB");
	bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_ask, NULL));
}

/* From the guest's ecall out of hatch_try_run and back behind the ecall. */
static void bench_capture(void)
{
	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_HYPERCALL(BENCH_EID, on_ask_capture, NULL));
	bench_reset(0, BENCH_HYPERCALL);
	hatch_try_run(&bench.t);
	while (bench.t.outcome == HATCH_SUSPENDED)
		hatch_cont_resume(&held, 1);
	if (bench.t.outcome != HATCH_DONE)
		bench_need(HATCH_EFAULT, "capture");
	bench_print("capture-resume");
	hatch_guest_fini(&bench.guest);
}

static void print_private(const struct hatch_clone *clone)
{
	uint64_t bytes = hatch_guest_private_pages(&clone->guest) * HATCH_PAGE_SIZE +
			 sizeof(*clone);

	bench.least = bench.most = bytes;
	bench_print("clone-bytes");
}

static void bench_clone(void)
{
	static struct hatch_clone clone;

	begin_large(on_ask_capture);
	bench_reset(1, BENCH_DIRTY);
	hatch_try_run(&bench.t);
	for (unsigned int i = 0; i < BENCH_ROUNDS; i++) {
		uint64_t before = bench_count(), after;
		int error = hatch_cont_clone(&held, &clone);

		after = bench_count();
		bench_need(error, "clone");
		if (i)
			bench_note(after - before - 1);
		if (i + 1 < BENCH_ROUNDS)
			hatch_clone_fini(&clone);
	}
	bench_print("clone");
	print_private(&clone);
	hatch_clone_fini(&clone);
	hatch_cont_drop(&held);
	hatch_guest_fini(&bench.guest);
}

/* One transaction that dirties so many pages and is undone: entry, writes, copies, restore. */
static uint64_t undo(uint64_t pages)
{
	uint64_t before;

	bench_reset(pages, BENCH_DIRTY);
	before = bench_count();
	hatch_try_run(&bench.t);
	return bench_count() - before - 1;
}

static void bench_rollback(void)
{
	uint64_t empty, full;

	begin_large(on_ask_unwind);
	bench.t.transactional = true;
	undo(DIRTIED); /* splits the large leaf, fills the pool */
	empty = undo(0);
	full = undo(DIRTIED);
	bench_note((full - empty + DIRTIED - 1) / DIRTIED);
	bench_print("rollback-page");
	bench.least = bench.most = empty;
	bench_print("rollback-empty");
	hatch_guest_fini(&bench.guest);
}

/* ---- Deadlines ---- */

static uint64_t instructions_per_tick;
static uint64_t count_at_tick_0; /* what bench_count would have been */

/* Finds out how the two clocks of -icount belong together: at the moment when a tick begins. */
static void compare_clocks(void)
{
	uint64_t first = hatch_board_ticks() + 1, last = first + 100, at_first, at_last;

	while (hatch_board_ticks() < first)
		;
	at_first = bench_count();
	while (hatch_board_ticks() < last)
		;
	at_last = bench_count();
	instructions_per_tick = (at_last - at_first + 50) / 100;
	count_at_tick_0 = at_first - first * instructions_per_tick;
}

static enum hatch_verdict on_deadline(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t host = ev->deadline.ticks - k->vcpu->confine.htimedelta;
	uint64_t due = count_at_tick_0 + host * instructions_per_tick, last = 0;
	unsigned int *rounds = arg;

	hatch_cont_get(k, 10, &last);
	last += 2; /* its loop: it may have come as far as that */
	bench_note(last > due ? last - due : 0);
	if (++*rounds == DEADLINES)
		return hatch_finish(k, 0);
	hatch_try_set_deadline(&bench.t, hatch_vcpu_time(k->vcpu) + 5 + *rounds % 97);
	return hatch_resume(k, 0);
}

/* What the guest has done after the instruction at which it should have stopped. */
static void bench_deadline(void)
{
	unsigned int rounds = 0;

	bench_begin();
	bench_add(&bench.t.scope, HATCH_ON_DEADLINE(on_deadline, &rounds));
	bench_reset(0, BENCH_SPIN);
	compare_clocks();
	hatch_try_set_deadline(&bench.t, hatch_vcpu_time(&bench.vcpu) + 100);
	if (hatch_try_run(&bench.t) != HATCH_DONE)
		bench_need(HATCH_EFAULT, "deadline");
	bench_print("deadline-overshoot");
	hatch_guest_fini(&bench.guest);
}

void bench_values(void)
{
	bench_capture();
	bench_clone();
	bench_rollback();
	bench_deadline();
}
