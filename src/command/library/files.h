/* SPDX-License-Identifier: MIT */
/* The guest's kernel and its initial file system. */
#ifndef HATCH_LIBRARY_FILES_H
#define HATCH_LIBRARY_FILES_H

#include "child.h"

/* Sets plan->kernel and ->initrd where they are there already. Errors: ENOENT, EIO, ERESOURCE. */
int hatch_files_plan(struct hatch_plan *plan, const char *own_kernel,
		     struct hatch_problem *problem);

/* Fetches and makes those that are not. Errors: EIO, EMACHINE, ERESOURCE. */
int hatch_files_make(struct hatch_child *child, struct hatch_problem *problem);

#endif
