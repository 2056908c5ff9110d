/* SPDX-License-Identifier: MIT */
/* The riscv64 Linux kernel Image, as far as the host looks: is it one, and is it whole? */
#ifndef HATCH_LIBRARY_KERNEL_H
#define HATCH_LIBRARY_KERNEL_H

#include "problem.h"

/* FILE must be a whole Image; *needed (NULL: no matter) is the RAM it takes, bytes. Errors: EIO. */
int hatch_kernel_check(const char *file, uint64_t *needed, struct hatch_problem *problem);

#endif
