/* SPDX-License-Identifier: MIT */
/* The riscv64 Linux kernel Image, as far as the command looks: is it one, and is it whole? */
#ifndef HATCH_COMMAND_IMAGE_H
#define HATCH_COMMAND_IMAGE_H

#include <stdint.h>

/* Ends the program with status 125 unless FILE is a whole Image; returns the RAM it needs, bytes. */
uint64_t hatch_image_check(const char *file);

#endif
