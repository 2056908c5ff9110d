/* SPDX-License-Identifier: MIT */
#include <hatch/csr.h>
#include "apply.h"

/* What can be thrown is a data fault, and throws no other: a chain of events has two links. */
#define DATA_FAULT (HATCH_MAY_ALL & ~HATCH_MAY(HATCH_THROW))

/* No instruction is to blame: nothing to step over, nothing to raise. */
#define BETWEEN	   (DATA_FAULT & ~HATCH_MAY(HATCH_SKIP) & ~HATCH_MAY(HATCH_INJECT))

static bool is_between(const struct hatch_event *ev)
{
	return ev->kind == HATCH_INTERRUPT || ev->kind == HATCH_DEADLINE;
}

static const unsigned int allowed[HATCH_KINDS] = {
	[HATCH_HYPERCALL] = HATCH_MAY_ALL,
	[HATCH_SYSCALL] = HATCH_MAY_ALL,
	[HATCH_MMIO] = DATA_FAULT,
	/* Nobody knows the value that the access would have had: a page is mended, not answered. */
	[HATCH_PAGE] = DATA_FAULT & ~HATCH_MAY(HATCH_RESUME),
	[HATCH_ILLEGAL] = HATCH_MAY_ALL,
	[HATCH_CSR] = HATCH_MAY_ALL,
	[HATCH_WFI] = HATCH_MAY_ALL,
	[HATCH_BREAKPOINT] = HATCH_MAY_ALL,
	[HATCH_FAULT] = DATA_FAULT & ~HATCH_MAY(HATCH_RESUME),
	[HATCH_INTERRUPT] = BETWEEN,
	[HATCH_DEADLINE] = BETWEEN,
};

int hatch_apply_check(const struct hatch_event *ev, enum hatch_verdict verdict)
{
	bool steps = verdict == HATCH_RESUME || verdict == HATCH_SKIP;

	if (!(allowed[ev->kind] & HATCH_MAY(verdict)))
		return HATCH_EVERDICT;
	if (steps && ev->length == 0 && !is_between(ev))
		return HATCH_EVERDICT;
	/* A compressed encoding that the CPU rejects has no agreed place for rd. */
	if (verdict == HATCH_RESUME && ev->kind == HATCH_ILLEGAL && ev->length != 4)
		return HATCH_EVERDICT;
	return 0;
}

static void answer_load(struct hatch_vcpu *vcpu, const struct hatch_event *ev, uint64_t value)
{
	/* A narrower value in an f register is NaN-boxed: ones above (Unprivileged ISA, 21.2). */
	if (ev->mmio.fp)
		vcpu->fp[ev->mmio.rd] =
			ev->mmio.width == 8 ? value : value | UINT64_MAX << 8 * ev->mmio.width;
	else
		hatch_apply_load(&vcpu->frame, ev->mmio.rd,
				 hatch_insn_extend(value, ev->mmio.width, ev->mmio.sign));
}

static void answer(struct hatch_vcpu *vcpu, const struct hatch_event *ev,
		   const struct hatch_cont *k)
{
	switch (ev->kind) {
	case HATCH_MMIO:
		if (!ev->mmio.write)
			answer_load(vcpu, ev, k->value);
		break;
	case HATCH_CSR:
		hatch_apply_load(&vcpu->frame, ev->csr.rd, k->value);
		break;
	case HATCH_ILLEGAL:
		hatch_apply_load(&vcpu->frame, ev->illegal.encoding >> 7 & 31, k->value);
		break;
	default:
		break;
	}
}

void hatch_apply(struct hatch_vcpu *vcpu, const struct hatch_event *ev, struct hatch_cont *k)
{
	bool call = ev->kind == HATCH_HYPERCALL || ev->kind == HATCH_SYSCALL;

	if (call && k->verdict == HATCH_RESUME) {
		hatch_apply_call(&vcpu->frame, k);
		return;
	}
	if (k->verdict == HATCH_RESUME)
		answer(vcpu, ev, k);
	if (k->verdict == HATCH_RESUME || k->verdict == HATCH_SKIP)
		vcpu->frame.pc += ev->length;
	k->pair = false; /* only a call has room for a second value */
}

void hatch_apply_exception(struct hatch_frame *frame, struct hatch_vs_csrs *vs, uint64_t cause,
			   uint64_t tval)
{
	uint64_t status = vs->vsstatus & ~(SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE);

	if (vs->vsstatus & SSTATUS_SIE)
		status |= SSTATUS_SPIE;
	status |= frame->sstatus & SSTATUS_SPP;
	vs->vsstatus = status;
	vs->vsepc = frame->pc;
	vs->vscause = cause;
	vs->vstval = tval;
	frame->pc = vs->vstvec & ~3UL;
	frame->sstatus |= SSTATUS_SPP;
}
