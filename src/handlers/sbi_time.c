/* SPDX-License-Identifier: MIT */
/*
 * SBI TIME (SBI 2.0, chapter 6). A guest without Sstc calls it at every tick: keep it short.
 */
#include "sbi_internal.h"

enum time_function {
	SET_TIMER,
};

enum hatch_verdict hatch_sbi_on_time(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_sbi *sbi = arg;

	if (ev->hypercall.function != SET_TIMER)
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	hatch_timer_set(sbi->timer, k->vcpu, ev->hypercall.arg[0]);
	return hatch_sbi_value(k, 0);
}
