/* SPDX-License-Identifier: MIT */
#ifndef HATCH_SRC_FILES_INTERNAL_H
#define HATCH_SRC_FILES_INTERNAL_H

#include <hatch/handlers/files.h>

/* The file of that name in a folder, or HATCH_FILES_NONE. */
uint32_t hatch_files_child(const struct hatch_files *files, uint32_t folder, const char *name,
			   size_t length);

#endif
