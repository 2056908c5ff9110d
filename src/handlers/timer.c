/* SPDX-License-Identifier: MIT */
/*
 * The guest's timer over vstimecmp or over the host's own timer.
 */
#include <hatch/handlers/timer.h>

#include "sbi_hart.h"

void hatch_timer_set(const struct hatch_timer *timer, struct hatch_vcpu *vcpu, uint64_t ticks)
{
	hatch_sbi_hart_set_vstimecmp(vcpu, ticks);
	/* Also with Sstc: a guest that was saved on a hart without may have brought it along. */
	hatch_vcpu_lower(vcpu, HVIP_VSTIP);
	hatch_timer_rearm(timer, vcpu);
}

void hatch_timer_rearm(const struct hatch_timer *timer, const struct hatch_vcpu *vcpu)
{
	if (!(vcpu->confine.henvcfg & HENVCFG_STCE) && timer->arm)
		timer->arm(timer->arg, hatch_vcpu_host_ticks(vcpu, hatch_sbi_hart_vstimecmp(vcpu)));
}

static enum hatch_verdict on_expiry(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_timer *timer = arg;

	(void)ev;
	/* The host's interrupt stays pending until its timer is moved: do that, or loop here. */
	if (timer->arm)
		timer->arm(timer->arg, HATCH_TIMER_NEVER);
	if (!(k->vcpu->confine.henvcfg & HENVCFG_STCE)) {
		hatch_sbi_hart_set_vstimecmp(k->vcpu, HATCH_TIMER_NEVER);
		hatch_vcpu_raise(k->vcpu, HVIP_VSTIP);
	}
	if (timer->expired)
		timer->expired(timer->expired_arg, k->vcpu);
	return hatch_resume(k, 0);
}

void hatch_timer_init(struct hatch_timer *timer, hatch_timer_arm *arm, void *arg)
{
	*timer = (struct hatch_timer){ .arm = arm, .arg = arg };
	timer->expiry = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_expiry, timer);
	timer->expiry.may = HATCH_MAY(HATCH_RESUME);
}

int hatch_timer_add(struct hatch_timer *timer, struct hatch_scope *scope)
{
	return hatch_catch_add(scope, &timer->expiry);
}
