/* SPDX-License-Identifier: MIT */
/* Turns on one hart: how they begin, what ends them, and what comes of a task then. */
#include "sched_world.h"

static void test_all_end(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		add(i, 1000 + 77 * i, 1, NULL);
	hatch_sched_serve(&sched, 0);
	assert_int_equal(now, 1000 + 4 * 1000 + 77 * 6);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(programs[i].work, 0);
		assert_int_equal(programs[i].share.ticks, 1000 + 77 * i);
		assert_int_equal(programs[i].task.state, HATCH_TASK_OVER);
		assert_in_range(programs[i].task.turns, 10, 13);
		assert_int_equal(programs[i].task.moves, 0);
	}
}

/* While one naps the other works: no time is lost but where both nap. */
static void test_naps(void **state)
{
	struct program *busy, *sleepy;

	(void)state;
	busy = add(0, 10000, 1, NULL);
	sleepy = add(1, 100, 1, NULL);
	sleepy->piece = 10;
	sleepy->nap = 500;
	hatch_sched_serve(&sched, 0);
	assert_int_equal(sleepy->naps, 9);
	assert_int_equal(now, 1000 + 10000 + 100);
	assert_int_equal(busy->share.ticks, 10000);
	assert_int_equal(sleepy->share.ticks, 100);
}

static void test_all_nap(void **state)
{
	struct program *p;

	(void)state;
	p = add(0, 30, 1, NULL);
	p->piece = 10;
	p->nap = 700;
	hatch_sched_serve(&sched, 0);
	assert_int_equal(now, 1000 + 30 + 2 * 700);
}

/* Who waits for nothing that is known is looked at now and then all the same. */
static void test_beat(void **state)
{
	struct program *p;

	(void)state;
	p = add(0, 20, 1, NULL);
	p->piece = 10;
	hatch_sched_serve(&sched, 0);
	assert_in_range(now, 1000 + 20 + SLICE, 1000 + 20 + 50 * SLICE);
}

static enum hatch_turn began(struct hatch_task *task)
{
	unsigned int *count = task->arg;

	return ++*count == 1 ? HATCH_TURN_WAIT : HATCH_TURN_TAKE;
}

static bool goes_on_once(struct hatch_task *task, bool over)
{
	struct program *p = program_of(task->t);

	if (!over || p->piece)
		return false;
	p->piece = 1; /* the next end is the last */
	p->work = 1;
	return true;
}

/* A task that has nothing to do waits until it is woken; one that is over may go on. */
static void test_hooks(void **state)
{
	unsigned int count = 0;
	struct program *p, *other;

	(void)state;
	p = add(0, 50, 1, NULL);
	p->task.begin = began;
	p->task.end = goes_on_once;
	p->task.arg = &count;
	hatch_sched_pick(&sched, 0, now);
	hatch_sched_turned(&p->task, 0, HATCH_TASK_STOPPED);
	assert_null(hatch_sched_pick(&sched, 0, now));
	hatch_vcpu_raise(&p->vcpu, HVIP_VSSIP);
	assert_int_equal(p->task.state, HATCH_TASK_READY);
	other = add(1, 300, 1, NULL);
	count = 1;
	hatch_sched_serve(&sched, 0);
	assert_int_equal(count, 3);
	assert_int_equal(p->share.ticks, 51);
	assert_int_equal(other->share.ticks, 300);
}

static enum hatch_turn ends(struct hatch_task *task)
{
	return task->turns > 3 ? HATCH_TURN_END : HATCH_TURN_TAKE;
}

static bool note_end(struct hatch_task *task, bool over)
{
	*(unsigned int *)task->arg += over;
	return false;
}

/* What is in the middle of something is dropped, and may be added again, as another try. */
static void test_ended_by_hook(void **state)
{
	unsigned int over = 0;
	struct program *p;

	(void)state;
	p = add(0, UINT64_MAX, 1, NULL);
	p->task.begin = ends;
	p->task.end = note_end;
	p->task.arg = &over;
	hatch_sched_serve(&sched, 0);
	assert_int_equal(over, 1);
	assert_false(p->t.suspended);
	assert_int_equal(p->share.ticks, 3 * SLICE);
	assert_int_equal(hatch_sched_add(&sched, &p->task), HATCH_OK);
	p->task.begin = NULL;
	p->work = 10;
	hatch_sched_serve(&sched, 0);
	assert_int_equal(over, 2);
}

/* An interrupt that comes while the turn is on its way to its end is not lost. */
static void test_woken_in_turn(void **state)
{
	struct program *p;

	(void)state;
	p = add(0, 50, 1, NULL);
	assert_ptr_equal(hatch_sched_pick(&sched, 0, now), &p->task);
	assert_false(p->task.woken);
	hatch_sched_wake(&p->task);
	assert_int_equal(p->task.state, HATCH_TASK_RUNS);
	assert_true(p->task.woken);
}

static void test_refusals(void **state)
{
	const struct hatch_sched_host host = { host_now, host_alarm, host_wait, NULL, NULL };
	struct hatch_share share = { .weight = 1 }, none = { .weight = 0 };
	struct hatch_task task = { .share = &share };
	struct program *p = add(0, 1, 1, NULL);

	(void)state;
	assert_int_equal(hatch_sched_add(&sched, &p->task), HATCH_EINVAL);
	assert_int_equal(hatch_sched_add(&sched, &task), HATCH_EINVAL);
	task.t = &p->t;
	assert_int_equal(hatch_sched_add(&sched, &task), HATCH_EINVAL);
	task.t = &programs[1].t;
	programs[1].t.innermost = &programs[1].t.scope;
	programs[1].t.vcpu = &programs[1].vcpu;
	task.share = &none;
	assert_int_equal(hatch_sched_add(&sched, &task), HATCH_EINVAL);
	task.share = &share;
	programs[1].t.entered = true;
	assert_int_equal(hatch_sched_add(&sched, &task), HATCH_ESEALED);
	assert_int_equal(hatch_sched_init(&sched, &host, SLICE), HATCH_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_end, setup),
		cmocka_unit_test_setup(test_naps, setup),
		cmocka_unit_test_setup(test_all_nap, setup),
		cmocka_unit_test_setup(test_beat, setup),
		cmocka_unit_test_setup(test_hooks, setup),
		cmocka_unit_test_setup(test_ended_by_hook, setup),
		cmocka_unit_test_setup(test_woken_in_turn, setup),
		cmocka_unit_test_setup(test_refusals, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
