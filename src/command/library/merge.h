/* SPDX-License-Identifier: MIT */
/* Layers of a root file system, one over the other, as the OCI image specification has it. */
#ifndef HATCH_LIBRARY_MERGE_H
#define HATCH_LIBRARY_MERGE_H

#include <stdbool.h>

/*
 * Moves all of the folder LAYER into the folder ROOT; both are on one file system. With WHITEOUTS,
 * files called .wh.NAME remove NAME, and .wh..wh..opq what the layers below have in that folder.
 * Devices are left out; what its owner could not read becomes readable. Follows no symbolic link.
 * Returns 0, or -1 and errno.
 */
int hatch_merge(const char *layer, const char *root, bool whiteouts);

#endif
