/* SPDX-License-Identifier: MIT */
/* What --exec adds to the initrd. */
#ifndef HATCH_COMMAND_CPIO_H
#define HATCH_COMMAND_CPIO_H

#include <stdio.h>

/*
 * Writes a cpio archive ("newc" form: Linux, Documentation/driver-api/early-userspace/
 * buffer-format.rst) with the one file NAME, executable, holding TEXT. Linux unpacks archives
 * that follow one another, each at a multiple of four bytes.
 */
void hatch_cpio_write(FILE *to, const char *name, const char *text);

#endif
