/* SPDX-License-Identifier: MIT */
/*
 * The trees of tests/model in the machine: guests of real instructions, the real door, the real
 * translation; and each must go as the model says.
 */
#include <inttypes.h>
#include <stdio.h>

#include <hatch/board.h>

#include "check.h"
#include "shrink.h"

#define TREES	 250 /* in each check */
#define SEED	 1000000
#define PATIENCE 100000000 /* ticks: 10 s for a tree, then an interrupt that no model expects */

static const struct plan_limits limits = {
	.machine = true, .capture = true, .clone = true, .transaction = true, .stray = true
};
static struct plan plan;

static void show(uint64_t seed)
{
	check_say("tree %" PRIu64 " is not as the model says; made smaller:", seed);
	shrink(&plan);
	plan_show(&plan);
	shrink_show(&plan);
}

static void run_trees(uint64_t seed)
{
	for (uint64_t i = 0; i < TREES; i++) {
		bool differs;

		plan_make(&plan, seed + i, &limits);
		hatch_board_timer(hatch_board_ticks() + PATIENCE);
		differs = shrink_differs(&plan);
		hatch_board_timer(HATCH_NEVER);
		if (differs)
			show(seed + i);
		if (!check_that(!differs, __LINE__, "tree %" PRIu64 " differs", seed + i))
			return;
	}
	check_say("trees %" PRIu64 " to %" PRIu64 " are as the model says", seed, seed + TREES - 1);
}

static void first_trees(void)
{
	run_trees(SEED);
}

static void second_trees(void)
{
	run_trees(SEED + TREES);
}

static void third_trees(void)
{
	run_trees(SEED + 2 * TREES);
}

static void fourth_trees(void)
{
	run_trees(SEED + 3 * TREES);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(first_trees),
		CHECK(second_trees),
		CHECK(third_trees),
		CHECK(fourth_trees),
	};
	int status = check_all(checks, sizeof(checks) / sizeof(checks[0]));

	if (!status)
		shrink_summary();
	return status;
}
