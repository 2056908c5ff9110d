/* SPDX-License-Identifier: MIT */
/*
 * A slot for a virtio-mmio device that has none, as a clause: what a guest finds there before a
 * device is plugged in.
 *
 * Virtual I/O Device (VIRTIO) 1.2, 4.2.2: a placeholder answers with the magic value, version 2
 * and DeviceID 0, and a driver ignores it (4.2.3.1.1).
 */
#ifndef HATCH_HANDLERS_VIRTIO_EMPTY_H
#define HATCH_HANDLERS_VIRTIO_EMPTY_H

#include <hatch/catch.h>

/*
 * A clause for the HATCH_VIRTIO_SIZE bytes at guest-physical `base`. All but the first two
 * registers reads 0, and no store does anything. Widths and places that a virtio device does not
 * have (4.2.2.2) are access faults, as they are of hatch_virtio_proxy. It has no state and needs
 * no lock. Take it out of its scope before a device's clause is added in its place.
 */
struct hatch_catch hatch_virtio_empty_clause(hatch_gpa base);

/*
 * Writes the slot's node into a tree that is being written with libfdt's sequential calls: the same
 * as hatch_virtio_proxy_fdt writes for a device there. Errors: those of libfdt (negative).
 */
int hatch_virtio_empty_fdt(const struct hatch_catch *clause, void *fdt, uint32_t parent,
			   uint32_t source);

#endif
