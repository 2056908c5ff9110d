/* SPDX-License-Identifier: MIT */
/*
 * Which harts a call means, and what they are told. Interrupts and fences are what an operating
 * system sends most: keep it short.
 */
#include "sbi_internal.h"

struct hatch_sbi_hart *hatch_sbi_find(const struct hatch_sbi *sbi, uint64_t hart_id)
{
	if (sbi->ordered)
		return hart_id < sbi->harts ? &sbi->hart[hart_id] : NULL;
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].id == hart_id)
			return &sbi->hart[i];
	return NULL;
}

bool hatch_sbi_is_alone(const struct hatch_sbi *sbi, const struct hatch_vcpu *vcpu)
{
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].vcpu != vcpu &&
		    hatch_sbi_state_of(&sbi->hart[i]) != SBI_HART_STOPPED)
			return false;
	return true;
}

/*
 * A stopped hart is sent no interrupt: it starts with nothing pending. Fences it gets, for what it
 * cached in its last life is still there.
 */
static void tell(struct hatch_sbi_hart *hart, const struct hatch_fence *fence)
{
	if (fence)
		hatch_vcpu_fence(hart->vcpu, fence);
	else if (hatch_sbi_state_of(hart) != SBI_HART_STOPPED)
		hatch_vcpu_raise(hart->vcpu, HVIP_VSSIP);
}

static bool has_hart_from(const struct hatch_sbi *sbi, uint64_t base)
{
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].id >= base)
			return true;
	return false;
}

/* Hart ids are unsigned: a mask that runs over their end names harts that do not exist. */
static bool is_mask(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base)
{
	uint64_t left = sbi->harts - base;

	if (sbi->ordered)
		return base < sbi->harts && (left >= 64 || !(mask >> left));
	if (!mask)
		return has_hart_from(sbi, base);
	for (; mask; mask &= mask - 1) {
		uint64_t id = base + (uint64_t)__builtin_ctzll(mask);

		if (id < base || !hatch_sbi_find(sbi, id))
			return false;
	}
	return true;
}

enum sbi_error hatch_sbi_broadcast(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base,
				   const struct hatch_fence *fence)
{
	if (base == UINT64_MAX) {
		for (unsigned int i = 0; i < sbi->harts; i++)
			tell(&sbi->hart[i], fence);
		return SBI_SUCCESS;
	}
	if (!is_mask(sbi, mask, base))
		return SBI_ERR_INVALID_PARAM;
	for (; mask; mask >>= 1, base++)
		if (mask & 1)
			tell(hatch_sbi_find(sbi, base), fence);
	return SBI_SUCCESS;
}
