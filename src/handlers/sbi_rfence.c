/* SPDX-License-Identifier: MIT */
/*
 * SBI RFENCE (SBI 2.0, chapter 8). The HFENCE functions are for harts with the hypervisor
 * extension; our guests have none.
 */
#include "sbi_internal.h"

enum rfence_function {
	REMOTE_FENCE_I,
	REMOTE_SFENCE_VMA,
	REMOTE_SFENCE_VMA_ASID,
};

bool hatch_sbi_is_range(uint64_t start, uint64_t size)
{
	return !size || size == UINT64_MAX || size - 1 <= UINT64_MAX - start;
}

static enum hatch_verdict sfence(const struct hatch_sbi *sbi, const uint64_t *a,
				 struct hatch_cont *k, enum hatch_fence_kind kind)
{
	const struct hatch_fence fence = {
		.kind = kind,
		.start = hatch_gva_of(a[2]),
		.size = a[2] || a[3] ? a[3] : UINT64_MAX, /* 0, 0: everything */
		.asid = a[4],
	};

	if (!hatch_sbi_is_range(a[2], a[3]))
		return hatch_sbi_error(k, SBI_ERR_INVALID_ADDRESS);
	return hatch_sbi_error(k, hatch_sbi_broadcast(sbi, a[0], a[1], &fence));
}

enum hatch_verdict hatch_sbi_on_rfence(void *arg, const struct hatch_event *ev,
				       struct hatch_cont *k)
{
	const struct hatch_fence fence_i = { .kind = HATCH_FENCE_I };
	const uint64_t *a = ev->hypercall.arg;

	switch (ev->hypercall.function) {
	case REMOTE_FENCE_I:
		return hatch_sbi_error(k, hatch_sbi_broadcast(arg, a[0], a[1], &fence_i));
	case REMOTE_SFENCE_VMA:
		return sfence(arg, a, k, HATCH_FENCE_VMA);
	case REMOTE_SFENCE_VMA_ASID:
		return sfence(arg, a, k, HATCH_FENCE_ASID);
	default:
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	}
}
