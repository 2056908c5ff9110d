/* SPDX-License-Identifier: MIT */
/*
 * A deadline interrupts a guest that never asks for anything and has switched interrupts off. The
 * host looks at it, and lets it go on exactly where it stood; or gives it up.
 */
#include "demo.h"
#include "progress.h"

#define SLICES_PER_SECOND 500
#define PATIENCE	  50 /* slices */

static struct demo demo;
static unsigned int deadlines; /* of this run */

static struct progress look(void)
{
	struct progress seen;

	demo_need(hatch_guest_read(&demo.guest, hatch_gpa_of(PROGRESS_AT), &seen, sizeof(seen)),
		  "progress");
	return seen;
}

/* Says once of each quarter that it is done. */
static void report(void)
{
	static unsigned int quarters;

	for (; quarters < 4 && look().number >= LIMIT / 4 * (quarters + 1); quarters++)
		printf("the host sees: %u/4 are done\n", quarters + 1);
}

/* A deadline comes once: who wants another sets it. */
static void next_slice(void)
{
	uint64_t slice = hatch_board_frequency() / SLICES_PER_SECOND;

	hatch_try_set_deadline(&demo.t, hatch_vcpu_time(&demo.vcpu) + slice);
}

static enum hatch_verdict on_slice(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	deadlines++;
	report();
	next_slice();
	return hatch_resume(k, 0);
}

static enum hatch_verdict on_patience(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	if (++deadlines == PATIENCE)
		return hatch_unwind(k, deadlines);
	next_slice();
	return hatch_resume(k, 0);
}

/* Runs a new guest; with a handler for its deadlines, or without any. */
static void run(enum task task, hatch_handler *handler)
{
	static struct hatch_catch clause;

	clause = HATCH_ON_DEADLINE(handler, NULL);
	demo_begin(&demo);
	hatch_vcpu_reset(&demo.vcpu, hatch_gpa_of(HATCH_GUEST_RAM), task, 0);
	deadlines = 0;
	if (handler) {
		demo_catch(&demo, &clause);
		next_slice();
	}
	hatch_try_run(&demo.t);
}

int main(void)
{
	struct progress alone, sliced;

	puts("-- primes, undisturbed");
	run(TASK_PRIMES, NULL);
	alone = look();
	demo_end(&demo);

	puts("-- primes, in slices");
	run(TASK_PRIMES, on_slice);
	report();
	sliced = look();
	demo_end(&demo);
	printf("interrupted at least once: %s\n", deadlines ? "yes" : "no");
	printf("primes: %llu, undisturbed %llu\n", demo_number(sliced.primes),
	       demo_number(alone.primes));

	puts("-- endless");
	run(TASK_ENDLESS, on_patience);
	demo_end(&demo);
	return alone.primes != sliced.primes || !deadlines;
}
