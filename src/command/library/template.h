/* SPDX-License-Identifier: MIT */
/* The guest's first boot: a machine without devices that ends by leaving a snapshot. */
#ifndef HATCH_LIBRARY_TEMPLATE_H
#define HATCH_LIBRARY_TEMPLATE_H

#include "child.h"

/* Boots, and writes it to FILE, new. Errors: EMACHINE, ENOENT, ERESOURCE; EIO: FILE, or its disk. */
int hatch_template_boot(struct hatch_child *child, const char *file, uint64_t *size,
			struct hatch_problem *problem);

#endif
