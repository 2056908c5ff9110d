/* SPDX-License-Identifier: MIT */
/* Root file systems: folders, archives, folders of the OCI layout. */
#ifndef HATCH_LIBRARY_IMAGE_H
#define HATCH_LIBRARY_IMAGE_H

#include "child.h"

/* Sets plan->image and ->image_root. Errors: ENOENT, EIO, ERESOURCE. */
int hatch_image_plan(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem);

/* Unpacks it if that is not done yet. Errors: EIO, EMACHINE, ERESOURCE. */
int hatch_image_make(struct hatch_child *child, struct hatch_problem *problem);

#endif
