/* SPDX-License-Identifier: MIT */
/*
 * SBI SUSP (SBI 2.0, chapter 13): the whole system sleeps, which is its last hart then.
 */
#include "sbi_internal.h"

enum susp_function {
	SYSTEM_SUSPEND,
};

/* Sleep types; every other one is reserved or a platform's own. */
#define SUSPEND_TO_RAM 0U

static enum sbi_error check(const struct hatch_sbi *sbi, const struct hatch_vcpu *vcpu,
			    const uint64_t *a)
{
	if ((uint32_t)a[0] != SUSPEND_TO_RAM)
		return SBI_ERR_INVALID_PARAM;
	if (!hatch_sbi_is_start(vcpu->guest, a[1]))
		return SBI_ERR_INVALID_ADDRESS;
	return hatch_sbi_is_alone(sbi, vcpu) ? SBI_SUCCESS : SBI_ERR_DENIED;
}

enum hatch_verdict hatch_sbi_on_susp(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_sbi_hart *self = hatch_sbi_find(arg, k->vcpu->hart_id);
	const uint64_t *a = ev->hypercall.arg;
	enum sbi_error error;

	if (ev->hypercall.function != SYSTEM_SUSPEND)
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	error = self ? check(arg, k->vcpu, a) : SBI_ERR_FAILED;
	if (error)
		return hatch_sbi_error(k, error);
	/* While the host has an interrupt first, the guest's call stands where it is. */
	return hatch_sbi_sleep(self) ? hatch_sbi_restart(k, a[1], a[2]) : hatch_retry(k);
}
