/* SPDX-License-Identifier: MIT */
/* One machine, from the start of QEMU to its end. */
#ifndef HATCH_LIBRARY_RUN_H
#define HATCH_LIBRARY_RUN_H

#include "child.h"
#include "machine.h"

/* How it came out. */
enum hatch_run_end {
	HATCH_RUN_OVER,	      /* how is in *exit */
	HATCH_RUN_NOT_LOADED, /* the snapshot did no good: nothing was read or written yet */
	HATCH_RUN_FAILED,     /* PROBLEM: the machine could not be started at all */
};

enum hatch_run_end hatch_run(struct hatch_child *child, struct hatch_machine_start *start, int keep,
			     struct hatch_exit *exit, struct hatch_problem *problem);

#endif
