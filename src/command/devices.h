/* SPDX-License-Identifier: MIT */
/* What `hatch boot` plugs into its machine: disks, a network, shared folders; and its processors. */
#ifndef HATCH_COMMAND_DEVICES_H
#define HATCH_COMMAND_DEVICES_H

#include <stdbool.h>

#include "options.h"
#include "qemu.h"

/* As given; NULL or empty: none. */
struct hatch_devices {
	const char *cpus;	  /* a number; NULL: 1 */
	const char *net;	  /* "none" or "user", with ",forward=..." behind it */
	struct hatch_list disks;  /* FILE[,ro|,snapshot] each */
	struct hatch_list shares; /* DIR:TAG[:ro] each */
};

/* Rows of an option table (see options.h) that fill a struct hatch_devices. */
#define HATCH_DEVICES_OPTIONS(devices)                                                             \
	{ "--cpus", "N", "processors, 1 to 8 (default: 1)", HATCH_OPTION_TEXT, &(devices)->cpus }, \
		{ "--disk", "FILE[,HOW]",                                                          \
		  "a disk, raw or qcow2; HOW: ro, or snapshot; may be repeated",                   \
		  HATCH_OPTION_LIST, &(devices)->disks },                                          \
		{ "--net", "NET",                                                                  \
		  "user[,forward=tcp:HOST:GUEST]... (udp, too), or none (default)",                \
		  HATCH_OPTION_TEXT, &(devices)->net },                                            \
	{                                                                                          \
		"--share", "DIR:TAG[:ro]", "a folder, at /mnt/TAG of the guest; may be repeated",  \
			HATCH_OPTION_LIST, &(devices)->shares                                      \
	}

/* Whether any virtio device is asked for. */
bool hatch_devices_any(const struct hatch_devices *devices);

/* How many slots for virtio devices the machine has. */
#define HATCH_DEVICES_SLOTS 8

/* How many of them these take, that for entropy included. */
unsigned int hatch_devices_slots(const struct hatch_devices *devices);

/*
 * Checks the devices, files, folders and ports included, and adds them to QEMU's words, in the next
 * slots, which must be there. Ends the program, with status 2 where a word is wrong, with 125 where the
 * world is.
 */
void hatch_devices_plug(struct hatch_run *run, const struct hatch_devices *devices);

/* The first option that asks for a virtio device, or NULL. */
const char *hatch_devices_first(const struct hatch_devices *devices);

/* The number of processors. Ends the program, with status 2, where it is none. */
unsigned int hatch_devices_cpus(const struct hatch_devices *devices);

/*
 * Checks all of it, files, folders and ports included, and adds it to RUN: to QEMU's words, and the
 * processors to what the program is told. Ends the program, with status 2 where a word is
 * wrong, with 125 where the world is.
 */
void hatch_devices_add(struct hatch_run *run, const struct hatch_devices *devices);

#endif
