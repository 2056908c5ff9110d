/* SPDX-License-Identifier: MIT */
/* A vcpu's post, seen by the hart that the vcpu is current on. */
#ifndef HATCH_CORE_POST_H
#define HATCH_CORE_POST_H

#include <hatch/vcpu.h>

/* The vcpu, current here, gets what other harts have sent. Costs a load when that is nothing. */
void hatch_post_take(struct hatch_vcpu *vcpu);

/*
 * The vcpu comes onto the hart: from now on there is an interrupt for what is sent; take what was
 * sent before. Returns hvip as it is.
 */
uint64_t hatch_post_arrive(struct hatch_vcpu *vcpu, struct hatch_hart *hart);

/* It leaves its hart, with these bits in the hardware's hvip. */
void hatch_post_leave(struct hatch_vcpu *vcpu, uint64_t hvip);

/*
 * Its hart is about to do something else before the guest goes on (nobody waits for it then), or
 * comes back from that.
 */
void hatch_post_away(struct hatch_vcpu *vcpu, bool away);

/* Whether there was a kick, which is over now. */
bool hatch_post_is_kick(struct hatch_vcpu *vcpu);

#endif
