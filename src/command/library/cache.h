/* SPDX-License-Identifier: MIT */
/*
 * The cache of tools/README.md, with its promises: a folder in it is complete or absent, nothing is
 * built twice at once, and who was killed leaves nothing behind that is not swept by the next one.
 */
#ifndef HATCH_LIBRARY_CACHE_H
#define HATCH_LIBRARY_CACHE_H

#include "child.h"

/* A thing that is being made. Zero it; it is ended by hatch_cache_leave in any case. */
struct hatch_making {
	int lock;      /* held while positive */
	char *scratch; /* an empty folder on the cache's file system */
};

/*
 * Waits until nobody else makes KIND, and makes the scratch folder. Errors: EIO, nothing can be
 * written there; EMACHINE as hatch_child_wait_for.
 */
int hatch_cache_enter(struct hatch_child *child, const char *kind, struct hatch_making *making,
		      struct hatch_problem *problem);

/* Gives the scratch folder to everyone, as TARGET, the folders above it made. Errors: EIO. */
int hatch_cache_publish(struct hatch_making *making, const char *target,
			struct hatch_problem *problem);

/* Removes what was not published, and lets others in. */
void hatch_cache_leave(struct hatch_making *making);

/* Makes TARGET absent, in one step. The lock of its kind is held. */
void hatch_cache_drop(struct hatch_making *making, const char *target);

/* A file, or a folder with all that is in it; links are not followed. */
void hatch_tree_remove(const char *path);
void hatch_tree_remove_at(int folder, const char *name);

/* PATH and the folders above it. Errors: -1 and errno. */
int hatch_folders_make(const char *path);

#endif
