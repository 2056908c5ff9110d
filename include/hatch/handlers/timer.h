/* SPDX-License-Identifier: MIT */
/*
 * The guest's timer: one alarm per vcpu, in guest ticks, that raises the supervisor timer
 * interrupt in the guest.
 *
 * On a hart with Sstc the guest owns vstimecmp and hardly ever asks us. Without it the alarm is
 * set on the host's timer, whose interrupt becomes hvip.VSTIP. Which of the two is decided by the
 * vcpu's own confinement (henvcfg.STCE), so that vcpus of both sorts can live side by side.
 */
#ifndef HATCH_HANDLERS_TIMER_H
#define HATCH_HANDLERS_TIMER_H

#include <hatch/catch.h>

/* Value of a set that means: no alarm. */
#define HATCH_TIMER_NEVER UINT64_MAX

/*
 * Programs the host's timer of this hart for host time `ticks` (HATCH_TIMER_NEVER: none). When
 * it expires a running try gets the interrupt event IRQ_S_TIMER.
 */
typedef void hatch_timer_arm(void *arg, uint64_t ticks);

/*
 * Invariant: it holds no alarm of its own. The alarm is the vcpu's vstimecmp, whether the hart
 * looks at that or the host's timer is armed for it; its expiry is in the vcpu's hvip. So both go
 * with the vcpu's registers to a clone, each hart arms its own timer, and nothing needs a lock.
 */
struct hatch_timer {
	hatch_timer_arm *arm;
	void *arg;
	/* Called after every expiry, for who else needs the host's timer of this hart; may be NULL. */
	void (*expired)(void *arg, struct hatch_vcpu *vcpu);
	void *expired_arg;
	struct hatch_catch expiry; /* the clause for IRQ_S_TIMER */
};

/* Makes a timer over the host's. `arm` may be NULL on a hart that has Sstc. */
void hatch_timer_init(struct hatch_timer *timer, hatch_timer_arm *arm, void *arg);

/* Adds the expiry clause. Errors: those of hatch_catch_add. */
int hatch_timer_add(struct hatch_timer *timer, struct hatch_scope *scope);

/*
 * Sets the alarm of the vcpu that runs on this hart to guest time `ticks` and takes a pending
 * timer interrupt back (SBI 2.0, 6.1). In the past: the interrupt comes at once.
 */
void hatch_timer_set(const struct hatch_timer *timer, struct hatch_vcpu *vcpu, uint64_t ticks);

/*
 * Arms the host's timer for what this vcpu's program waits for, after another one's was armed.
 * Does nothing for a vcpu with Sstc. The state of the SBI does it (sbi.h).
 */
void hatch_timer_rearm(const struct hatch_timer *timer, const struct hatch_vcpu *vcpu);

#endif
