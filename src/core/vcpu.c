/* SPDX-License-Identifier: MIT */
/* The part of a vcpu that needs no hardware. */
#include <hatch/csr.h>
#include "apply.h"
#include "state.h"

void hatch_vcpu_clear(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t a0, uint64_t a1)
{
	for (unsigned int i = 0; i < 32; i++) {
		vcpu->frame.x[i] = 0;
		vcpu->fp[i] = 0;
	}
	vcpu->frame.x[10] = a0;
	vcpu->frame.x[11] = a1;
	vcpu->frame.pc = pc.addr;
	vcpu->frame.sstatus = SSTATUS_SPP | SSTATUS_UXL_64;
	/* scounteren as firmware leaves it: kernels rely on it for rdtime in user programs. */
	vcpu->vs = (struct hatch_vs_csrs){
		.vsstatus = SSTATUS_UXL_64,
		.vstimecmp = UINT64_MAX,
		.scounteren = 1 << (CSR_CYCLE & 31) | 1 << (CSR_TIME & 31) |
			      1 << (CSR_INSTRET & 31),
	};
	vcpu->fcsr = 0;
	vcpu->fp_live = false;
	vcpu->full = true;
	vcpu->hart_id = a0;
}

/* The wire from the interrupt controller is not the hart's to reset. */
void hatch_vcpu_calm(struct hatch_vcpu *vcpu)
{
	hatch_lock_acquire(&vcpu->post.lock);
	vcpu->hvip &= HVIP_VSEIP;
	hatch_lock_release(&vcpu->post.lock);
}

void hatch_vcpu_copy(struct hatch_vcpu *to, const struct hatch_vcpu *from)
{
	for (unsigned int i = 0; i < 32; i++) {
		to->frame.x[i] = from->frame.x[i];
		to->fp[i] = from->fp[i];
	}
	to->frame.pc = from->frame.pc;
	to->frame.sstatus = from->frame.sstatus;
	to->vs = from->vs;
	to->hvip = from->hvip;
	to->fcsr = from->fcsr;
	to->fp_live = false;
	to->full = true;
	to->hart_id = from->hart_id;
}

uint64_t hatch_vcpu_host_ticks(const struct hatch_vcpu *vcpu, uint64_t guest_ticks)
{
	uint64_t delta = vcpu->confine.htimedelta;

	/* htimedelta is a signed distance: negative for a guest whose time began after ours. */
	if ((int64_t)delta >= 0)
		return guest_ticks > delta ? guest_ticks - delta : 0;
	return guest_ticks < delta ? guest_ticks - delta : HATCH_NEVER;
}

/* The bits of hvip stand one above those of vsie (18.2.3). Its timer is in memory, Sstc or not. */
uint64_t hatch_vcpu_due(struct hatch_vcpu *vcpu)
{
	uint64_t pending;

	hatch_lock_acquire(&vcpu->post.lock);
	pending = vcpu->hvip >> 1 & vcpu->vs.vsie;
	hatch_lock_release(&vcpu->post.lock);
	if (pending)
		return 0;
	if (!(vcpu->vs.vsie & HVIP_VSTIP >> 1))
		return HATCH_NEVER;
	return hatch_vcpu_host_ticks(vcpu, vcpu->vs.vstimecmp);
}
