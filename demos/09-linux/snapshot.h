/* SPDX-License-Identifier: MIT */
/* Linux saved and loaded: `hatch boot --save` and `--load`. */
#ifndef DEMO_LINUX_SNAPSHOT_H
#define DEMO_LINUX_SNAPSHOT_H

#include <hatch/try.h>

/*
 * When the machine was started with room for a snapshot: enters a scope that suspends the guest as
 * soon as its init says, on the hart of this try, that it is up. Errors: those of hatch_scope_enter.
 */
int snapshot_watch(struct hatch_try *t);

/* The try is suspended: saves it into that room. NULL, or what was wrong. */
const char *snapshot_save(struct hatch_try *t);

/* Whether the machine was given a snapshot. */
bool snapshot_is_given(void);

/* Loads it; its next run goes on behind what its init said. NULL, or what was wrong. */
const char *snapshot_load(struct hatch_try *t);

#endif
