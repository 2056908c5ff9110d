/* SPDX-License-Identifier: MIT */
#ifndef AGENT_DEVICE_H
#define AGENT_DEVICE_H

/* Has Linux look into a slot for virtio devices. 0, or -1 with errno: there is no such slot. */
int device_probe(unsigned int slot);

#endif
