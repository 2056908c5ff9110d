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

/* What init writes to the test finisher when it is up. Where nobody saves it is a reset. */
#define WORD_SAVE 0x7777

/* A blob, taken from its start on. */
struct tape {
	uint8_t *bytes;
	size_t size, at;
};

/* By hart. */
static struct watch {
	struct hatch_scope scope;
	struct hatch_catch on_save;
	struct hatch_captured captured;
} watches[HATCH_MACHINE_HARTS];

static enum hatch_verdict suspend(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct watch *watch = arg;

	if (!ev->mmio.write || ev->mmio.value != WORD_SAVE)
		return HATCH_PASS;
	return hatch_cont_capture(k, &watch->captured);
}

int snapshot_watch(struct hatch_try *t)
{
	struct watch *watch = &watches[t->vcpu->hart_id];
	size_t size;
	int error;

	if (!hatch_board_blob_bytes("save", &size))
		return 0;
	hatch_scope_init(&watch->scope, "save", NULL);
	watch->on_save = HATCH_ON_MMIO(HATCH_MACHINE_FINISHER, sizeof(uint32_t), suspend, watch);
	error = hatch_catch_add(&watch->scope, &watch->on_save);
	return error ? error : hatch_scope_enter(t, &watch->scope);
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

/* A snapshot is loaded into the first hart's try. */
static int save(struct watch *watch, struct tape *tape)
{
	return watch == watches ? hatch_snapshot_save(&watch->captured, put, tape) : HATCH_EBUSY;
}

const char *snapshot_save(struct hatch_try *t)
{
	struct watch *watch = &watches[t->vcpu->hart_id];
	struct tape tape = { .at = sizeof(uint64_t) };
	uint64_t size;
	int error;

	tape.bytes = hatch_board_blob_bytes("save", &tape.size);
	error = save(watch, &tape);
	size = tape.at - sizeof(size);
	if (!error)
		memcpy(tape.bytes, &size, sizeof(size));
	hatch_cont_drop(&watch->captured);
	if (error == HATCH_EBUSY)
		return "more than the guest's first processor runs, whose state alone is kept: "
		       "have "
		       "init take the others off line, or boot with maxcpus=1";
	return error ? hatch_error_text(error) : NULL;
}

bool snapshot_is_given(void)
{
	size_t size;

	return hatch_board_blob_bytes("snapshot", &size);
}

static const char *explain(int error)
{
	if (error == HATCH_ENOTSUP)
		return "its guest has seen a CPU that can do more than this one: give the same "
		       "--cpu and --emulate";
	if (error == HATCH_EFORMAT)
		return "it is damaged, or of a machine with another number of processors or slots "
		       "for devices: give the same --cpus, or save it again";
	return hatch_error_text(error);
}

const char *snapshot_load(struct hatch_try *t)
{
	struct hatch_captured captured;
	struct tape tape = { 0 };
	int error;

	tape.bytes = hatch_board_blob_bytes("snapshot", &tape.size);
	error = hatch_snapshot_load(t, get, &tape, &captured);
	if (error)
		return explain(error);
	hatch_resume(hatch_cont_reopen(&captured), 0);
	return NULL;
}
