/* SPDX-License-Identifier: MIT */
/* --disk FILE[,ro|,snapshot]: a file as a disk. */
#ifndef HATCH_COMMAND_DISK_H
#define HATCH_COMMAND_DISK_H

#include <stddef.h>

#include "plug.h"

/*
 * The disk of the option's value TEXT, the INDEX-th (from 0). Ends the program with status 2 if a
 * word is wrong, with 125 if the file cannot serve as that disk.
 */
struct hatch_plug hatch_disk_plug(const char *text, size_t index);

#endif
