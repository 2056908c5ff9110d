/* SPDX-License-Identifier: MIT */
/*
 * SBI SRST (SBI 2.0, chapter 10): the guest's last words.
 */
#include "sbi_internal.h"

enum srst_function {
	SYSTEM_RESET,
};

/* By reset type; above these they are reserved or a platform's own. */
static const enum hatch_reset_kind kinds[] = {
	HATCH_RESET_SHUTDOWN,
	HATCH_RESET_COLD_REBOOT,
	HATCH_RESET_WARM_REBOOT,
};

enum hatch_verdict hatch_sbi_on_srst(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint32_t type = (uint32_t)ev->hypercall.arg[0];
	uint32_t reason = (uint32_t)ev->hypercall.arg[1];

	if (ev->hypercall.function != SYSTEM_RESET)
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	if (type >= sizeof(kinds) / sizeof(kinds[0]) || reason > HATCH_SBI_REASON_MAX)
		return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
	return hatch_sbi_reset(arg, k, kinds[type], reason);
}
