/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is. There is one list, and it is walked: the harts are few, a turn is long, and
 * which share comes first changes with every turn of any of its tasks.
 */
#include "queue.h"

enum {
	UNIT = 1024, /* `passed` is in ticks / weight, times this */
	LEAST = 8,   /* a turn is a slice over this at least */
};

static bool may_run(const struct hatch_task *task, unsigned int hart)
{
	return !task->harts || (task->harts >> hart & 1);
}

/* A share that slept does not come back with all the time that it did not use. */
static void enter(struct hatch_task *task)
{
	struct hatch_share *share = task->share;

	task->state = HATCH_TASK_READY;
	if (!share->awake++ && share->passed < task->sched->floor)
		share->passed = task->sched->floor;
}

static void wake_due(struct hatch_sched *sched, uint64_t now)
{
	for (struct hatch_task *task = sched->tasks; task; task = task->next)
		if (task->state == HATCH_TASK_IDLE && task->due <= now)
			enter(task);
}

/* Of equal ones, who had its turn longer ago: the list is in that order. */
static struct hatch_task **find_first(struct hatch_sched *sched, unsigned int hart)
{
	struct hatch_task **first = NULL;

	for (struct hatch_task **link = &sched->tasks; *link; link = &(*link)->next)
		if ((*link)->state == HATCH_TASK_READY && may_run(*link, hart) &&
		    (!first || (*link)->share->passed < (*first)->share->passed))
			first = link;
	return first;
}

static void move_to_end(struct hatch_task **link)
{
	struct hatch_task *task = *link;

	*link = task->next;
	while (*link)
		link = &(*link)->next;
	*link = task;
	task->next = NULL;
}

struct hatch_task *hatch_sched_pick(struct hatch_sched *sched, unsigned int hart, uint64_t now)
{
	struct hatch_task **link, *task;

	wake_due(sched, now);
	link = find_first(sched, hart);
	if (!link)
		return NULL;
	task = *link;
	move_to_end(link);
	task->state = HATCH_TASK_RUNS;
	task->woken = false;
	task->moves += task->turns && task->hart != hart;
	task->turns++;
	task->hart = hart;
	if (task->share->passed > sched->floor)
		sched->floor = task->share->passed;
	return task;
}

uint64_t hatch_sched_first_due(const struct hatch_sched *sched)
{
	uint64_t due = HATCH_NEVER;

	for (const struct hatch_task *task = sched->tasks; task; task = task->next)
		if (task->state == HATCH_TASK_IDLE && task->due < due)
			due = task->due;
	return due;
}

uint64_t hatch_sched_until(const struct hatch_sched *sched, uint64_t now)
{
	uint64_t due = hatch_sched_first_due(sched), least = now + sched->slice / LEAST;

	if (due < least)
		return least;
	return due < now + sched->slice ? due : now + sched->slice;
}

static void take_out(struct hatch_task *task)
{
	struct hatch_task **link = &task->sched->tasks;

	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	task->sched->left--;
}

void hatch_sched_turned(struct hatch_task *task, uint64_t ticks, enum hatch_task_state state)
{
	struct hatch_share *share = task->share;

	share->ticks += ticks;
	share->passed += ticks * UNIT / share->weight;
	task->state = state;
	share->awake -= state != HATCH_TASK_READY;
	if (state == HATCH_TASK_OVER)
		take_out(task);
}

/*
 * A resting hart for the task, which rests no more; -1: none. The one that had it last comes first,
 * for what the task has cached may be there still.
 */
static int take_resting(const struct hatch_task *task)
{
	uint64_t resting = task->sched->resting & (task->harts ? task->harts : UINT64_MAX);
	unsigned int hart = task->hart;

	if (!resting)
		return -1;
	if (!(resting >> hart & 1))
		hart = (unsigned int)__builtin_ctzll(resting);
	task->sched->resting &= ~(UINT64_C(1) << hart);
	return (int)hart;
}

int hatch_sched_find_resting(struct hatch_sched *sched)
{
	int hart = -1;

	for (const struct hatch_task *task = sched->tasks; task && hart < 0 && sched->resting;
	     task = task->next)
		if (task->state == HATCH_TASK_READY)
			hart = take_resting(task);
	return hart;
}

int hatch_sched_ready(struct hatch_task *task)
{
	task->woken = true;
	if (task->state != HATCH_TASK_IDLE && task->state != HATCH_TASK_STOPPED)
		return -1;
	enter(task);
	return take_resting(task);
}
