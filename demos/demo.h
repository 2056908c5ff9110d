/* SPDX-License-Identifier: MIT */
/*
 * What 02-first-try does step by step, for the demos after it: they show one new idea each.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdio.h>
#include <stdlib.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>
#include <hatch/try.h>

/* The demo's guest, as a flat program. */
extern const uint8_t guest_image[], guest_image_end[];

/* A world with the program in it, someone to live there, and a try around both. */
struct demo {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_catch on_exit; /* in the try's scope: the guest may end itself */
};

/* Ends the demo with a message unless `error` is 0. `step`: what was tried. */
void demo_need(int error, const char *step);

/* Makes the world and an empty try. */
void demo_begin(struct demo *demo);

/* Adds a clause to the try's scope. */
void demo_catch(struct demo *demo, struct hatch_catch *clause);

/* Says how the try ended and gives everything back; the status for main to return. */
int demo_end(struct demo *demo);

/* printf's %llu wants this type. */
static inline unsigned long long demo_number(uint64_t value)
{
	return value;
}

#endif
