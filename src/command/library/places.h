/* SPDX-License-Identifier: MIT */
/* Where things are: a checkout's (HATCH_ROOT and HATCH_BUILD say which), or what was installed. */
#ifndef HATCH_LIBRARY_PLACES_H
#define HATCH_LIBRARY_PLACES_H

#include <sys/stat.h>

#include "problem.h"

/* All of the heap. */
struct hatch_places {
	char *program; /* that boots Linux in a try block */
	char *agent;   /* the guest's first process */
	char *tools;   /* the folder of the scripts */
	char *guest;   /* and that of the guest's other files */
	char *cache;
};

/* Errors: ENOENT when HOME is not set and nothing says where the cache is; ERESOURCE. */
int hatch_places_find(struct hatch_places *places, struct hatch_problem *problem);
void hatch_places_free(struct hatch_places *places);

/* $XDG_DATA_HOME, or what stands for it, and NAME behind it. NULL: as above. */
char *hatch_places_data(const char *name, struct hatch_problem *problem);

/* The path of a program: NAME if it has a slash, else what PATH has; NULL: there is none. */
char *hatch_places_program(const char *name);

/* A regular file that can be read; WHAT names it. Errors: ENOENT, EIO. */
int hatch_places_check(const char *what, const char *file, struct hatch_problem *problem);

/* One line that is another one when the file is: path, size, time, number. */
void hatch_places_identify(struct hatch_bytes *text, const char *what, const char *file);

#endif
