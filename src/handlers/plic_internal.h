/* SPDX-License-Identifier: MIT */
/* What the files of the PLIC share. Every function here is called with the PLIC's lock held. */
#ifndef HATCH_SRC_PLIC_INTERNAL_H
#define HATCH_SRC_PLIC_INTERNAL_H

#include <hatch/handlers/plic.h>

/* The memory map (PLIC specification 1.0.0, chapter 3). */
enum {
	PRIORITY_BASE = 0x0,
	PENDING_BASE = 0x1000,
	ENABLE_BASE = 0x2000,
	ENABLE_STRIDE = 0x80,
	CONTEXT_BASE = 0x200000,
	CONTEXT_STRIDE = 0x1000,
	CONTEXT_THRESHOLD = 0x0,
	CONTEXT_CLAIM = 0x4,
};

/* Opens the windows that are shut. */
void hatch_plic_show(struct hatch_plic *plic);
/* Shuts them, until the next store of the guest. */
void hatch_plic_hide(struct hatch_plic *plic);
/* The same, and the guest of `vcpu` is the one from now on. */
void hatch_plic_move(struct hatch_plic *plic, const struct hatch_vcpu *vcpu);

#endif
