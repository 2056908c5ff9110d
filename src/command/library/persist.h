/* SPDX-License-Identifier: MIT */
/* File systems that are kept under a name: hatch_command_persist. */
#ifndef HATCH_LIBRARY_PERSIST_H
#define HATCH_LIBRARY_PERSIST_H

#include "child.h"

/* Sets plan->persist, and locks it. Errors: EIO, somebody uses it, or it cannot be made. */
int hatch_persist_plan(struct hatch_plan *plan, const char *name, struct hatch_problem *problem);

/* Makes the file system if it is new. Errors: EIO, ENOENT, EMACHINE. */
int hatch_persist_make(struct hatch_child *child, struct hatch_problem *problem);

#endif
