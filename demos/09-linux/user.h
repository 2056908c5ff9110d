/* SPDX-License-Identifier: MIT */
/* What the user gave: the blobs of the machine's command line. And what to say when it won't do. */
#ifndef DEMO_LINUX_USER_H
#define DEMO_LINUX_USER_H

#include <hatch/handlers/linux.h>

/* Says what is wrong, and ends with the host command's code for: not the guest's own. */
_Noreturn void give_up(const char *what, const char *why);

/* The same if there is an error. */
void check(int error, const char *what);

/* A file; NULL: none of that name was given. */
const struct hatch_source *find_file(struct hatch_source *source, char *name);

/* A text, or NULL. */
const char *find_text(char *name);

/* A number, or `otherwise`. */
uint64_t find_number(char *name, uint64_t otherwise);

/* A file whole in memory. */
char *read_file(char *name, uint64_t size);

#endif
