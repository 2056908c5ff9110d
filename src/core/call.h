/* SPDX-License-Identifier: MIT */
/* What the files of the call form share. The numbers are for call_door.S, proved in call.c. */
#ifndef HATCH_CORE_CALL_H
#define HATCH_CORE_CALL_H

#define CALL_BOX	0
#define CALL_FUNCTION	8
#define CALL_ARGUMENTS	16
#define CALL_ANSWER	20
#define CALL_OUTCOME	24 /* and the stop behind it */
#define CALL_VALUE	32

#define BOX_STATE	0
#define BOX_TICKS	8
#define BOX_STACK_TOP	16
#define BOX_TLS		24
#define BOX_TRY		32
#define BOX_VCPU	40
#define BOX_IS_RUNNING	1

/* Where hatch_enter keeps the return address and the vcpu on the host's stack. */
#define STACK_RA	0
#define STACK_VCPU	112

/* Bytes that are never mapped below the stack, and between the other parts of a box. */
#define BOX_STACK_GUARD 16384
#define BOX_GUARD	4096

#ifndef __ASSEMBLER__
#include <hatch/call.h>

/* call_door.S; addresses in the box */
extern const uint8_t hatch_call_return[];

/* Called by call_door.S: does the call and fills frame->result. */
void hatch_call_run(struct hatch_call_frame *frame);

/* The same from the first trap on, after the short road. */
void hatch_call_go_on(struct hatch_call_frame *frame);

/* Asks the offered function that the box names in a0. False: the call is over, *result says why. */
bool hatch_box_answer(struct hatch_box *box, struct hatch_call_result *result);

/* Says in *result how the trap that box->t.event was decoded from ends the call. Pure. */
void hatch_box_explain(const struct hatch_box *box, const struct hatch_trap *trap,
		       struct hatch_call_result *result);
#endif

#endif
