/* SPDX-License-Identifier: MIT */
/* Guests that have booted, kept in the cache: snapshot/<key>/guest, and about, which says what it is. */
#ifndef HATCH_LIBRARY_SNAPSHOT_H
#define HATCH_LIBRARY_SNAPSHOT_H

#include "child.h"

/* Zeroed: none. */
struct hatch_snapshot {
	int fd; /* locked for reading; positive */
	uint64_t size;
};

/*
 * Finds that of the plan's kind, or boots a guest and keeps it. *snapshot is none when no snapshot
 * can be kept here: the guest boots then. Errors: EMACHINE, ERESOURCE, ENOENT.
 */
int hatch_snapshot_get(struct hatch_child *child, struct hatch_snapshot *snapshot,
		       struct hatch_problem *problem);

void hatch_snapshot_close(struct hatch_snapshot *snapshot);

/* It could not be loaded: if it is still this one, it is removed. */
void hatch_snapshot_drop(struct hatch_child *child, const struct hatch_snapshot *snapshot);

/* The bytes of that of the plan's kind; 0: there is none. */
uint64_t hatch_snapshot_size(const struct hatch_plan *plan);

#endif
