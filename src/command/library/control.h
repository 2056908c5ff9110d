/* SPDX-License-Identifier: MIT */
/* The talk with the agent about the program's life: HELLO, SETUP, START, STARTED, EXITED. */
#ifndef HATCH_LIBRARY_CONTROL_H
#define HATCH_LIBRARY_CONTROL_H

#include <poll.h>

#include "child.h"
#include "frames.h"

struct hatch_control {
	int port;
	const struct hatch_plan *plan;
	bool hello;	    /* the guest is up */
	bool started;	    /* the program runs */
	bool exited;	    /* and has ended, so: */
	uint32_t end, code; /* enum hatch_agent_end */
	char text[400];
	struct hatch_outlet outlet;
	struct hatch_inlet inlet;
};

void hatch_control_prepare(const struct hatch_control *control, struct pollfd *place);
void hatch_control_serve(struct hatch_control *control, const struct pollfd *place,
			 struct hatch_problem *problem);

/* For a program that has started. */
void hatch_control_signal(struct hatch_control *control, int number);
void hatch_control_resize(struct hatch_control *control, unsigned int rows, unsigned int columns);

/* What EXITED said, in our words. */
void hatch_control_judge(const struct hatch_control *control, struct hatch_exit *exit);

#endif
