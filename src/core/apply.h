/* SPDX-License-Identifier: MIT */
/*
 * The one place where a verdict changes the guest. Pure: works on the frame and the copies of
 * the CSRs; try.c moves those between memory and hardware.
 */
#ifndef HATCH_CORE_APPLY_H
#define HATCH_CORE_APPLY_H

#include <hatch/cont.h>

/*
 * Whether the verdict makes sense for the event; HATCH_EVERDICT if not. Nothing is changed.
 */
int hatch_apply_check(const struct hatch_event *ev, enum hatch_verdict verdict);

/*
 * Does RESUME, SKIP and RETRY: moves the pc, writes the result. The verdict was checked.
 * A floating-point result goes to vcpu->fp, which must be the true copy then.
 */
void hatch_apply(struct hatch_vcpu *vcpu, const struct hatch_event *ev, struct hatch_cont *k);

/*
 * Does INJECT: what the hardware does when an exception is taken into VS-mode
 * (Privileged ISA 20240411, 10.1.1, 10.1.2, 18.6.2): SPP, SPIE and SIE, vsepc, vscause, vstval,
 * and the pc at vstvec without its mode bits.
 */
void hatch_apply_exception(struct hatch_frame *frame, struct hatch_vs_csrs *vs, uint64_t cause,
			   uint64_t tval);

/* The two answers that the fast path gives too. */
static inline void hatch_apply_call(struct hatch_frame *frame, struct hatch_cont *k)
{
	frame->x[10] = k->value;
	if (k->pair) {
		frame->x[11] = k->second;
		k->pair = false;
	}
	frame->pc += 4;
}

static inline void hatch_apply_load(struct hatch_frame *frame, unsigned int rd, uint64_t value)
{
	frame->x[rd] = value;
	frame->x[0] = 0;
}

/* All registers as after a reset (vcpu.c). The vcpu is not live. */
void hatch_vcpu_clear(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t a0, uint64_t a1);

/* Lets go of what interrupts are pending for a vcpu that is on no hart. */
void hatch_vcpu_calm(struct hatch_vcpu *vcpu);

#endif
