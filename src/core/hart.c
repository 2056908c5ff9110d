/* SPDX-License-Identifier: MIT */
#include <hatch/csr.h>
#include "hart.h"
#include "offsets.h"

static _Thread_local struct hatch_hart this_hart;

struct hatch_hart *hatch_hart_this(void)
{
	return &this_hart;
}

const struct hatch_hart_facts *hatch_hart_facts(void)
{
	return &this_hart.facts;
}

/*
 * Reads a CSR that may not be there: while it tries, a trap goes to the line behind. Interrupts
 * are off, and nothing of a guest is loaded yet.
 */
#define csr_probe(name)                                                                            \
	({                                                                                         \
		unsigned long missing_ = 1, old_;                                                  \
		__asm__ volatile("	la %1, 1f\n"                                                    \
				 "	csrrw %1, stvec, %1\n"                                          \
				 "	csrr zero, " #name "\n"                                    \
				 "	li %0, 0\n"                                                     \
				 "	.balign 4\n"                                                    \
				 "1:	csrw stvec, %1\n"                                             \
				 : "+r"(missing_), "=&r"(old_)::"memory");                         \
		!missing_;                                                                         \
	})

/* The smallest translation that the machine offers: fewer levels, shorter walks. */
static bool find_gstage_mode(struct hatch_hart_facts *facts)
{
	static const enum hatch_gstage_mode modes[] = { HATCH_SV39X4, HATCH_SV48X4 };

	for (unsigned int i = 0; i < 2; i++) {
		csr_write(hgatp, (uint64_t)modes[i] << HGATP_MODE_SHIFT);
		if (csr_read(hgatp) >> HGATP_MODE_SHIFT == modes[i]) {
			facts->gstage_mode = modes[i];
			return true;
		}
	}
	return false;
}

static void find_facts(struct hatch_hart_facts *facts)
{
	uint64_t vmids;

	csr_write(hgatp, (uint64_t)facts->gstage_mode << HGATP_MODE_SHIFT |
				 HGATP_VMID_MASK << HGATP_VMID_SHIFT);
	vmids = csr_read(hgatp) >> HGATP_VMID_SHIFT & HGATP_VMID_MASK;
	facts->vmid_bits = (unsigned int)__builtin_popcountll(vmids);
	csr_write(hgatp, 0);
	facts->henvcfg = 0;
	if (csr_probe(henvcfg)) {
		csr_write(henvcfg, ~0UL);
		facts->henvcfg = csr_read(henvcfg);
		csr_write(henvcfg, 0);
	}
	facts->sstc = (facts->henvcfg & HENVCFG_STCE) && csr_probe(vstimecmp);
	if (!facts->sstc) /* QEMU 7.2 lets STCE be set on a hart without Sstc */
		facts->henvcfg &= ~HENVCFG_STCE;
	facts->stateen = csr_probe(hstateen0);
}

int hatch_hart_init(uint64_t id, hatch_host_trap_fn *report)
{
	struct hatch_hart *hart = &this_hart;

	csr_clear(sstatus, SSTATUS_SIE);
	if (!csr_probe(hstatus) || !find_gstage_mode(&hart->facts))
		return HATCH_ENOTSUP;
	find_facts(&hart->facts);
	hart->id = id;
	hart->report = report;
	hart->current = NULL;
	hart->vmid_generation = 1;
	hart->vmid_next = 1;
	hart->alarm = hart->deadline = HATCH_NEVER;
	hart->programmed = 0; /* whatever it was: now it is set */
	hatch_hart_alarm(HATCH_NEVER);
	hart->frame.host_sp = (uint64_t)(hart->emergency + sizeof(hart->emergency));
	csr_write(sscratch, &hart->frame);
	csr_write(stvec, hatch_vector);
	csr_set(sie, 1UL << IRQ_S_SOFT); /* other harts' way to this one: hatch_hart_kick */
	return 0;
}

/*
 * A trap of the host itself. One cause is expected: floating point is switched off while the
 * registers hold a guest's values, so that a handler that never uses it pays nothing; the first
 * such instruction comes here, the guest's values are put aside, and it runs again.
 */
void hatch_host_trap(struct hatch_frame *frame);
void hatch_host_trap(struct hatch_frame *frame)
{
	struct hatch_trap trap;
	struct hatch_vcpu *vcpu = this_hart.current;

	hatch_vcpu_trap(&trap);
	if (trap.scause != CAUSE_ILLEGAL_INSTRUCTION || (frame->sstatus & SSTATUS_FS)) {
		this_hart.report(frame, &trap);
		__builtin_trap();
	}
	if (vcpu && vcpu->fp_live)
		hatch_vcpu_fp_save(vcpu);
	if (vcpu)
		vcpu->frame.leave = HATCH_ANSWERED; /* sepc, sstatus and hstatus are ours now */
	frame->sstatus |= SSTATUS_FS;
}
