/* SPDX-License-Identifier: MIT */
/*
 * What the guests and their host have agreed on.
 */
#ifndef TURN_H
#define TURN_H

#define TURN_EID 0x08545552

enum turn_call {
	TURN_SAY = 0,	/* a0: number. The host notes it. */
	TURN_YIELD = 1, /* the others may run now */
};

/* What a guest is: its a0. In a1 it is told how many ticks of its clock a nap has. */
enum turn_guest {
	TURN_BUSY,
	TURN_POLITE,
	TURN_SLEEPY,
	TURN_BROKEN,
	TURN_GUESTS,
};

#endif
