/* SPDX-License-Identifier: MIT */
/* What the guest that attacks its virtio devices, its host and the runner have agreed on. */
#ifndef VIRTIO_WORLD_H
#define VIRTIO_WORLD_H

#include <hatch/abi.h>

#define VIRTIO_HARTS	    4 /* the first one uses devices, the others attack one */

/*
 * The guest's memory. Its program is mapped, but no region of RAM contains it: no request may
 * reach it. All the rest may be named in requests, and nobody else's memory.
 */
#define VIRTIO_PROGRAM_SIZE 0x80000	 /* bytes, at HATCH_GUEST_RAM */
#define VIRTIO_PROGRAM_USED 0x20000	 /* more than it needs, with data and stacks */
#define VIRTIO_ENTRY	    0x8f000000UL /* where harts begin: sp and pc from what a1 points to */
#define VIRTIO_ENTRY_SIZE   0x1000UL
#define VIRTIO_ARENA	    0x90000000UL
#define VIRTIO_ARENA_SIZE   0x100000UL
#define VIRTIO_NEXT	    (VIRTIO_ARENA + VIRTIO_ARENA_SIZE) /* elsewhere in the host */
#define VIRTIO_NEXT_SIZE    0x40000UL
#define VIRTIO_FIXED	    (VIRTIO_NEXT + VIRTIO_NEXT_SIZE) /* read only */
#define VIRTIO_FIXED_SIZE   0x10000UL
#define VIRTIO_LAZY	    0xa0000000UL /* every other page can be had */
#define VIRTIO_LAZY_PAGES   64
#define VIRTIO_STEADY	    0x2a5a000000UL /* of requests that must work, where no attack hits */
#define VIRTIO_STEADY_SIZE  0x20000UL

/* The devices, as the runner plugs them in: slot i of the machine. */
enum virtio_device {
	VIRTIO_DISK, /* is never attacked; its sectors have known contents */
	VIRTIO_ENTROPY,
	VIRTIO_NET,
	VIRTIO_CONSOLE,
	VIRTIO_VICTIM, /* a disk that is */
	VIRTIO_DEVICES,
};

#define VIRTIO_REGISTERS    0x10001000UL /* of slot 0, then one page each */
#define VIRTIO_SECTORS	    2048	 /* of either disk; each begins as its number, 511 digits */

/* A device of the host's: words to be read or written. */
#define VIRTIO_CONTROL	    0x20000000UL
#define VIRTIO_BAIT	    0x00 /* an address that is none of the guest's, or hardly */
#define VIRTIO_RINGS	    0x08 /* read: how many to attack with; written: how many there were */
#define VIRTIO_GOOD	    0x10 /* written: requests that had to work, and did */
#define VIRTIO_CONTROL_SIZE 0x100

/* What went wrong: the guest's status is this times 16, and the device. */
enum virtio_fault {
	VIRTIO_FINE,
	VIRTIO_NO_RESET,    /* the device does not obey it */
	VIRTIO_NO_FEATURES, /* ... does not take what it offers */
	VIRTIO_NO_QUEUE,    /* ... or a queue */
	VIRTIO_NO_ANSWER,
	VIRTIO_WRONG_ANSWER,
	VIRTIO_REFUSED, /* a call of the SBI */
	VIRTIO_TRAP,
};

#endif
