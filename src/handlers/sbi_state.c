/* SPDX-License-Identifier: MIT */
/* The SBI's part of a saved guest, and the wire from the machine to the vcpu that runs now. */
#include <string.h>

#include "sbi_internal.h"

struct sbi_image {
	uint32_t harts, reset, reason, reserved;
	uint32_t state[]; /* of each hart */
};

static void save(void *arg, void *to)
{
	const struct hatch_sbi *sbi = arg;
	struct sbi_image *image = to;

	memset(image, 0, sbi->state.size);
	image->harts = sbi->harts;
	image->reset = sbi->reset;
	image->reason = sbi->reason;
	for (unsigned int i = 0; i < sbi->harts; i++)
		image->state[i] = (uint32_t)hatch_sbi_state_of(&sbi->hart[i]);
}

/* Only a request by SRST has a reason. */
static bool is_request(uint32_t reset, uint32_t reason)
{
	if (!reason)
		return reset <= HATCH_RESET_STOPPED;
	return reason <= HATCH_SBI_REASON_MAX && reset >= HATCH_RESET_SHUTDOWN &&
	       reset <= HATCH_RESET_WARM_REBOOT;
}

static bool is_possible(const struct hatch_sbi *sbi, const struct sbi_image *image)
{
	if (image->harts != sbi->harts || image->reserved ||
	    !is_request(image->reset, image->reason))
		return false;
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (image->state[i] > SBI_HART_RESUME_PENDING)
			return false;
	return true;
}

/*
 * Whether the machine can be that of this vcpu. The old vcpu is not looked at: it may be that of
 * a clone that is no more.
 */
static bool can_follow(const struct hatch_sbi *sbi, const struct hatch_vcpu *vcpu)
{
	for (unsigned int i = 0; i < sbi->harts; i++)
		if (sbi->hart[i].vcpu == vcpu)
			return true;
	return sbi->harts == 1;
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	const struct sbi_image *image = from;
	struct hatch_sbi *sbi = arg;

	if (!is_possible(sbi, image))
		return HATCH_EFORMAT;
	if (!can_follow(sbi, vcpu))
		return HATCH_ENOTSUP;
	if (sbi->harts == 1)
		sbi->hart[0].vcpu = vcpu;
	sbi->reset = (enum hatch_reset_kind)image->reset;
	sbi->reason = image->reason;
	for (unsigned int i = 0; i < sbi->harts; i++) {
		hatch_sbi_set_state(&sbi->hart[i], (enum sbi_hart_state)image->state[i]);
		/* A snapshot has moved the time of this vcpu; the harts have one clock. */
		sbi->hart[i].vcpu->confine.htimedelta = vcpu->confine.htimedelta;
	}
	hatch_timer_rearm(sbi->timer, vcpu);
	return HATCH_OK;
}

/* A hart that is about to start or to stop counts: its registers are not in the bytes either. */
static bool is_alone(void *arg, const struct hatch_vcpu *vcpu)
{
	const struct hatch_sbi *sbi = arg;
	const struct hatch_sbi_hart *hart = hatch_sbi_find(sbi, vcpu->hart_id);

	return hart && hatch_sbi_state_of(hart) == SBI_HART_STARTED &&
	       hatch_sbi_is_alone(sbi, vcpu);
}

void hatch_sbi_state_init(struct hatch_sbi *sbi)
{
	sbi->state = (struct hatch_state){
		.name = "sbi",
		.version = 1,
		.size = sizeof(struct sbi_image) + sbi->harts * sizeof(uint32_t),
		.save = save,
		.restore = restore,
		.is_alone = is_alone,
		.arg = sbi,
	};
}
