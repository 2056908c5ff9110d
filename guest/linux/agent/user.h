/* SPDX-License-Identifier: MIT */
/* Who runs the command, by the root's own lists of users and groups. Pure. */
#ifndef AGENT_USER_H
#define AGENT_USER_H

#include <stdint.h>

enum { USER_GROUPS_MOST = 64 };

struct user {
	uint32_t uid, gid;
	uint32_t group[USER_GROUPS_MOST]; /* the supplementary ones */
	unsigned int groups;
	char name[256]; /* the number's digits if it has no name */
	char home[1024];
};

/*
 * `spec` is "user" or "user:group", each a name or a number; NULL: root. `passwd` and `group` are
 * the texts of these files, "" where there is none. A number needs no line there: its group is then
 * the same number, its home "/". NULL, or what is not there: "user" or "group".
 */
const char *user_find(const char *spec, const char *passwd, const char *group, struct user *user);

#endif
