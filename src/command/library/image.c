/* SPDX-License-Identifier: MIT */
#include "image.h"

int hatch_image_plan(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem)
{
	(void)plan;
	return hatch_problem_set(problem, HATCH_COMMAND_EINVAL, "images: %s: not made yet",
				 command->image);
}

int hatch_image_make(struct hatch_child *child, struct hatch_problem *problem)
{
	(void)child, (void)problem;
	return 0;
}
