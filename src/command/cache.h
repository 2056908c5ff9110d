/* SPDX-License-Identifier: MIT */
/* The cache as folders: $cache/KIND/KEY each, complete or absent. tools/README.md lists the kinds. */
#ifndef HATCH_COMMAND_CACHE_H
#define HATCH_COMMAND_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct hatch_cached {
	const char *kind, *key; /* NULL: the end of a list */
	const char *path;
	const char *about; /* one line */
	uint64_t size;	   /* bytes that it takes on the disk */
	time_t used;	   /* when one of its files was last read, as far as the disk keeps that */
	bool current;	   /* the version of its kind that is taken for new guests */
};

/* All of them, by kind and key. */
struct hatch_cached *hatch_cache_list(void);

enum hatch_removed {
	HATCH_REMOVED,
	HATCH_REMOVED_IN_USE, /* a machine runs from it, or it is being made */
	HATCH_REMOVED_FAILED, /* errno says why */
};

/* Removes one, all at once as far as others see. */
enum hatch_removed hatch_cache_remove(const struct hatch_cached *cached);

#endif
