/* SPDX-License-Identifier: MIT */
/*
 * Reads guest-virtual memory as the guest's S-mode would: the legacy calls pass their hart mask
 * by a virtual address. A walk in software, over copies, cannot trap, whatever the tables say.
 * Privileged ISA 20240411, 10.3.2 and 10.4 to 10.6.
 */
#include "sbi_hart.h"
#include "sbi_internal.h"

#define SATP_MODE_SHIFT 60
#define SATP_PPN	((UINT64_C(1) << 44) - 1)
#define SATP_BARE	0
#define SATP_SV39	8
#define SATP_SV57	10

#define PTE_V		(UINT64_C(1) << 0)
#define PTE_R		(UINT64_C(1) << 1)
#define PTE_W		(UINT64_C(1) << 2)
#define PTE_X		(UINT64_C(1) << 3)
#define PTE_U		(UINT64_C(1) << 4)
#define PTE_N		(UINT64_C(1) << 63)
#define PTE_PPN_SHIFT	10

#define TABLE_BITS	9
#define NAPOT_PPN_MASK	0xfU /* the only size that Svnapot defines: 64 KiB */

static bool may_load(uint64_t pte, uint64_t status)
{
	if (pte & PTE_U && !(status & SSTATUS_SUM))
		return false;
	return pte & PTE_R || (pte & PTE_X && status & SSTATUS_MXR);
}

/* The guest-physical address that a leaf at `level` gives for gva; false: malformed leaf. */
static bool leaf_address(uint64_t pte, unsigned int level, hatch_gva gva, hatch_gpa *gpa)
{
	uint64_t ppn = pte >> PTE_PPN_SHIFT & SATP_PPN;
	uint64_t within = (UINT64_C(1) << (level * TABLE_BITS)) - 1;

	if (ppn & within)
		return false;
	if (pte & PTE_N) {
		if (level || (ppn & NAPOT_PPN_MASK) != 8)
			return false;
		within = NAPOT_PPN_MASK;
		ppn &= ~within;
	}
	ppn |= gva.addr >> HATCH_PAGE_SHIFT & within;
	gpa->addr = ppn << HATCH_PAGE_SHIFT | gva.addr % HATCH_PAGE_SIZE;
	return true;
}

static bool is_canonical(hatch_gva gva, unsigned int levels)
{
	unsigned int above = 64 - (HATCH_PAGE_SHIFT + levels * TABLE_BITS);

	return (int64_t)(gva.addr << above) >> above == (int64_t)gva.addr;
}

/* One entry of the table at `ppn`. */
static bool load_entry(const struct hatch_guest *guest, uint64_t ppn, uint64_t index, uint64_t *pte)
{
	hatch_gpa at = hatch_gpa_of((ppn << HATCH_PAGE_SHIFT) + index * sizeof(*pte));

	return !hatch_guest_read(guest, at, pte, sizeof(*pte));
}

/* Returns 0 or the exception of the walk. */
static uint64_t walk(const struct hatch_vcpu *vcpu, hatch_gva gva, hatch_gpa *gpa)
{
	uint64_t satp = hatch_sbi_hart_vsatp(vcpu);
	uint64_t mode = satp >> SATP_MODE_SHIFT, ppn = satp & SATP_PPN, pte;

	*gpa = hatch_gpa_of(gva.addr);
	if (mode == SATP_BARE)
		return 0;
	unsigned int level = 3 + (unsigned int)(mode - SATP_SV39);
	if (mode < SATP_SV39 || mode > SATP_SV57 || !is_canonical(gva, level))
		return CAUSE_LOAD_PAGE_FAULT;
	while (level--) {
		uint64_t vpn = gva.addr >> (HATCH_PAGE_SHIFT + level * TABLE_BITS);

		if (!load_entry(vcpu->guest, ppn, vpn % (1U << TABLE_BITS), &pte))
			return CAUSE_LOAD_ACCESS;
		if (!(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W)
			return CAUSE_LOAD_PAGE_FAULT;
		if (pte & (PTE_R | PTE_X))
			return may_load(pte, hatch_sbi_hart_vsstatus(vcpu)) &&
					       leaf_address(pte, level, gva, gpa)
				       ? 0
				       : CAUSE_LOAD_PAGE_FAULT;
		ppn = pte >> PTE_PPN_SHIFT & SATP_PPN;
	}
	return CAUSE_LOAD_PAGE_FAULT;
}

bool hatch_sbi_load(const struct hatch_vcpu *vcpu, hatch_gva gva, uint64_t *value, uint64_t *cause)
{
	hatch_gpa gpa;

	/* An aligned word lies in one page. */
	*cause = gva.addr % sizeof(*value) ? CAUSE_LOAD_MISALIGNED : walk(vcpu, gva, &gpa);
	if (!*cause && hatch_guest_read(vcpu->guest, gpa, value, sizeof(*value)))
		*cause = CAUSE_LOAD_ACCESS;
	return !*cause;
}
