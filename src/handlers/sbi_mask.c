/* SPDX-License-Identifier: MIT */
/*
 * Which harts a call means, and what they do then.
 */
#include "sbi_hart.h"
#include "sbi_internal.h"

/* From this many pages on, forgetting everything is cheaper than naming each. */
#define FENCE_PAGES_MAX 64

struct hatch_sbi_hart *hatch_sbi_find(const struct hatch_sbi *sbi, uint64_t hart_id)
{
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].vcpu->hart_id == hart_id)
			return &sbi->hart[i];
	return NULL;
}

bool hatch_sbi_is_alone(const struct hatch_sbi *sbi, const struct hatch_vcpu *vcpu)
{
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].vcpu != vcpu &&
		    __atomic_load_n(&sbi->hart[i].state, __ATOMIC_ACQUIRE) != SBI_HART_STOPPED)
			return false;
	return true;
}

/* Pages in the range, the first and the last perhaps in part; 0 when there are too many. */
static uint64_t count_pages(const struct hatch_sbi_order *order)
{
	const uint64_t room = FENCE_PAGES_MAX * HATCH_PAGE_SIZE;
	uint64_t within = order->start.addr % HATCH_PAGE_SIZE;

	if (order->size > room - within)
		return 0;
	return (within + order->size + HATCH_PAGE_SIZE - 1) >> HATCH_PAGE_SHIFT;
}

static void fence_page(uint64_t addr, const struct hatch_sbi_order *order)
{
	if (order->kind == HATCH_SBI_SFENCE_VMA_ASID)
		hatch_sbi_hart_fence_page_asid(hatch_gva_of(addr), order->asid);
	else
		hatch_sbi_hart_fence_page(hatch_gva_of(addr));
}

static void fence(const struct hatch_sbi_order *order)
{
	uint64_t first = order->start.addr & ~(HATCH_PAGE_SIZE - 1);
	uint64_t pages = count_pages(order);

	if (!order->size)
		return;
	for (uint64_t i = 0; i < pages; i++)
		fence_page(first + (i << HATCH_PAGE_SHIFT), order);
	if (!pages && order->kind == HATCH_SBI_SFENCE_VMA_ASID)
		hatch_sbi_hart_fence_asid(order->asid);
	else if (!pages)
		hatch_sbi_hart_fence_all();
}

void hatch_sbi_obey(struct hatch_vcpu *vcpu, const struct hatch_sbi_order *order)
{
	switch (order->kind) {
	case HATCH_SBI_IPI:
		hatch_vcpu_raise(vcpu, HVIP_VSSIP);
		break;
	case HATCH_SBI_FENCE_I:
		hatch_sbi_hart_fence_i();
		break;
	case HATCH_SBI_SFENCE_VMA:
	case HATCH_SBI_SFENCE_VMA_ASID:
		fence(order);
		break;
	}
}

static enum sbi_error tell(struct hatch_sbi *sbi, struct hatch_vcpu *self,
			   struct hatch_sbi_hart *hart, const struct hatch_sbi_order *order)
{
	if (hart->vcpu == self) {
		hatch_sbi_obey(self, order);
		return SBI_SUCCESS;
	}
	if (__atomic_load_n(&hart->state, __ATOMIC_ACQUIRE) == SBI_HART_STOPPED)
		return SBI_SUCCESS; /* it starts with nothing cached and nothing pending */
	if (!sbi->remote.order || sbi->remote.order(sbi->remote.arg, hart, order))
		return SBI_ERR_FAILED;
	return SBI_SUCCESS;
}

static enum sbi_error tell_all(struct hatch_sbi *sbi, struct hatch_vcpu *self,
			       const struct hatch_sbi_order *order)
{
	enum sbi_error error = SBI_SUCCESS;

	for (unsigned int i = 0; i < sbi->harts && !error; i++)
		error = tell(sbi, self, &sbi->hart[i], order);
	return error;
}

/* Hart ids are unsigned: a mask that runs over their end names harts that do not exist. */
static bool is_mask(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].vcpu->hart_id > last)
			last = sbi->hart[i].vcpu->hart_id;
	if (base > last)
		return false;
	for (; mask; mask &= mask - 1)
		if (!hatch_sbi_find(sbi, base + (uint64_t)__builtin_ctzll(mask)))
			return false;
	return true;
}

enum sbi_error hatch_sbi_broadcast(struct hatch_sbi *sbi, struct hatch_vcpu *self, uint64_t mask,
				   uint64_t base, const struct hatch_sbi_order *order)
{
	enum sbi_error error = SBI_SUCCESS;

	if (base == UINT64_MAX)
		return tell_all(sbi, self, order);
	if (!is_mask(sbi, mask, base))
		return SBI_ERR_INVALID_PARAM;
	for (; mask && !error; mask &= mask - 1)
		error = tell(sbi, self, hatch_sbi_find(sbi, base + (uint64_t)__builtin_ctzll(mask)),
			     order);
	return error;
}
