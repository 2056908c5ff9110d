/* SPDX-License-Identifier: MIT */
/* A QEMU that runs, and our ends of what it says. */
#ifndef HATCH_LIBRARY_LAUNCH_H
#define HATCH_LIBRARY_LAUNCH_H

#include "child.h"
#include "machine.h"
#include "process.h"
#include "tail.h"

/* The board says it first thing: what firmware printed ends here. */
#define HATCH_BOARD_MARKER "\033_hatch\033\\"

/* Zero it, then hatch_launch_clear. */
struct hatch_launched {
	struct hatch_process qemu;
	int port[HATCH_PORTS]; /* our ends; negative: shut */
	int output[2];	       /* its serial line, its complaints */
	struct hatch_tail said[2];
	bool board; /* its program is up: what failed before is QEMU's matter */
};

void hatch_launch_clear(struct hatch_launched *launched);

/*
 * Starts it with the words for START, and with KEEP (a negative one: none) as one more descriptor.
 * Errors: ENOENT, ERESOURCE.
 */
int hatch_launch(struct hatch_launched *launched, const struct hatch_plan *plan,
		 struct hatch_machine_start *start, int keep, struct hatch_problem *problem);

/* Kills and reaps it. Returns its wait status, -1 if unknown. */
int hatch_launch_end(struct hatch_launched *launched);

/* Shuts what is open. */
void hatch_launch_close(struct hatch_launched *launched);

/* Reads what it says, until nothing more is there. */
void hatch_launch_hear(struct hatch_launched *launched);

/* Its serial line said that. */
void hatch_launch_note(struct hatch_launched *launched, const char *data, size_t size);

/* Why it ended before its time; STATUS as of hatch_launch_end. EMACHINE, or EIO for a busy disk. */
int hatch_launch_blame(const struct hatch_launched *launched, int status, const char *when,
		       struct hatch_problem *problem);

#endif
