/* SPDX-License-Identifier: MIT */
/* A host program with a bug: the machine must say so and end. Its guest runs meanwhile. */
#include <stdio.h>

#include "world.h"

GUEST(caller, "	ask 1\n"
	      "	quit\n");

static struct world w;

static enum hatch_verdict on_bug(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	volatile uint64_t *nothing = arg;

	(void)ev;
	return hatch_resume(k, *nothing);
}

int main(void)
{
	struct hatch_catch bug = HATCH_ON_HYPERCALL(WORLD_EID, on_bug, NULL);

	world_of(&w, caller);
	world_catch(&w, &bug);
	printf("the handler is about to read from NULL\n");
	world_run(&w);
	printf("and nobody noticed\n");
	return 0;
}
