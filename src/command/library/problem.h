/* SPDX-License-Identifier: MIT */
/* What everything in this folder is made of: a sentence about what failed, bytes, lists of words. */
#ifndef HATCH_LIBRARY_PROBLEM_H
#define HATCH_LIBRARY_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All else in this folder is hidden, and none of a program's names. */
#pragma GCC visibility push(default)
#include <hatch/command.h>
#pragma GCC visibility pop

/* One of enum hatch_command_error and the line that goes with it; zeroed: nothing failed. */
struct hatch_problem {
	int error;
	char text[512];
};

/* Notes it, newlines made spaces, and returns ERROR. */
int hatch_problem_set(struct hatch_problem *problem, enum hatch_command_error error,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for "no memory left". */
int hatch_problem_memory(struct hatch_problem *problem);

/* Bytes that grow; zeroed: none. `failed` is kept once memory is lacking: looked at in the end. */
struct hatch_bytes {
	uint8_t *data;
	size_t size, room;
	bool failed;
};

void hatch_bytes_add(struct hatch_bytes *bytes, const void *data, size_t size);
void hatch_bytes_free(struct hatch_bytes *bytes);

/* Words of the heap, a NULL behind them once there is one; zeroed: none. `failed` as above. */
struct hatch_words {
	char **item;
	size_t count;
	bool failed;
};

void hatch_words_add(struct hatch_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void hatch_words_take(struct hatch_words *words, const struct hatch_words *others); /* copies */
void hatch_words_free(struct hatch_words *words);

/* A formatted string of the heap; NULL: no memory. */
char *hatch_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* FNV-1a of 64 bits: names files, guards nothing. */
uint64_t hatch_hash(const void *data, size_t size);

#endif
