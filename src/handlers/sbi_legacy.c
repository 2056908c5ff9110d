/* SPDX-License-Identifier: MIT */
/*
 * The calls of SBI 0.1 (SBI 2.0, chapter 5): one extension id each, no function id, a result in
 * a0 only, hart masks in the guest's virtual memory.
 */
#include "sbi_hart.h"
#include "sbi_internal.h"

enum legacy_extension {
	SET_TIMER,
	CONSOLE_PUTCHAR,
	CONSOLE_GETCHAR,
	CLEAR_IPI,
	SEND_IPI,
	REMOTE_FENCE_I,
	REMOTE_SFENCE_VMA,
	REMOTE_SFENCE_VMA_ASID,
	SHUTDOWN,
};

#define HARTS_PER_WORD 64

static enum hatch_verdict answer(struct hatch_cont *k, int64_t value)
{
	return hatch_resume(k, (uint64_t)value);
}

static enum hatch_verdict put_char(const struct hatch_sbi *sbi, uint64_t value,
				   struct hatch_cont *k)
{
	unsigned char byte = (unsigned char)value;

	if (sbi->console.write)
		sbi->console.write(sbi->console.arg, &byte, 1);
	return answer(k, 0);
}

static enum hatch_verdict get_char(const struct hatch_sbi *sbi, struct hatch_cont *k)
{
	return answer(k, sbi->console.read ? sbi->console.read(sbi->console.arg) : -1);
}

static enum hatch_verdict clear_ipi(struct hatch_cont *k)
{
	bool pending = hatch_sbi_hart_hvip(k->vcpu) & HVIP_VSSIP;

	hatch_vcpu_lower(k->vcpu, HVIP_VSSIP);
	return answer(k, pending);
}

static uint64_t last_hart(const struct hatch_sbi *sbi)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].id > last)
			last = sbi->hart[i].id;
	return last;
}

/* Bits of the last word beyond the last hart are not part of the vector. */
static uint64_t existing(const struct hatch_sbi *sbi, uint64_t mask, uint64_t base)
{
	uint64_t real = 0;

	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].id - base < HARTS_PER_WORD)
			real |= UINT64_C(1) << (sbi->hart[i].id - base);
	return mask & real;
}

/* To all harts of the mask at guest-virtual `at`; at 0: to all harts. */
static enum hatch_verdict broadcast(const struct hatch_sbi *sbi, uint64_t at, struct hatch_cont *k,
				    const struct hatch_fence *fence)
{
	uint64_t last = last_hart(sbi), mask, cause;
	enum sbi_error error = SBI_SUCCESS;

	if (!at)
		return answer(k, hatch_sbi_broadcast(sbi, 0, UINT64_MAX, fence));
	for (uint64_t base = 0; base <= last && !error; base += HARTS_PER_WORD) {
		hatch_gva word = hatch_gva_of(at + base / 8);

		if (!hatch_sbi_load(k->vcpu, word, &mask, &cause))
			return hatch_inject(k, cause, word.addr);
		error = hatch_sbi_broadcast(sbi, existing(sbi, mask, base), base, fence);
	}
	return answer(k, error);
}

static enum hatch_verdict sfence(const struct hatch_sbi *sbi, const uint64_t *a,
				 struct hatch_cont *k, enum hatch_fence_kind kind)
{
	const struct hatch_fence fence = {
		.kind = kind,
		.start = hatch_gva_of(a[1]),
		.size = a[1] || a[2] ? a[2] : UINT64_MAX,
		.asid = a[3],
	};

	if (!hatch_sbi_is_range(a[1], a[2]))
		return answer(k, SBI_ERR_INVALID_ADDRESS);
	return broadcast(sbi, a[0], k, &fence);
}

enum hatch_verdict hatch_sbi_on_legacy(void *arg, const struct hatch_event *ev,
				       struct hatch_cont *k)
{
	const struct hatch_fence fence_i = { .kind = HATCH_FENCE_I };
	const uint64_t *a = ev->hypercall.arg;
	struct hatch_sbi *sbi = arg;

	switch ((enum legacy_extension)ev->hypercall.extension) {
	case SET_TIMER:
		hatch_timer_set(sbi->timer, k->vcpu, a[0]);
		return answer(k, 0);
	case CONSOLE_PUTCHAR:
		return put_char(sbi, a[0], k);
	case CONSOLE_GETCHAR:
		return get_char(sbi, k);
	case CLEAR_IPI:
		return clear_ipi(k);
	case SEND_IPI:
		return broadcast(sbi, a[0], k, NULL);
	case REMOTE_FENCE_I:
		return broadcast(sbi, a[0], k, &fence_i);
	case REMOTE_SFENCE_VMA:
		return sfence(sbi, a, k, HATCH_FENCE_VMA);
	case REMOTE_SFENCE_VMA_ASID:
		return sfence(sbi, a, k, HATCH_FENCE_ASID);
	case SHUTDOWN:
		return hatch_sbi_reset(sbi, k, HATCH_RESET_SHUTDOWN, 0);
	default:
		return answer(k, SBI_ERR_NOT_SUPPORTED);
	}
}
