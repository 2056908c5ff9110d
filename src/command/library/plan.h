/* SPDX-License-Identifier: MIT */
/*
 * What one spawn will do, worked out from the command by the calling thread: nothing of the command
 * is looked at any more afterwards. The child's thread then finds or makes what is missing.
 */
#ifndef HATCH_LIBRARY_PLAN_H
#define HATCH_LIBRARY_PLAN_H

#include "command.h"
#include "places.h"

enum {
	HATCH_SLOTS = 8, /* of virtio devices; the first one is the agent's */
	HATCH_PORTS = 4, /* HATCH_AGENT_CONTROL and what follows */
	HATCH_GDB_PORT = 1234,
};

/* What an image says of the command that nobody said otherwise. Zeroed: nothing. */
struct hatch_defaults {
	struct hatch_words entry, arguments; /* the program, with its own; those behind it */
	struct hatch_words environment;
	char *folder, *user; /* NULL: the guest's own */
};

struct hatch_plan {
	struct hatch_places places;
	char *qemu;
	char *firmware; /* NULL: QEMU's own */
	char *kernel;	/* NULL: Debian's, which is not in the cache yet */
	char *initrd;	/* NULL: not made yet */
	bool own_kernel;
	uint64_t memory; /* of the guest, bytes */
	unsigned int cpus;
	struct hatch_words devices; /* QEMU's words for those behind the agent's */
	unsigned int slots;	    /* how many these are */
	struct hatch_bytes setup;   /* what the agent is told: whole frames */
	char *image;		    /* what is to be unpacked; NULL: nothing */
	char *image_root;	    /* and where it is then */
	bool layered;		    /* it is of the OCI layout */
	struct hatch_defaults defaults;
	char *persist;	   /* the disk that is kept; NULL: none */
	int image_lock;	   /* on what was unpacked, so that nobody removes it; -1: none */
	int persist_lock;  /* -1: none */
	bool gdb, console; /* without a snapshot */
	bool terminal, merge;
	double timeout; /* seconds; 0: none */
	void (*tell)(void *arg, const char *what);
	void *tell_arg;
};

/* *plan is to be freed whatever this returns. Errors: those of hatch_command_spawn. */
int hatch_plan_make(struct hatch_plan *plan, const struct hatch_command *command,
		    struct hatch_problem *problem);
void hatch_plan_free(struct hatch_plan *plan);
void hatch_defaults_free(struct hatch_defaults *defaults);

/* SETUP and its key ahead of SIZE bytes of a value, as a frame. */
void hatch_setup_add(struct hatch_bytes *setup, uint32_t key, const void *value, size_t size);

/* All that the command says of how the program is to run. Errors: EINVAL, ERESOURCE. */
int hatch_setup_make(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem);

/* Network, image, mounts and disk, for QEMU and for the agent. Errors: as hatch_command_spawn. */
int hatch_devices_plan(struct hatch_plan *plan, const struct hatch_command *command,
		       struct hatch_problem *problem);

/* A value in one of QEMU's lists: its commas are doubled. NULL: no memory. */
char *hatch_quote(const char *text);

#endif
