/* SPDX-License-Identifier: MIT */
/* Debian's kernel and our initial file system: fetched and made once, then cached. */
#ifndef HATCH_COMMAND_LINUX_H
#define HATCH_COMMAND_LINUX_H

#include <stdbool.h>
#include <stdint.h>

/* A kernel's Image; with the initrd's busybox, if that is needed too: package lists are then read once. */
const char *hatch_linux_kernel(bool with_busybox);

/* The initrd of the busybox shell; with the modules for virtio devices, or without. */
const char *hatch_linux_initrd(bool with_devices);

/* Bytes of RAM below which Linux dies before its console works, so that nothing could be told. */
enum { HATCH_LINUX_LEAST = 32 << 20 };

/* Bytes of RAM that a kernel takes. Ends the program with status 125 if FILE is none. */
uint64_t hatch_linux_check(const char *file);

#endif
