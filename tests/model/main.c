/* SPDX-License-Identifier: MIT */
/*
 * The framework against the model: test-model [--seed N] [--trees M] [--show]
 *
 * Tree number i is made from the seed N + i. The first that differs is made smaller while it still
 * differs, and printed. --show prints each tree with its trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "play.h"
#include "shrink.h"

static struct plan plan;

static const struct plan_limits limits = {
	.capture = true, .clone = true, .transaction = true, .stray = true
};

static void usage(const char *word)
{
	fprintf(stderr, "test-model: '%s'? Usage: test-model [--seed N] [--trees M] [--show]\n",
		word);
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = text ? strtoull(text, &end, 0) : 0;
	if (!text || errno || end == text || *end)
		usage(text ? text : "");
	return value;
}

static void show_failure(uint64_t seed)
{
	printf("tree %" PRIu64 ": the framework does not do what the model says\n", seed);
	shrink(&plan);
	plan_show(&plan);
	shrink_show(&plan);
	printf("again: test-model --seed %" PRIu64 " --trees 1\n", seed);
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, trees = 100000;
	bool show = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--show"))
			show = true;
		else if (!strcmp(argv[i], "--seed"))
			seed = number(argv[++i]);
		else if (!strcmp(argv[i], "--trees"))
			trees = number(argv[++i]);
		else
			usage(argv[i]);
	}
	printf("seed %" PRIu64 ", %" PRIu64 " trees\n", seed, trees);
	for (uint64_t i = 0; i < trees; i++) {
		plan_make(&plan, seed + i, &limits);
		if (show) {
			plan_show(&plan);
			shrink_show(&plan);
		} else if (shrink_differs(&plan)) {
			show_failure(seed + i);
			return 1;
		}
	}
	shrink_summary();
	return 0;
}
