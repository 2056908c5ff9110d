/* SPDX-License-Identifier: MIT */
/* A tar archive, as far as the host looks before it lets tar have it. */
#ifndef HATCH_LIBRARY_ARCHIVE_H
#define HATCH_LIBRARY_ARCHIVE_H

#include "problem.h"

/* FILE, an image, must begin as an archive does, packed or not. Errors: EIO. */
int hatch_archive_check(const char *file, struct hatch_problem *problem);

#endif
