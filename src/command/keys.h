/* SPDX-License-Identifier: MIT */
/*
 * What is typed at a raw terminal, on its way to the command: it passes through our hands, as one
 * key is for us. Should nobody read it, up to a MiB is kept, so that the key is seen all the same.
 */
#ifndef HATCH_COMMAND_KEYS_H
#define HATCH_COMMAND_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* Invariant: data[0..length) are read and not yet written. */
struct hatch_keys {
	int from, to; /* descriptors; -1: at its end, or of no use any more */
	char *data;
	size_t length, room;
};

/* FROM stays the caller's, TO is closed at the end of FROM, or by hatch_keys_end. */
void hatch_keys_begin(struct hatch_keys *keys, int from, int to);
void hatch_keys_end(struct hatch_keys *keys);

/* The descriptor that can be read now, or written now; -1: none. */
int hatch_keys_source(const struct hatch_keys *keys);
int hatch_keys_sink(const struct hatch_keys *keys);

/* Reads once. Returns whether Ctrl-C was typed: among pasted bytes it is a byte like others. */
bool hatch_keys_read(struct hatch_keys *keys);

/* Writes what can be written without waiting. */
void hatch_keys_write(struct hatch_keys *keys);

#endif
