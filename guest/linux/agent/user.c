/* SPDX-License-Identifier: MIT */
#include "user.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7 }; /* passwd(5) has the most */

struct text {
	const char *at;
	size_t size;
};

static bool is(struct text text, struct text other)
{
	return text.size == other.size && !memcmp(text.at, other.at, text.size);
}

static struct text text_of(const char *string)
{
	return (struct text){ string, strlen(string) };
}

static bool parse_number(struct text text, uint32_t *number)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9' || value > UINT32_MAX)
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	*number = (uint32_t)value;
	return text.size && value < UINT32_MAX; /* the last one is -1: "none" */
}

/* The part of *rest ahead of the next mark, which is taken away with it. */
static struct text cut(const char **rest, size_t length, char mark)
{
	const char *end = memchr(*rest, mark, length);
	struct text part = { *rest, end ? (size_t)(end - *rest) : length };

	*rest += part.size + (end ? 1 : 0);
	return part;
}

/* The next line's fields; what is not there is "". False: no more lines. */
static bool next_line(const char **file, struct text field[FIELDS])
{
	struct text line;
	const char *rest, *end;

	if (!**file)
		return false;
	line = cut(file, strlen(*file), '\n');
	rest = line.at;
	end = line.at + line.size;
	for (int i = 0; i < FIELDS; i++)
		field[i] = rest < end ? cut(&rest, (size_t)(end - rest), ':')
				      : (struct text){ end, 0 };
	return true;
}

static void copy(struct text text, char *to, size_t room)
{
	snprintf(to, room, "%.*s", (int)(text.size < room ? text.size : room - 1), text.at);
}

/* A line of passwd: name, password, uid, gid, comment, home, shell. */
static bool take_line(struct text field[FIELDS], struct user *user)
{
	if (!parse_number(field[2], &user->uid) || !parse_number(field[3], &user->gid))
		return false;
	copy(field[0], user->name, sizeof(user->name));
	if (field[5].size)
		copy(field[5], user->home, sizeof(user->home));
	return true;
}

static bool find_line(struct text wanted, unsigned int index, const char *passwd, struct user *user)
{
	struct text field[FIELDS];

	while (next_line(&passwd, field))
		if (is(field[index], wanted) && take_line(field, user))
			return true;
	return false;
}

static bool find_user(struct text wanted, const char *passwd, struct user *user)
{
	if (find_line(wanted, 0, passwd, user) || find_line(wanted, 2, passwd, user))
		return true;
	copy(wanted, user->name, sizeof(user->name));
	if (!parse_number(wanted, &user->uid))
		return false;
	user->gid = user->uid;
	return true;
}

/* A line of group: name, password, gid, members. */
static bool find_group(struct text wanted, const char *group, uint32_t *gid)
{
	struct text field[FIELDS];

	while (next_line(&group, field))
		if (is(field[0], wanted) && parse_number(field[2], gid))
			return true;
	return parse_number(wanted, gid);
}

static bool is_member(struct text name, struct text members)
{
	const char *rest = members.at, *end = members.at + members.size;

	while (rest < end)
		if (is(cut(&rest, (size_t)(end - rest), ','), name))
			return true;
	return false;
}

static void find_groups(const char *group, struct user *user)
{
	struct text field[FIELDS], name = text_of(user->name);
	uint32_t gid;

	while (user->groups < USER_GROUPS_MOST && next_line(&group, field))
		if (is_member(name, field[3]) && parse_number(field[2], &gid))
			user->group[user->groups++] = gid;
}

const char *user_find(const char *spec, const char *passwd, const char *group, struct user *user)
{
	const char *rest = spec ? spec : "0";
	struct text name = cut(&rest, strlen(rest), ':');

	*user = (struct user){ .home = "/" };
	if (!find_user(name, passwd, user))
		return "user";
	if (!spec && !strcmp(user->name, "0"))
		strcpy(user->name, "root");
	find_groups(group, user);
	if (name.at[name.size] == ':' && !find_group(text_of(rest), group, &user->gid))
		return "group";
	return NULL;
}
