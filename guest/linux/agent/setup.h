/* SPDX-License-Identifier: MIT */
/* What the SETUP frames say. Pure. */
#ifndef AGENT_SETUP_H
#define AGENT_SETUP_H

#include "frame.h"

enum {
	SETUP_SEED_MOST = 512,
	SETUP_MOUNTS_MOST = 8,	       /* more than the machine has slots */
	SETUP_BYTES_MOST = 16 << 20,   /* of all texts; Linux takes 6 MiB for one program */
	SETUP_WORDS_MOST = 512 * 1024, /* of one list */
};

/* A list with a NULL at its end, as exec wants it. */
struct words {
	char **word;
	size_t count, room;
};

struct setup_mount {
	enum hatch_agent_mount how;
	char *tag, *path;
};

struct setup {
	struct words arguments, environment;
	bool bare;
	char *folder, *user, *hostname;
	bool has_clock;
	uint64_t clock; /* ns since 1970 */
	unsigned char seed[SETUP_SEED_MOST];
	size_t seed_size;
	uint32_t devices, cpus;
	bool network;
	struct setup_mount mount[SETUP_MOUNTS_MOST];
	size_t mounts;
	char *root;
	int keep; /* number of a disk, or -1 */
	bool terminal;
	unsigned int rows, columns;
	char *term;
	bool merge;
	size_t bytes;  /* of all texts */
	bool too_long; /* for any exec: the rest was dropped */
};

void setup_init(struct setup *setup);
void setup_free(struct setup *setup);

/* One frame's data. NULL, or what makes no sense about it. */
const char *setup_add(struct setup *setup, const unsigned char *data, size_t size);

/* When all has been said. NULL, or what is missing. */
const char *setup_check(const struct setup *setup);

/* One more word at the end of a list, which owns it from then on. False: no memory; it is freed. */
bool words_add(struct words *words, char *word);
void words_free(struct words *words);

#endif
