/* SPDX-License-Identifier: MIT */
/* `hatch boot --save` and `--load`: docs/snapshots.md has the layout of the files. */
#ifndef HATCH_COMMAND_SNAPSHOT_H
#define HATCH_COMMAND_SNAPSHOT_H

#include <stdint.h>

#include "qemu.h"

/* Bytes of RAM that the guest in the snapshot has. Ends the program when FILE is none, or damaged. */
uint64_t hatch_snapshot_memory(const char *file);

/*
 * Prepares a run that will end with a snapshot of its guest: room for it in the machine's RAM, and
 * that RAM where we can read it. MEMORY is the guest's, bytes. Adds to run->memory.
 */
void hatch_snapshot_prepare(struct hatch_run *run, const char *file, uint64_t memory);

/* The machine has ended with STATUS: moves the snapshot into its file. Returns our exit status. */
int hatch_snapshot_keep(int status);

#endif
