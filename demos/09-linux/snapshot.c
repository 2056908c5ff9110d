/* SPDX-License-Identifier: MIT */
/*
 * A snapshot leaves the machine, and comes into it, as a piece of RAM that the host command fills
 * or reads: the blobs "save" (its first 8 bytes: how many follow) and "snapshot".
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/machine.h>
#include <hatch/snapshot.h>

#include "snapshot.h"

/* What init writes to the test finisher when it is up: no request of a finisher's own. */
#define WORD_SAVE 0x7777

/* A blob, taken from its start on. */
struct tape {
	uint8_t *bytes;
	size_t size, at;
};

static struct hatch_captured captured;
static struct hatch_scope scope;
static struct hatch_catch on_save;

static enum hatch_verdict suspend(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	if (!ev->mmio.write || ev->mmio.value != WORD_SAVE)
		return HATCH_PASS;
	return hatch_cont_capture(k, &captured);
}

int snapshot_watch(struct hatch_try *t)
{
	size_t size;
	int error;

	if (!hatch_board_blob_bytes("save", &size))
		return 0;
	hatch_scope_init(&scope, "save", NULL);
	on_save = HATCH_ON_MMIO(HATCH_MACHINE_FINISHER, sizeof(uint32_t), suspend, NULL);
	error = hatch_catch_add(&scope, &on_save);
	return error ? error : hatch_scope_enter(t, &scope);
}

static int put(void *arg, const void *bytes, size_t size)
{
	struct tape *tape = arg;

	if (size > tape->size - tape->at)
		return HATCH_E2BIG;
	memcpy(tape->bytes + tape->at, bytes, size);
	tape->at += size;
	return 0;
}

static int get(void *arg, void *bytes, size_t size)
{
	struct tape *tape = arg;

	if (size > tape->size - tape->at)
		return HATCH_EFORMAT;
	memcpy(bytes, tape->bytes + tape->at, size);
	tape->at += size;
	return 0;
}

const char *snapshot_save(struct hatch_try *t)
{
	struct tape tape = { .at = sizeof(uint64_t) };
	uint64_t size;
	int error;

	(void)t;
	tape.bytes = hatch_board_blob_bytes("save", &tape.size);
	error = hatch_snapshot_save(&captured, put, &tape);
	size = tape.at - sizeof(size);
	if (!error)
		memcpy(tape.bytes, &size, sizeof(size));
	hatch_cont_drop(&captured);
	return error ? hatch_error_text(error) : NULL;
}

bool snapshot_is_given(void)
{
	size_t size;

	return hatch_board_blob_bytes("snapshot", &size);
}

int snapshot_load(struct hatch_try *t)
{
	struct tape tape = { 0 };

	tape.bytes = hatch_board_blob_bytes("snapshot", &tape.size);
	return hatch_snapshot_load(t, get, &tape, &captured);
}

enum hatch_outcome snapshot_resume(void)
{
	return hatch_cont_resume(&captured, 0);
}
