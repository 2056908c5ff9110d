/* SPDX-License-Identifier: MIT */
/* Several harts, and tasks that are always ready: who is given which turn. */
#include "sched_world.h"

struct hart {
	struct hatch_task *task;
	uint64_t from, until;
};

/* `harts` harts, each a turn after the other, for so many ticks; all tasks are always ready. */
static void play(unsigned int harts, uint64_t ticks)
{
	struct hart hart[4] = { 0 };
	uint64_t end = now + ticks;

	while (now < end) {
		unsigned int next = 0;

		for (unsigned int i = 0; i < harts; i++)
			if (hart[i].until < hart[next].until)
				next = i;
		if (hart[next].until > now)
			now = hart[next].until;
		if (hart[next].task)
			hatch_sched_turned(hart[next].task, now - hart[next].from,
					   HATCH_TASK_READY);
		hart[next] = (struct hart){ hatch_sched_pick(&sched, next, now), now, now + SLICE };
	}
	for (unsigned int i = 0; i < harts; i++)
		if (hart[i].task)
			hatch_sched_turned(hart[i].task, now - hart[i].from, HATCH_TASK_READY);
}

static void expect_share(const struct hatch_share *share, uint64_t ticks)
{
	assert_in_range(share->ticks, ticks - ticks / 50, ticks + ticks / 50);
}

/* Four guests of two vcpus each, on two harts. */
static void test_weights(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		add(i, UINT64_MAX, i / 2 + 1, i % 2 ? &programs[i - 1].share : NULL);
	play(2, 1000 * SLICE);
	for (unsigned int i = 0; i < 8; i += 2)
		expect_share(&programs[i].share, 2 * 1000 * SLICE * (i / 2 + 1) / 10);
}

/* A guest with one vcpu cannot have more than one hart; what it cannot use the others have. */
static void test_more_than_it_can_use(void **state)
{
	(void)state;
	add(0, UINT64_MAX, 100, NULL);
	add(1, UINT64_MAX, 1, NULL);
	add(2, UINT64_MAX, 1, NULL);
	play(2, 1000 * SLICE);
	expect_share(&programs[0].share, 1000 * SLICE);
	expect_share(&programs[1].share, 500 * SLICE);
	expect_share(&programs[2].share, 500 * SLICE);
}

static void test_pinned(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		programs[i].task.harts = i < 2 ? 1 : 0;
		add(i, UINT64_MAX, 1, NULL);
	}
	play(2, 1000 * SLICE);
	assert_int_equal(programs[0].task.moves + programs[1].task.moves, 0);
	assert_int_equal(programs[0].task.hart + programs[1].task.hart, 0);
	expect_share(&programs[0].share, 500 * SLICE);
	expect_share(&programs[1].share, 500 * SLICE);
	expect_share(&programs[2].share, 1000 * SLICE);
}

/* Who slept for long gets its share from now on, not all that it has missed. */
static void test_late_riser(void **state)
{
	struct hatch_task *late;

	(void)state;
	late = &add(0, UINT64_MAX, 1, NULL)->task;
	assert_ptr_equal(hatch_sched_pick(&sched, 0, now), late);
	late->due = HATCH_NEVER;
	hatch_sched_turned(late, 0, HATCH_TASK_IDLE);
	add(1, UINT64_MAX, 1, NULL);
	play(1, 1000 * SLICE);
	hatch_sched_wake(late);
	play(1, 1000 * SLICE);
	expect_share(late->share, 500 * SLICE);
	expect_share(&programs[1].share, 1500 * SLICE);
}

/* A resting hart is woken for what it may run, once. */
static void test_wakes_a_hart(void **state)
{
	struct hatch_task *task;

	(void)state;
	programs[0].task.harts = 1 << 2 | 1 << 3;
	task = &add(0, UINT64_MAX, 1, NULL)->task;
	assert_null(hatch_sched_pick(&sched, 0, now));
	assert_ptr_equal(hatch_sched_pick(&sched, 3, now), task);
	hatch_sched_turned(task, 0, HATCH_TASK_STOPPED);
	sched.resting = 1 << 0 | 1 << 2 | 1 << 3;
	hatch_sched_wake(task);
	hatch_sched_wake(task);
	assert_int_equal(woken[0] + woken[2], 0);
	assert_int_equal(woken[3], 1); /* where it was last */
	assert_int_equal(hatch_sched_find_resting(&sched), 2);
	assert_int_equal(hatch_sched_find_resting(&sched), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_weights, setup),
		cmocka_unit_test_setup(test_more_than_it_can_use, setup),
		cmocka_unit_test_setup(test_pinned, setup),
		cmocka_unit_test_setup(test_late_riser, setup),
		cmocka_unit_test_setup(test_wakes_a_hart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
