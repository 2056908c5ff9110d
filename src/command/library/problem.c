/* SPDX-License-Identifier: MIT */
#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hatch_problem_set(struct hatch_problem *problem, enum hatch_command_error error,
		      const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(problem->text, sizeof(problem->text), format, values);
	va_end(values);
	for (char *c = problem->text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	problem->error = error;
	return error;
}

int hatch_problem_memory(struct hatch_problem *problem)
{
	return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
				 "out of memory: close some programs and run again");
}

static bool make_room(struct hatch_bytes *bytes, size_t more)
{
	size_t room = bytes->room ? bytes->room : 256;
	uint8_t *data;

	if (bytes->failed || more > SIZE_MAX / 4 - bytes->size) {
		bytes->failed = true;
		return false;
	}
	while (room < bytes->size + more)
		room *= 2;
	if (room == bytes->room)
		return true;
	data = realloc(bytes->data, room);
	bytes->failed = !data;
	if (!data)
		return false;
	bytes->data = data;
	bytes->room = room;
	return true;
}

void hatch_bytes_add(struct hatch_bytes *bytes, const void *data, size_t size)
{
	if (!make_room(bytes, size) || !size)
		return;
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

void hatch_bytes_free(struct hatch_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct hatch_bytes){ 0 };
}

static void add_owned(struct hatch_words *words, char *word)
{
	char **item = word ? realloc(words->item, (words->count + 2) * sizeof(*item)) : NULL;

	if (!item) {
		free(word);
		words->failed = true;
		return;
	}
	words->item = item;
	item[words->count++] = word;
	item[words->count] = NULL;
}

void hatch_words_add(struct hatch_words *words, const char *format, ...)
{
	va_list values;
	char *word;

	va_start(values, format);
	if (vasprintf(&word, format, values) < 0)
		word = NULL;
	va_end(values);
	add_owned(words, word);
}

void hatch_words_take(struct hatch_words *words, const struct hatch_words *others)
{
	words->failed |= others->failed;
	for (size_t i = 0; i < others->count; i++)
		add_owned(words, strdup(others->item[i]));
}

void hatch_words_free(struct hatch_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->item[i]);
	free(words->item);
	*words = (struct hatch_words){ 0 };
}

char *hatch_format(const char *format, ...)
{
	va_list values;
	char *text;

	va_start(values, format);
	if (vasprintf(&text, format, values) < 0)
		text = NULL;
	va_end(values);
	return text;
}

uint64_t hatch_hash(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (size--)
		hash = (hash ^ *byte++) * UINT64_C(0x100000001b3);
	return hash;
}
