/* SPDX-License-Identifier: MIT */
/* What the command finds around it, and how it is found itself. Pure. */
#ifndef AGENT_WORDS_H
#define AGENT_WORDS_H

#include "setup.h"
#include "user.h"

#define WORDS_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The command's whole environment: the usual variables, unless it is bare, and those that were
 * said, of which the last one of a name counts. False: no memory. */
bool words_environment(const struct setup *setup, const struct user *user, struct words *words);

/* A variable's value, or NULL. */
const char *words_value(const struct words *environment, const char *name);

/*
 * The next file that `name` may stand for, in `to`. *path is the rest of a PATH, NULL behind its
 * end; a name with a slash stands for itself alone. False: there is none; what has no room in `to`
 * is left out.
 */
bool words_candidate(const char **path, const char *name, char *to, size_t room);

#endif
