/* SPDX-License-Identifier: MIT */
/* `hatch boot --save` and `--load`: docs/snapshots.md has the layout of the files. */
#ifndef HATCH_COMMAND_SNAPSHOT_H
#define HATCH_COMMAND_SNAPSHOT_H

#include <stdint.h>

#include "qemu.h"

/* Of the guest in a snapshot. */
struct hatch_snapshot {
	uint64_t memory; /* bytes */
	unsigned int cpus;
};

/* Looks at the file. Ends the program when it is no snapshot, or cut short. */
struct hatch_snapshot hatch_snapshot_look(const char *file);

/*
 * Prepares a run that will end with a snapshot of its guest: room for it in the machine's RAM, and
 * that RAM where we can read it. MEMORY is the guest's, bytes. Adds to run->memory.
 */
void hatch_snapshot_prepare(struct hatch_run *run, const char *file, uint64_t memory);

/* The machine has ended with STATUS: moves the snapshot into its file. Returns our exit status. */
int hatch_snapshot_keep(int status);

#endif
