/* SPDX-License-Identifier: MIT */
/*
 * What the guest and its host have agreed on: three calls.
 */
#ifndef CHOICE_H
#define CHOICE_H

#define CHOICE_EID 0x0843484f

enum choice_call {
	CHOICE_OF = 0,	 /* a0: n, up to CHOICE_MOST -> a0: the right one of 0 to n-1 */
	CHOICE_FAIL = 1, /* that was not the right one. Does not return. */
	CHOICE_SHOW = 2, /* a0: address of the board: eight ints, the column of each row */
};

#define CHOICE_MOST 8

#endif
