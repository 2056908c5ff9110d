/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t name_length(const char *word)
{
	return (size_t)(strchrnul(word, '=') - word);
}

static bool is_named(const char *word, const char *name, size_t length)
{
	return name_length(word) == length && !memcmp(word, name, length);
}

const char *words_value(const struct words *environment, const char *name)
{
	for (size_t i = 0; i < environment->count; i++)
		if (is_named(environment->word[i], name, strlen(name)))
			return environment->word[i] + strlen(name) + 1;
	return NULL;
}

static bool add_usual(struct words *words, const char *name, const char *value)
{
	char *word;

	return asprintf(&word, "%s=%s", name, value) >= 0 && words_add(words, word);
}

static bool add_all_usual(const struct setup *setup, const struct user *user, struct words *words)
{
	return add_usual(words, "PATH", WORDS_PATH) && add_usual(words, "HOME", user->home) &&
	       add_usual(words, "USER", user->name) && add_usual(words, "LOGNAME", user->name) &&
	       add_usual(words, "HOSTNAME", setup->hostname ? setup->hostname : "hatch") &&
	       (!setup->terminal || add_usual(words, "TERM", *setup->term ? setup->term : "vt100"));
}

static int compare_names(const void *a, const void *b)
{
	char **x = *(char **const *)a, **y = *(char **const *)b;
	size_t length = name_length(*x), other = name_length(*y);
	int order = memcmp(*x, *y, length < other ? length : other);

	if (order || length != other)
		return order ? order : length < other ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Of equal names only the last word stays; the order of those that stay does not change. */
static bool drop_repeated(struct words *words)
{
	size_t count = words->count, kept = 0;
	char ***sorted = malloc((count + 1) * sizeof(*sorted));

	if (!sorted)
		return false;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &words->word[i];
	qsort(sorted, count, sizeof(*sorted), compare_names);
	for (size_t i = 0; i + 1 < count; i++) {
		if (is_named(*sorted[i + 1], *sorted[i], name_length(*sorted[i]))) {
			free(*sorted[i]);
			*sorted[i] = NULL;
		}
	}
	free(sorted);
	for (size_t i = 0; i < count; i++)
		if (words->word[i])
			words->word[kept++] = words->word[i];
	words->count = kept;
	words->word[kept] = NULL;
	return true;
}

bool words_environment(const struct setup *setup, const struct user *user, struct words *words)
{
	const struct words *said = &setup->environment;
	char *word;

	if (!setup->bare && !add_all_usual(setup, user, words))
		return false;
	for (size_t i = 0; i < said->count; i++) {
		word = strdup(said->word[i]);
		if (!word || !words_add(words, word))
			return false;
	}
	return !words->count || drop_repeated(words);
}

static bool join(const char *folder, size_t length, const char *name, char *to, size_t room)
{
	int size = snprintf(to, room, "%.*s%s%s", (int)length, folder, length ? "/" : "", name);

	return size >= 0 && (size_t)size < room;
}

bool words_candidate(const char **path, const char *name, char *to, size_t room)
{
	const char *folder, *end;

	if (!*name)
		return false;
	while ((folder = *path)) {
		if (strchr(name, '/')) {
			*path = NULL;
			return join("", 0, name, to, room);
		}
		end = strchrnul(folder, ':');
		*path = *end ? end + 1 : NULL;
		if (join(folder, (size_t)(end - folder), name, to, room))
			return true;
	}
	return false;
}
