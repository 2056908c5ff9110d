/* SPDX-License-Identifier: MIT */
#include "persist.h"

int hatch_persist_plan(struct hatch_plan *plan, const char *name, struct hatch_problem *problem)
{
	(void)plan;
	return hatch_problem_set(problem, HATCH_COMMAND_EINVAL, "keeping %s: not made yet", name);
}

int hatch_persist_make(struct hatch_child *child, struct hatch_problem *problem)
{
	(void)child, (void)problem;
	return 0;
}
