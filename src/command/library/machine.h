/* SPDX-License-Identifier: MIT */
/* QEMU's words: the board, the program that boots Linux, what it is given, the agent's ports. */
#ifndef HATCH_LIBRARY_MACHINE_H
#define HATCH_LIBRARY_MACHINE_H

#include "plan.h"

/* What one start of a machine is, besides the plan. */
struct hatch_machine_start {
	const char *snapshot;	/* a file to go on from; NULL: from the beginning */
	uint64_t snapshot_size; /* bytes */
	bool template;		/* no devices, no ports: it ends by leaving a snapshot in `ram` */
	int ram;		/* of a template: the file that is the machine's RAM */
	int port[HATCH_PORTS];	/* else: descriptors that QEMU inherits */
	uint64_t save_at;	/* of a template, set here: where in `ram` the snapshot will be */
};

/* Errors: ERESOURCE. */
int hatch_machine_words(const struct hatch_plan *plan, struct hatch_machine_start *start,
			struct hatch_words *words, struct hatch_problem *problem);

#endif
