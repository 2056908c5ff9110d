/* SPDX-License-Identifier: MIT */
/* Whose turn it is: what sched.c and queue.c share. With the scheduler's lock held, all of it. */
#ifndef HATCH_SRC_SCHED_QUEUE_H
#define HATCH_SRC_SCHED_QUEUE_H

#include <hatch/sched.h>

/* The ready task that comes first on this hart, its state RUNS from now on; NULL: none. */
struct hatch_task *hatch_sched_pick(struct hatch_sched *sched, unsigned int hart, uint64_t now);

/* When the turn that begins now is over: a slice, or less if an idle task has to be looked at. */
uint64_t hatch_sched_until(const struct hatch_sched *sched, uint64_t now);

/* When the first idle task is due; HATCH_NEVER: none. */
uint64_t hatch_sched_first_due(const struct hatch_sched *sched);

/* The turn of a running task is over, and took so many ticks; what it is from now on. */
void hatch_sched_turned(struct hatch_task *task, uint64_t ticks, enum hatch_task_state state);

/* A resting hart that may run a ready task: wake it. -1: none. */
int hatch_sched_find_resting(struct hatch_sched *sched);

/* Ready, if it waited. Returns a resting hart that is to be woken for it, or -1. */
int hatch_sched_ready(struct hatch_task *task);

#endif
