/* SPDX-License-Identifier: MIT */
/*
 * What the SBI and timer clauses ask of the hart itself: the only contact of these files with
 * hardware. sbi_hart.c answers on the target; native tests bring their own.
 */
#ifndef HATCH_SRC_SBI_HART_H
#define HATCH_SRC_SBI_HART_H

#include <hatch/vcpu.h>

/* Sets vstimecmp of a vcpu of this hart; without Sstc the copy in memory is all there is. */
void hatch_sbi_hart_set_vstimecmp(struct hatch_vcpu *vcpu, uint64_t ticks);

/* The vcpu's own registers, from where they are: in the hart while it is live there. */
uint64_t hatch_sbi_hart_vstimecmp(const struct hatch_vcpu *vcpu);
uint64_t hatch_sbi_hart_hvip(const struct hatch_vcpu *vcpu);
uint64_t hatch_sbi_hart_vsatp(const struct hatch_vcpu *vcpu);
uint64_t hatch_sbi_hart_vsstatus(const struct hatch_vcpu *vcpu);

#endif
