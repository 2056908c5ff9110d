/* SPDX-License-Identifier: MIT */
/* The serial line: bytes both ways between this process's standard streams and the machine. */
#ifndef HATCH_COMMAND_RELAY_H
#define HATCH_COMMAND_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "marker.h"

enum hatch_relay_end {
	HATCH_RELAY_ENDED, /* the machine closed its line */
	HATCH_RELAY_LEFT,  /* the user typed Ctrl-A X */
	HATCH_RELAY_TIMEOUT,
};

/* The markers, in the order in which they come. */
enum hatch_relay_stage {
	HATCH_RELAY_BOARD,
	HATCH_RELAY_READY,
	HATCH_RELAY_STAGES,
};

/* Owned by the caller, zeroed but for what is said. */
struct hatch_relay {
	int to_machine; /* set by the caller; closed by nobody here, likewise the next two */
	int from_machine;
	int errors;					/* the machine's standard error */
	double timeout;					/* seconds; 0: none */
	struct hatch_marker marker[HATCH_RELAY_STAGES]; /* the caller sets each `text` */
	enum hatch_relay_stage show_after; /* output ahead of this marker is held back */
	/* Input waits for this one: bytes for a console that nobody has opened would be lost. */
	enum hatch_relay_stage read_after;
	/*
	 * A command runs, rather than somebody at a console: the terminal stays as it is, and the
	 * end of input is told to the guest's terminal as Ctrl-D (a serial line has no other way).
	 */
	bool batch;
	size_t complaint_length;
	char complaint[16 * 1024]; /* standard error before the first marker */
};

/*
 * Relays until the machine closes its line. Returns why it ended. Standard output that cannot be
 * written ends the program.
 */
enum hatch_relay_end hatch_relay_run(struct hatch_relay *relay);

#endif
