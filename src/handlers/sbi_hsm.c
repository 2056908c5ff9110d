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
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
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
	hatch_sbi_set_state(hart, SBI_HART_STOPPED);
	return SBI_ERR_FAILED;
}

/*
 * Leaves the try: a stopped hart has no program. It may be started again once the try has been
 * left, and no earlier, for until then its registers are in the hardware: so whoever runs it says
 * STOPPED. The last one to stop ends the guest.
 */
static enum hatch_verdict stop(struct hatch_sbi *sbi, struct hatch_cont *k)
{
	struct hatch_sbi_hart *self = hatch_sbi_find(sbi, k->vcpu->hart_id);

	if (!self)
		return hatch_sbi_error(k, SBI_ERR_FAILED);
	if (hatch_sbi_is_alone(sbi, k->vcpu)) {
		hatch_sbi_set_state(self, SBI_HART_STOPPED);
		return hatch_sbi_reset(sbi, k, HATCH_RESET_STOPPED, 0);
	}
	hatch_sbi_set_state(self, SBI_HART_STOP_PENDING);
	return hatch_unwind(k, 0);
}

static enum hatch_verdict get_status(const struct hatch_sbi *sbi, uint64_t id, struct hatch_cont *k)
{
	const struct hatch_sbi_hart *hart = hatch_sbi_find(sbi, id);

	if (!hart)
		return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
	return hatch_sbi_value(k, (uint64_t)hatch_sbi_state_of(hart));
}

bool hatch_sbi_sleep(struct hatch_sbi_hart *self)
{
	bool woken;

	hatch_sbi_set_state(self, SBI_HART_SUSPENDED);
	woken = hatch_vcpu_wait(self->vcpu);
	hatch_sbi_set_state(self, SBI_HART_STARTED);
	return woken;
}

static enum sbi_error check_suspend(struct hatch_guest *guest, uint32_t type, uint64_t resume)
{
	if (type == SUSPEND_RETENTIVE)
		return SBI_SUCCESS;
	if (type != SUSPEND_NON_RETENTIVE)
		return SBI_ERR_INVALID_PARAM;
	return hatch_sbi_is_start(guest, resume) ? SBI_SUCCESS : SBI_ERR_INVALID_ADDRESS;
}

/* While the host has an interrupt first, the guest's call stands where it is. */
static enum hatch_verdict suspend(struct hatch_sbi *sbi, const uint64_t *a, struct hatch_cont *k)
{
	struct hatch_sbi_hart *self = hatch_sbi_find(sbi, k->vcpu->hart_id);
	enum sbi_error error = check_suspend(k->vcpu->guest, (uint32_t)a[0], a[1]);

	if (error || !self)
		return hatch_sbi_error(k, error ? error : SBI_ERR_FAILED);
	if (!hatch_sbi_sleep(self))
		return hatch_retry(k);
	if ((uint32_t)a[0] == SUSPEND_RETENTIVE)
		return hatch_sbi_value(k, 0);
	return hatch_sbi_restart(k, a[1], a[2]);
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
		return suspend(arg, a, k);
	default:
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	}
}
