/* SPDX-License-Identifier: MIT */
/* Turns: a continuation is resumed with a deadline, and the next catch captures it. */
#include "queue.h"

/* An idle task is looked at so often, in slices, even if nothing wakes it: a clock may have rung. */
enum { BEAT = 20 };

/* Whose turn it is on this hart. */
static _Thread_local struct hatch_task *turn;

static uint64_t now_of(const struct hatch_sched *sched)
{
	return sched->host.now(sched->host.arg);
}

static void alarm(const struct hatch_sched *sched, uint64_t ticks)
{
	sched->host.alarm(sched->host.arg, ticks);
}

/* ---- The catches that end a turn ---- */

static enum hatch_verdict suspend(struct hatch_cont *k, bool idles)
{
	turn->idles = idles;
	return hatch_cont_capture(k, &turn->captured);
}

static enum hatch_verdict on_late(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg, (void)ev;
	return suspend(k, false);
}

static enum hatch_verdict on_idle(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return suspend(k, !ev->wfi.store);
}

struct hatch_catch hatch_sched_yield_clause(struct hatch_sched *sched)
{
	return HATCH_ON_HYPERCALL_FUNCTION(HATCH_SCHED_EID, HATCH_SCHED_YIELD, on_late, sched);
}

/* ---- To wake ---- */

static void wake_hart(const struct hatch_sched *sched, int hart)
{
	if (hart >= 0)
		sched->host.wake(sched->host.arg, (unsigned int)hart);
}

void hatch_sched_wake(struct hatch_task *task)
{
	struct hatch_sched *sched = task->sched;
	int hart;

	hatch_lock_acquire(&sched->lock);
	hart = hatch_sched_ready(task);
	hatch_lock_release(&sched->lock);
	wake_hart(sched, hart);
}

static void on_woken(void *arg)
{
	hatch_sched_wake(arg);
}

static void wake_all(const struct hatch_sched *sched, uint64_t resting)
{
	for (; resting; resting &= resting - 1)
		wake_hart(sched, __builtin_ctzll(resting));
}

/* Around everything that is around the try. Tries that share scopes find it there. */
static void surround(struct hatch_scope *scope, struct hatch_scope *outermost)
{
	while (scope != outermost && scope->outer)
		scope = scope->outer;
	if (scope != outermost)
		scope->outer = outermost;
}

/* ---- A turn ---- */

static void run(struct hatch_task *task, uint64_t until)
{
	struct hatch_captured captured = task->captured;
	uint64_t guest_ticks = until + task->t->vcpu->confine.htimedelta;

	hatch_try_set_deadline(task->t, guest_ticks);
	task->captured.t = NULL;
	turn = task;
	if (captured.t)
		hatch_cont_resume(&captured, 0);
	else
		hatch_try_run(task->t);
	turn = NULL;
}

/* What becomes of a task whose turn is over. */
static enum hatch_task_state next_state(struct hatch_task *task, uint64_t now)
{
	bool over = !task->captured.t;
	bool goes_on = task->end ? task->end(task, over) : false;
	uint64_t beat = now + BEAT * task->sched->slice;

	if (over && goes_on)
		surround(task->t->innermost, &task->sched->scope); /* it may be another try now */
	if (over)
		return goes_on ? HATCH_TASK_READY : HATCH_TASK_OVER;
	if (!task->idles)
		return HATCH_TASK_READY;
	task->due = hatch_vcpu_due(task->t->vcpu);
	if (task->due > beat)
		task->due = beat;
	return task->due <= now ? HATCH_TASK_READY : HATCH_TASK_IDLE;
}

static void finish(struct hatch_task *task, uint64_t ticks, enum hatch_task_state state)
{
	struct hatch_sched *sched = task->sched;
	bool waits = state == HATCH_TASK_IDLE || state == HATCH_TASK_STOPPED;
	uint64_t resting;

	hatch_lock_acquire(&sched->lock);
	hatch_sched_turned(task, ticks, waits && task->woken ? HATCH_TASK_READY : state);
	resting = sched->left ? 0 : sched->resting;
	hatch_lock_release(&sched->lock);
	wake_all(sched, resting); /* they see that nothing is left */
}

static enum hatch_turn begin(struct hatch_task *task)
{
	enum hatch_turn turn_is = task->begin ? task->begin(task) : HATCH_TURN_TAKE;

	if (turn_is == HATCH_TURN_END && task->captured.t)
		hatch_cont_drop(&task->captured);
	if (turn_is == HATCH_TURN_END)
		task->captured.t = NULL;
	return turn_is;
}

static void take_turn(struct hatch_task *task, uint64_t from, uint64_t until)
{
	enum hatch_task_state state = HATCH_TASK_STOPPED;
	enum hatch_turn turn_is = begin(task);
	uint64_t now = from;

	if (turn_is == HATCH_TURN_TAKE)
		run(task, until);
	if (turn_is != HATCH_TURN_WAIT) {
		now = now_of(task->sched);
		state = next_state(task, now);
	}
	finish(task, now - from, state);
}

/* ---- A hart ---- */

static void rest(struct hatch_sched *sched, unsigned int hart, uint64_t due)
{
	alarm(sched, due);
	sched->host.wait(sched->host.arg);
	alarm(sched, HATCH_NEVER);
	hatch_lock_acquire(&sched->lock);
	sched->resting &= ~(UINT64_C(1) << hart);
	hatch_lock_release(&sched->lock);
}

/* What a hart does next: a turn, or else rest; until when. */
struct plan {
	struct hatch_task *task; /* NULL: none is ready */
	uint64_t from, until;
	int other; /* a hart that is to be woken, for there is more to do; -1: none */
	bool over; /* no task is left */
};

/* A task that becomes ready from here on finds a hart without a task in `resting`, and wakes it. */
static struct plan make_plan(struct hatch_sched *sched, unsigned int hart)
{
	struct plan plan = { .from = now_of(sched), .other = -1 };

	hatch_lock_acquire(&sched->lock);
	plan.over = !sched->left;
	plan.task = hatch_sched_pick(sched, hart, plan.from);
	if (plan.task) {
		plan.until = hatch_sched_until(sched, plan.from);
		plan.other = hatch_sched_find_resting(sched);
	} else {
		plan.until = hatch_sched_first_due(sched);
		sched->resting |= UINT64_C(1) << hart;
	}
	hatch_lock_release(&sched->lock);
	return plan;
}

void hatch_sched_serve(struct hatch_sched *sched, unsigned int hart)
{
	for (;;) {
		const struct plan plan = make_plan(sched, hart);

		if (plan.over)
			return;
		wake_hart(sched, plan.other);
		if (plan.task)
			take_turn(plan.task, plan.from, plan.until);
		else
			rest(sched, hart, plan.until);
	}
}

/* ---- To begin ---- */

int hatch_sched_init(struct hatch_sched *sched, const struct hatch_sched_host *host, uint64_t slice)
{
	int error;

	if (!host->now || !host->alarm || !host->wait || !host->wake || !slice)
		return HATCH_EINVAL;
	*sched = (struct hatch_sched){ .host = *host, .slice = slice };
	hatch_scope_init(&sched->scope, "scheduler", NULL);
	sched->late = HATCH_ON_DEADLINE(on_late, sched);
	sched->idle = HATCH_ON_WFI(on_idle, sched);
	error = hatch_catch_add(&sched->scope, &sched->late);
	return error ? error : hatch_catch_add(&sched->scope, &sched->idle);
}

static bool is_there(const struct hatch_sched *sched, const struct hatch_task *task)
{
	for (const struct hatch_task *other = sched->tasks; other; other = other->next)
		if (other == task || other->t == task->t)
			return true;
	return false;
}

static bool is_usable(const struct hatch_sched *sched, const struct hatch_task *task)
{
	const struct hatch_share *share = task->share;

	return task->t && share && share->weight && share->weight <= HATCH_SCHED_WEIGHT_MAX &&
	       !is_there(sched, task);
}

/* With the lock. Returns a hart that is to be woken for the task, or -1. */
static int append(struct hatch_sched *sched, struct hatch_task *task)
{
	struct hatch_task **link = &sched->tasks;

	while (*link)
		link = &(*link)->next;
	*link = task;
	sched->left++;
	return hatch_sched_ready(task);
}

int hatch_sched_add(struct hatch_sched *sched, struct hatch_task *task)
{
	int error, hart = -1;

	hatch_lock_acquire(&sched->lock);
	error = is_usable(sched, task) ? HATCH_OK : HATCH_EINVAL;
	if (!error && (task->t->entered || task->t->suspended))
		error = HATCH_ESEALED;
	if (!error) {
		surround(task->t->innermost, &sched->scope);
		task->sched = sched;
		task->state = HATCH_TASK_STOPPED;
		task->captured.t = NULL;
		task->turns = task->moves = 0;
		task->next = NULL;
		task->t->vcpu->woken = on_woken;
		task->t->vcpu->woken_arg = task;
		hart = append(sched, task);
	}
	hatch_lock_release(&sched->lock);
	wake_hart(sched, hart);
	return error;
}
