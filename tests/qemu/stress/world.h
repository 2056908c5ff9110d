/* SPDX-License-Identifier: MIT */
/* What the stress guest and its host have agreed on. */
#ifndef STRESS_WORLD_H
#define STRESS_WORLD_H

#include <hatch/abi.h>

#define STRESS_HARTS	    4
#define STRESS_RAM_SIZE	    0x200000 /* bytes, at HATCH_GUEST_RAM */

/* RAM whose pages come at the first touch. */
#define STRESS_LAZY	    0x90000000
#define STRESS_LAZY_PAGES   2048

/* RAM that the host takes away and moves while the guest works in it; a tag in each page. */
#define STRESS_WINDOW	    0xa0000000
#define STRESS_WINDOW_PAGES 32
#define STRESS_TAG	    0x7769 /* the page's number above it */

/* A device: a word for each hart, whether to go on, and the source's line to be lowered. */
#define STRESS_DEVICE	    0x10002000
#define STRESS_STOP	    (8 * STRESS_HARTS)
#define STRESS_LOWER	    (8 * STRESS_HARTS + 8)
#define STRESS_DEVICE_SIZE  0x100

#define STRESS_SOURCE	    5 /* at the PLIC, raised by the host now and then */

/* What went wrong: the guest's status. */
enum stress_fault {
	STRESS_FINE,
	STRESS_LOST_IPI,
	STRESS_LOST_FENCE,   /* a translation that was changed is still in use */
	STRESS_LOST_WORD,    /* memory does not hold what this hart has stored */
	STRESS_WRONG_TAG,    /* a page stands where it should not */
	STRESS_WRONG_DEVICE, /* another hart's value */
	STRESS_WRONG_STATE,  /* of another hart, as HSM tells it */
	STRESS_REFUSED,	     /* a call */
	STRESS_LOST_TIMER,
	STRESS_TRAP, /* an exception */
};

#endif
