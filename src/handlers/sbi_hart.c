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

void hatch_sbi_hart_fence_i(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

/* The compiler's -march does not know the H extension; its assembler does. */
#define HFENCE(operands, ...)                                                                      \
	__asm__ volatile(".option push\n\t.option arch, +h\n\thfence.vvma " operands               \
			 "\n\t.option pop" ::__VA_ARGS__                                           \
			 : "memory")

void hatch_sbi_hart_fence_all(void)
{
	HFENCE("zero, zero", "r"(0UL));
}

void hatch_sbi_hart_fence_asid(uint64_t asid)
{
	HFENCE("zero, %0", "r"(asid));
}

void hatch_sbi_hart_fence_page(hatch_gva page)
{
	HFENCE("%0, zero", "r"(page.addr));
}

void hatch_sbi_hart_fence_page_asid(hatch_gva page, uint64_t asid)
{
	HFENCE("%0, %1", "r"(page.addr), "r"(asid));
}
