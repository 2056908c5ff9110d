/* SPDX-License-Identifier: MIT */
/* hatch cache: what is kept for later, and how to be rid of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "report.h"
#include "tool.h"
#include "verbs.h"

enum { DAYS = 30 }; /* without use, before prune takes it */

struct cache_words {
	bool all;
	const char *days;
};

/* Three digits or so, with a unit. */
static const char *size_text(uint64_t bytes)
{
	static char text[32];
	static const char units[] = "KMGT";
	double size = (double)bytes / 1024;
	const char *unit = units;

	while (size >= 1000 && unit[1]) {
		size /= 1024;
		unit++;
	}
	snprintf(text, sizeof(text), size < 10 ? "%.1f%c" : "%.0f%c", size, *unit);
	return text;
}

static const char *day_text(time_t time)
{
	static char text[32];
	struct tm local;

	if (!time || !localtime_r(&time, &local) || !strftime(text, sizeof(text), "%F %R", &local))
		return "-";
	return text;
}

static int widest(const struct hatch_cached *list, bool keys)
{
	size_t width = 4;

	for (; list->kind; list++) {
		size_t length = strlen(keys ? list->key : list->kind);

		width = length > width ? length : width;
	}
	return (int)width;
}

static void print_line(int kinds, int keys, const struct hatch_cached *one)
{
	const char *gap = one->current || *one->about ? "  " : "";

	printf("%-*s  %-*s  %6s  %16s%s%s%s%s\n", kinds, one->kind, keys, one->key,
	       size_text(one->size), day_text(one->used), gap, one->current ? "current" : "",
	       one->current && *one->about ? ", " : "", one->about);
}

static int list_all(const struct hatch_cached *list)
{
	int kinds = widest(list, false), keys = widest(list, true);
	uint64_t total = 0;

	printf("%-*s  %-*s  %6s  %-16s  %s\n", kinds, "KIND", keys, "KEY", "SIZE", "LAST USED",
	       "WHAT");
	for (; list->kind; list++) {
		print_line(kinds, keys, list);
		total += list->size;
	}
	printf("%s in %s\n", size_text(total), hatch_cache_folder());
	return 0;
}

/* Whether it is gone. */
static bool remove_and_tell(const struct hatch_cached *one)
{
	switch (hatch_cache_remove(one)) {
	case HATCH_REMOVED:
		printf("removed %s/%s, %s\n", one->kind, one->key, size_text(one->size));
		return true;
	case HATCH_REMOVED_IN_USE:
		hatch_report_note("%s/%s is in use, and stays: see hatch ps", one->kind, one->key);
		return false;
	case HATCH_REMOVED_FAILED:
		break;
	}
	hatch_report_note("cannot remove %s/%s: %m; check its owner", one->kind, one->key);
	return false;
}

/* NAME is a key, or its start, perhaps with the kind and a '/' ahead. */
static bool is_meant(const struct hatch_cached *one, const char *name, bool exact)
{
	size_t kind = strlen(one->kind);

	if (!strncmp(name, one->kind, kind) && name[kind] == '/')
		name += kind + 1;
	return *name && !strncmp(one->key, name, exact ? strlen(one->key) + 1 : strlen(name));
}

/* NULL: none. */
static const struct hatch_cached *search(const struct hatch_cached *list, const char *name,
					 bool exact)
{
	const struct hatch_cached *found = NULL;

	for (; list->kind; list++) {
		if (!is_meant(list, name, exact))
			continue;
		if (found)
			hatch_report_fail(HATCH_EXIT_USAGE,
					  "'%s' may be %s/%s or %s/%s: give more of the name", name,
					  found->kind, found->key, list->kind, list->key);
		found = list;
	}
	return found;
}

static const struct hatch_cached *find(const struct hatch_cached *list, const char *name)
{
	const struct hatch_cached *found = search(list, name, true) ?: search(list, name, false);

	if (!found)
		hatch_report_fail(HATCH_EXIT_USAGE, "nothing is kept as '%s': see hatch cache ls",
				  name);
	return found;
}

static int remove_named(const struct hatch_cached *list, int count, char **names)
{
	const struct hatch_cached **found = calloc((size_t)count, sizeof(*found));
	bool all = true;

	for (int i = 0; found && i < count; i++)
		found[i] = find(list, names[i]);
	for (int i = 0; found && i < count; i++)
		all &= remove_and_tell(found[i]);
	free(found);
	return all ? 0 : 1;
}

static int remove_all(const struct hatch_cached *list)
{
	bool all = true;

	if (!list->kind)
		printf("nothing is kept in %s\n", hatch_cache_folder());
	for (; list->kind; list++)
		all &= remove_and_tell(list);
	return all ? 0 : 1;
}

static time_t limit_of(const char *days)
{
	char *end;
	unsigned long count = days ? strtoul(days, &end, 10) : DAYS;

	if (days && (*days < '0' || *days > '9' || *end || count > 10000))
		hatch_report_fail(HATCH_EXIT_USAGE, "--days %s: not a number of days", days);
	return time(NULL) - (time_t)count * 24 * 60 * 60;
}

/* What nobody has used for long, unless it would be made anew as soon as somebody does. */
static int prune(const struct hatch_cached *list, const char *days)
{
	time_t limit = limit_of(days);
	uint64_t freed = 0;

	for (; list->kind; list++) {
		if (!list->current && list->used < limit && remove_and_tell(list))
			freed += list->size;
	}
	printf("%s freed\n", size_text(freed));
	return 0;
}

int hatch_verb_cache(const struct hatch_verb *self, int argc, char **argv)
{
	struct cache_words words = { 0 };
	const struct hatch_option options[] = {
		{ "-a, --all", NULL, "with rm: all that is not in use", HATCH_OPTION_FLAG,
		  &words.all },
		{ "--days", "N", "with prune: what was not used for N days goes (default: 30)",
		  HATCH_OPTION_TEXT, &words.days },
		{ 0 },
	};
	int count = hatch_options_parse(self, options, argc, argv);
	const char *what = count ? argv[0] : "ls";
	bool removes = !strcmp(what, "rm");

	if (words.all && (!removes || count > 1))
		hatch_report_fail(HATCH_EXIT_USAGE, "--all is for rm, and without a key");
	if (removes && count < 2 && !words.all)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "rm of what? hatch cache rm KEY, or --all; hatch cache ls has "
				  "the keys");
	if (removes)
		return words.all ? remove_all(hatch_cache_list())
				 : remove_named(hatch_cache_list(), count - 1, argv + 1);
	hatch_operands_limit(self, count, 1, argv);
	if (!strcmp(what, "prune"))
		return prune(hatch_cache_list(), words.days);
	if (strcmp(what, "ls"))
		hatch_report_fail(HATCH_EXIT_USAGE, "'%s' of the cache? ls, rm or prune", what);
	return list_all(hatch_cache_list());
}
