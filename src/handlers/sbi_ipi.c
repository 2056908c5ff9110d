/* SPDX-License-Identifier: MIT */
/*
 * SBI IPI (SBI 2.0, chapter 7).
 */
#include "sbi_internal.h"

enum ipi_function {
	SEND_IPI,
};

enum hatch_verdict hatch_sbi_on_ipi(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const uint64_t *a = ev->hypercall.arg;

	if (ev->hypercall.function != SEND_IPI)
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	return hatch_sbi_error(k, hatch_sbi_broadcast(arg, a[0], a[1], NULL));
}
