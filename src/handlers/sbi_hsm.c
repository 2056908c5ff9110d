/* SPDX-License-Identifier: MIT */
/*
 * SBI HSM (SBI 2.0, chapter 9): harts start, stop and sleep.
 */
#include "sbi_internal.h"

enum hsm_function {
	HART_START,
	HART_STOP,
	HART_GET_STATUS,
	HART_SUSPEND,
};

/* Suspend types; every other one is reserved or a platform's own. */
#define SUSPEND_RETENTIVE     0x00000000U
#define SUSPEND_NON_RETENTIVE 0x80000000U

/* Takes a stopped hart for its starter: of two harts that try at once, one wins. */
static bool claim(struct hatch_sbi_hart *hart)
{
	int stopped = SBI_HART_STOPPED;

	return __atomic_compare_exchange_n(&hart->state, &stopped, SBI_HART_START_PENDING, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static enum sbi_error start(struct hatch_sbi *sbi, struct hatch_guest *guest, const uint64_t *a)
{
	struct hatch_sbi_hart *hart = hatch_sbi_find(sbi, a[0]);

	if (!hart)
		return SBI_ERR_INVALID_PARAM;
	if (!hatch_sbi_is_start(guest, a[1]))
		return SBI_ERR_INVALID_ADDRESS;
	if (!claim(hart))
		return SBI_ERR_ALREADY_AVAILABLE;
	hatch_vcpu_reset(hart->vcpu, hatch_gpa_of(a[1]), a[0], a[2]);
	if (sbi->remote.start && !sbi->remote.start(sbi->remote.arg, hart))
		return SBI_SUCCESS;
	__atomic_store_n(&hart->state, SBI_HART_STOPPED, __ATOMIC_RELEASE);
	return SBI_ERR_FAILED;
}

/*
 * Leaves the try: a stopped hart has no program. With other harts alive its owner may run it
 * again once one of them has started it; the last one to stop ends the guest.
 */
static enum hatch_verdict stop(struct hatch_sbi *sbi, struct hatch_cont *k)
{
	struct hatch_sbi_hart *self = hatch_sbi_find(sbi, k->vcpu->hart_id);

	if (!self)
		return hatch_sbi_error(k, SBI_ERR_FAILED);
	__atomic_store_n(&self->state, SBI_HART_STOPPED, __ATOMIC_RELEASE);
	if (hatch_sbi_is_alone(sbi, k->vcpu))
		return hatch_sbi_reset(sbi, k, HATCH_RESET_STOPPED, 0);
	return hatch_unwind(k, 0);
}

static enum hatch_verdict get_status(const struct hatch_sbi *sbi, uint64_t id, struct hatch_cont *k)
{
	const struct hatch_sbi_hart *hart = hatch_sbi_find(sbi, id);

	if (!hart)
		return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
	return hatch_sbi_value(k, (uint64_t)__atomic_load_n(&hart->state, __ATOMIC_ACQUIRE));
}

/* Waking up at once is allowed, and a handler must not wait: the guest's idle loop asks again. */
static enum hatch_verdict suspend(const uint64_t *a, struct hatch_cont *k)
{
	switch ((uint32_t)a[0]) {
	case SUSPEND_RETENTIVE:
		return hatch_sbi_value(k, 0);
	case SUSPEND_NON_RETENTIVE:
		if (!hatch_sbi_is_start(k->vcpu->guest, a[1]))
			return hatch_sbi_error(k, SBI_ERR_INVALID_ADDRESS);
		return hatch_sbi_restart(k, a[1], a[2]);
	default:
		return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
	}
}

enum hatch_verdict hatch_sbi_on_hsm(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const uint64_t *a = ev->hypercall.arg;

	switch (ev->hypercall.function) {
	case HART_START:
		return hatch_sbi_error(k, start(arg, k->vcpu->guest, a));
	case HART_STOP:
		return stop(arg, k);
	case HART_GET_STATUS:
		return get_status(arg, a[0], k);
	case HART_SUSPEND:
		return suspend(a, k);
	default:
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	}
}
