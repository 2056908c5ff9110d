/* SPDX-License-Identifier: MIT */
/*
 * Which harts a call means, and what they are told. Interrupts and fences are what an operating
 * system sends most: keep it short.
 */
#include "sbi_internal.h"

enum { MASK_BITS = 64 };

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
 * cached in its last life is still there. Returns the number to wait for.
 */
static uint64_t tell(struct hatch_sbi_hart *hart, const struct hatch_fence *fence)
{
	if (fence)
		return hatch_vcpu_fence_send(hart->vcpu, fence);
	if (hatch_sbi_state_of(hart) != SBI_HART_STOPPED)
		hatch_vcpu_raise(hart->vcpu, HVIP_VSSIP);
	return 0;
}

/* All are told before any is waited for: the way to a hart is long, but they go it together. */
static void tell_all(struct hatch_sbi_hart *const hart[], unsigned int count,
		     const struct hatch_fence *fence)
{
	uint64_t number[MASK_BITS], any = 0;

	for (unsigned int i = 0; i < count; i++)
		any |= number[i] = tell(hart[i], fence);
	for (unsigned int i = 0; any && i < count; i++)
		hatch_vcpu_fence_await(hart[i]->vcpu, number[i]);
}

static void tell_everybody(const struct hatch_sbi *sbi, const struct hatch_fence *fence)
{
	struct hatch_sbi_hart *hart[MASK_BITS];
	unsigned int count = 0;

	for (unsigned int i = 0; i < sbi->harts; i++) {
		hart[count++] = &sbi->hart[i];
		if (count < MASK_BITS && i + 1 < sbi->harts)
			continue;
		tell_all(hart, count, fence);
		count = 0;
	}
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

/* One hart, oneself as a rule, is told straight away. */
static void tell_some(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base,
		      const struct hatch_fence *fence)
{
	struct hatch_sbi_hart *hart[MASK_BITS];
	unsigned int count = 0;
	uint64_t number;

	for (; mask > 1; mask >>= 1, base++)
		if (mask & 1)
			hart[count++] = hatch_sbi_find(sbi, base);
	if (!mask)
		return;
	hart[count++] = hatch_sbi_find(sbi, base);
	if (count > 1) {
		tell_all(hart, count, fence);
		return;
	}
	number = tell(hart[0], fence);
	if (number)
		hatch_vcpu_fence_await(hart[0]->vcpu, number);
}

enum sbi_error hatch_sbi_broadcast(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base,
				   const struct hatch_fence *fence)
{
	if (base != UINT64_MAX && !is_mask(sbi, mask, base))
		return SBI_ERR_INVALID_PARAM;
	if (base == UINT64_MAX)
		tell_everybody(sbi, fence);
	else
		tell_some(sbi, mask, base, fence);
	return SBI_SUCCESS;
}
