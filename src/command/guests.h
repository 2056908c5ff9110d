/* SPDX-License-Identifier: MIT */
/* hatch boot --guests FILE: several guests that share the harts of one machine. */
#ifndef HATCH_COMMAND_GUESTS_H
#define HATCH_COMMAND_GUESTS_H

#include "qemu.h"

/*
 * Reads FILE and tells the machine's program of the guests in it: names, files, devices; and RUN of the
 * RAM that they need. Ends the program, with status 2 where a word in it is wrong (the message names
 * file, line and key), with 125 where the world is.
 */
void hatch_guests_describe(struct hatch_run *run, const char *file);

/*
 * Bytes of RAM of a machine that has so many in use already, and a guest's more. A guest of 1 GiB or
 * more stands at a multiple of that, the largest leaf of its G-stage. The gap before it costs nothing:
 * QEMU's RAM is taken when it is touched.
 */
uint64_t hatch_guests_place(uint64_t guest, uint64_t used);

#endif
