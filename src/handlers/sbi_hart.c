/* SPDX-License-Identifier: MIT */
/*
 * The SBI clauses' contact with the hart: target only, the other files compile anywhere.
 */
#include "sbi_hart.h"

#include <hatch/csr.h>
#include <hatch/hart.h>

/* Without Sstc the register is in memory only, live or not. */
static bool has_vstimecmp(const struct hatch_vcpu *vcpu)
{
	return vcpu->live && hatch_hart_facts()->sstc;
}

void hatch_sbi_hart_set_vstimecmp(struct hatch_vcpu *vcpu, uint64_t ticks)
{
	if (has_vstimecmp(vcpu))
		csr_write(vstimecmp, ticks);
	else
		vcpu->vs.vstimecmp = ticks;
}

uint64_t hatch_sbi_hart_vstimecmp(const struct hatch_vcpu *vcpu)
{
	return has_vstimecmp(vcpu) ? csr_read(vstimecmp) : vcpu->vs.vstimecmp;
}

uint64_t hatch_sbi_hart_hvip(const struct hatch_vcpu *vcpu)
{
	return vcpu->live ? csr_read(hvip) : vcpu->hvip;
}

uint64_t hatch_sbi_hart_vsatp(const struct hatch_vcpu *vcpu)
{
	return vcpu->live ? csr_read(vsatp) : vcpu->vs.vsatp;
}

uint64_t hatch_sbi_hart_vsstatus(const struct hatch_vcpu *vcpu)
{
	return vcpu->live ? csr_read(vsstatus) : vcpu->vs.vsstatus;
}
