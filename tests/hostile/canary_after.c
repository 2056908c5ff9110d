/* SPDX-License-Identifier: MIT */
/*
 * Memory and registers that were another guest's, or this one's at another time: of an ended guest,
 * of clones, of a transaction that was undone, of what went on behind a snapshot.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/clone.h>
#include <hatch/snapshot.h>

#include "canary_host.h"
#include "world.h"

#define COPY	  (WORLD_RAM + 0x40000) /* where a page is put that is to be looked at */
#define FILE_SIZE (2UL << 20)

/* What it is told to do, over and over. */
enum { QUIT, READ, TOUCH, LEAVE }; /* any other word: fill everything with it */

/*
 * Asks what to do. Fills the upper half of its RAM and its registers with a0; or stores a word into
 * each page; or copies page after page and has it looked at, with the registers at its end.
 */
GUEST(keeper,
      "	li t0, 0x6000\n"
      "	csrs sstatus, t0\n"
      "0:	ask 1\n"
      "	li s0, 0x80080000\n"
      "	li s1, 0x80100000\n"
      "	li s2, 4096\n"
      "	beqz a0, 9f\n"
      "	addi t0, a0, -1\n"
      "	beqz t0, 2f\n"
      "	addi t0, a0, -2\n"
      "	beqz t0, 5f\n"
      "	addi t0, a0, -3\n"
      "	beqz t0, 6f\n"
      "1:	sd a0, 0(s0)\n"
      "	addi s0, s0, 8\n"
      "	bltu s0, s1, 1b\n"
      "	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
      "29,30,31\n"
      "	fmv.d.x f\\n, a0\n"
      "	.endr\n"
      "	csrw sscratch, a0\n"
      "	mv s3, a0\n"
      "	j 0b\n"
      "2:	li t1, 0x80040000\n"
      "	add t2, s0, s2\n"
      "3:	ld t3, 0(s0)\n"
      "	sd t3, 0(t1)\n"
      "	addi t1, t1, 8\n"
      "	addi s0, s0, 8\n"
      "	bltu s0, t2, 3b\n"
      "	ask 2\n"
      "	bltu s0, s1, 2b\n"
      "	li t1, 0x80040000\n"
      "	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
      "29,30,31\n"
      "	fsd f\\n, 8 * \\n(t1)\n"
      "	.endr\n"
      "	csrr t0, sscratch\n"
      "	sd t0, 256(t1)\n"
      "	sd s3, 264(t1)\n"
      "	ask 2\n"
      "	j 0b\n"
      "5:	sd zero, 0(s0)\n"
      "	add s0, s0, s2\n"
      "	bltu s0, s1, 5b\n"
      "	j 0b\n"
      "6:	ask 3\n"
      "	j 0b\n"
      "9:	quit\n");

static struct world w;
static struct hatch_captured held;
static struct hatch_catch on_ask, on_look, on_leave;
static enum canary_path path;

static enum hatch_verdict ask(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_cont_capture(k, &held);
}

static enum hatch_verdict look(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	static uint8_t page[HATCH_PAGE_SIZE];

	(void)arg;
	(void)ev;
	expect_equal(hatch_guest_read(k->vcpu->guest, hatch_gpa_of(COPY), page, sizeof(page)), 0);
	canary_look_at(path, page, sizeof(page));
	canary_count[path].tries++;
	return hatch_resume(k, 0);
}

static enum hatch_verdict leave(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, LEAVE);
}

static void make(void)
{
	world_of(&w, keeper);
	on_ask = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 1, ask, NULL);
	on_look = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 2, look, NULL);
	on_leave = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 3, leave, NULL);
	world_catch(&w, &on_ask);
	world_catch(&w, &on_look);
	world_catch(&w, &on_leave);
}

static void begin(enum canary_path now)
{
	path = now;
	make();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
}

/* Tells a guest what to do; it waits for the next order then. */
static struct hatch_captured tell(struct hatch_captured k, uint64_t order)
{
	expect_equal(hatch_cont_resume(&k, order), HATCH_SUSPENDED);
	return held;
}

static void end(struct hatch_captured k)
{
	expect_equal(hatch_cont_resume(&k, QUIT), HATCH_DONE);
	world_end(&w);
}

/* All of its memory is the canary: the search finds it, and that is not counted. */
static struct hatch_captured fill(struct hatch_captured k)
{
	const struct canary_count before = canary_count[path];

	k = tell(tell(k, CANARY_OF_OLD), READ);
	expect(canary_count[path].found - before.found > WORLD_RAM_SIZE / 2);
	canary_count[path] = before;
	return k;
}

static struct hatch_captured look_for(struct hatch_captured k)
{
	k = tell(k, READ);
	expect_equal(canary_count[path].found, 0);
	return k;
}

void canary_freed(void)
{
	for (unsigned int i = 0; i < CANARY_ROUNDS; i++) {
		begin(CANARY_FREED);
		end(fill(held));
		begin(CANARY_FREED);
		end(look_for(held));
	}
}

/* One fills its memory and ends, the other's pages are those that it had given back. */
static void two_clones(void)
{
	static struct hatch_clone first, second;
	struct hatch_captured original;

	begin(CANARY_CLONES);
	original = held;
	expect_equal(hatch_cont_clone(&original, &first), 0);
	expect_equal(hatch_cont_clone(&original, &second), 0);
	first.captured = fill(first.captured);
	second.captured = look_for(second.captured);
	original = look_for(original);
	hatch_cont_drop(&first.captured);
	expect_equal(hatch_clone_fini(&first), 0);
	second.captured = look_for(tell(second.captured, TOUCH));
	original = look_for(tell(original, TOUCH));
	original = fill(original);
	second.captured = look_for(second.captured);
	hatch_cont_drop(&second.captured);
	expect_equal(hatch_clone_fini(&second), 0);
	end(original);
}

void canary_clones(void)
{
	for (unsigned int i = 0; i < CANARY_ROUNDS; i++)
		two_clones();
}

static void one_transaction(void)
{
	path = CANARY_UNDONE;
	make();
	w.t.transactional = true;
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	held = fill(held);
	expect_equal(hatch_cont_resume(&held, LEAVE), HATCH_UNWOUND);
	w.t.transactional = false;
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	end(look_for(tell(look_for(held), TOUCH)));
}

void canary_undone(void)
{
	for (unsigned int i = 0; i < CANARY_ROUNDS; i++)
		one_transaction();
}

/* ---- Snapshots ---- */

static struct {
	uint8_t *bytes;
	size_t used, at; /* `used`: written; `at`: read */
} file;

static int write_file(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	if (size > FILE_SIZE - file.used)
		return HATCH_E2BIG;
	memcpy(file.bytes + file.used, bytes, size);
	file.used += size;
	return 0;
}

static int read_file(void *arg, void *bytes, size_t size)
{
	(void)arg;
	if (size > file.used - file.at)
		return HATCH_EFORMAT;
	memcpy(bytes, file.bytes + file.at, size);
	file.at += size;
	return 0;
}

/* Saved, then filled and ended; what is loaded has nothing of that, nor have the bytes. */
static void one_snapshot(void)
{
	begin(CANARY_LOADED);
	file.used = file.at = 0;
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), 0);
	end(fill(held));
	canary_look_at(path, file.bytes, file.used);
	make();
	expect_equal(hatch_snapshot_load(&w.t, read_file, NULL, &held), 0);
	end(look_for(held));
}

void canary_loaded(void)
{
	const struct hatch_memory *memory = hatch_board_memory();

	file.bytes = memory->alloc(memory->arg, FILE_SIZE, HATCH_PAGE_SIZE);
	for (unsigned int i = 0; i < CANARY_ROUNDS; i++)
		one_snapshot();
	memory->free(memory->arg, file.bytes, FILE_SIZE);
}
