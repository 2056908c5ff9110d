/* SPDX-License-Identifier: MIT */
/* Sets of harts, for fences of the G-stage. */
#ifndef HATCH_CORE_REMOTE_H
#define HATCH_CORE_REMOTE_H

#include <stdint.h>

struct hatch_hart;

/* A set of harts by their ids; one that no bit is left for makes it this. */
#define HATCH_HARTS_ALL UINT64_MAX

/* The set of this one hart. */
uint64_t hatch_harts_mask(const struct hatch_hart *hart);

/*
 * The harts of the set other than this one forget all of the G-stage's translations, and all
 * cached instructions, before this returns.
 */
void hatch_harts_fence_gvma(uint64_t harts);

#endif
