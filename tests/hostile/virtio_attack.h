/* SPDX-License-Identifier: MIT */
/* What the guest's other harts do to one of its devices, all at once. */
#ifndef VIRTIO_ATTACK_H
#define VIRTIO_ATTACK_H

#include "virtio_driver.h"

#define VIRTIO_BAITS 16

/*
 * `device` and `bait` are changed only while nobody attacks. The rest is what harts take turns to
 * write, and not more true than the registers: atomic, for the sake of order alone.
 */
struct virtio_attack {
	unsigned int device;
	uint64_t bait[VIRTIO_BAITS];
	struct virtio_ring ring[4]; /* the first queues of the device, as somebody placed them */
	uint64_t rings;		    /* that were made available to it, of whatever kind */
};

extern struct virtio_attack virtio_attack;

/* One act of the hart with this number. */
void virtio_attack_once(uint64_t hart);

#endif
