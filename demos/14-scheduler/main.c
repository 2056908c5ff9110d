/* SPDX-License-Identifier: MIT */
/*
 * Four guests share one hart. Whatever stops a guest, its deadline, a call or that it has nothing to
 * do, its continuation goes to the end of a queue, and the first in the queue is resumed.
 */
#include "demo.h"
#include "turn.h"

#define SLICE (hatch_board_frequency() / 200) /* ticks: 5 ms */
#define NAP   (hatch_board_frequency() / 100)
#define MOST  8 /* numbers of one guest that are noted */

static struct task {
	struct demo demo;
	struct hatch_catch on_say;
	unsigned int turns, count;
	uint64_t said[MOST];
} tasks[TURN_GUESTS];

/* Of each guest one continuation is out at most: there is always room. */
static struct hatch_captured queue[TURN_GUESTS];
static unsigned int first, last;

static enum hatch_verdict on_stop(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	return hatch_cont_capture(k, &queue[last++ % TURN_GUESTS]);
}

static enum hatch_verdict on_say(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct task *task = arg;

	if (task->count < MOST)
		task->said[task->count++] = ev->hypercall.arg[0];
	return hatch_resume(k, 0);
}

/* The guest's next turn begins now. */
static void set_slice(struct hatch_try *t)
{
	struct task *task = (struct task *)((char *)t - offsetof(struct task, demo.t));

	task->turns++;
	hatch_try_set_deadline(t, hatch_vcpu_time(t->vcpu) + SLICE);
}

/* Makes a guest, with a clause of its own and those of the scheduler around it; its first turn. */
static void start(struct task *task, struct hatch_scope *scheduler)
{
	demo_begin(&task->demo);
	hatch_vcpu_reset(&task->demo.vcpu, hatch_gpa_of(HATCH_GUEST_RAM), task - tasks, NAP);
	task->on_say = HATCH_ON_HYPERCALL_FUNCTION(TURN_EID, TURN_SAY, on_say, task);
	demo_catch(&task->demo, &task->on_say);
	task->demo.t.scope.outer = scheduler;
	set_slice(&task->demo.t);
	hatch_try_run(&task->demo.t);
}

static void schedule(void)
{
	while (first != last) {
		struct hatch_captured next = queue[first++ % TURN_GUESTS];

		set_slice(next.t);
		hatch_cont_resume(&next, 0);
	}
}

/* How many turns a guest gets is a matter of time; fewer than these it cannot have had. */
static void report(const char *name, struct task *task, unsigned int turns)
{
	printf("%-8s %-9s %-2s %u  ", name, hatch_outcome_name(task->demo.t.outcome),
	       task->turns < turns ? "<" : ">=", turns);
	for (unsigned int i = 0; i < task->count; i++)
		printf(" %llu", demo_number(task->said[i]));
	printf("\n");
	hatch_guest_fini(&task->demo.guest);
}

int main(void)
{
	struct hatch_scope scheduler;
	struct hatch_catch late = HATCH_ON_DEADLINE(on_stop, NULL);
	struct hatch_catch idle = HATCH_ON_WFI(on_stop, NULL);
	struct hatch_catch yield = HATCH_ON_HYPERCALL_FUNCTION(TURN_EID, TURN_YIELD, on_stop, NULL);

	hatch_scope_init(&scheduler, "scheduler", NULL);
	demo_need(hatch_catch_add(&scheduler, &late), "deadline");
	demo_need(hatch_catch_add(&scheduler, &idle), "wfi");
	demo_need(hatch_catch_add(&scheduler, &yield), "yield");
	for (int i = 0; i < TURN_GUESTS; i++)
		start(&tasks[i], &scheduler);
	schedule();
	printf("guest    end       turns said\n");
	report("busy", &tasks[TURN_BUSY], 2);
	report("polite", &tasks[TURN_POLITE], 7);
	report("sleepy", &tasks[TURN_SLEEPY], 4);
	report("broken", &tasks[TURN_BROKEN], 1);
	return 0;
}
