/* SPDX-License-Identifier: MIT */
/*
 * Where malicious Linux programs are let loose: a program of a few lines of assembly, its ELF
 * file, an archive with it, a process and a try with an end.
 */
#ifndef PROCESS_WORLD_H
#define PROCESS_WORLD_H

#include <stdio.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/handlers/process.h>

#include "world.h"

#define CODE	    UINT64_C(0x10000)
#define CODE_OFFSET 0x100
#define DATA	    UINT64_C(0x20000)
#define DATA_SIZE   0x4000
#define MEMORY	    (UINT64_C(4) << 20)
#define LATE	    (-2000)	     /* status of a try that was ended from outside */
#define SHORT	    UINT64_C(200000) /* ticks: 20 ms */
#define LONG	    UINT64_C(100000000)

/* ---- A program's file ---- */

struct part {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};

struct elf {
	uint8_t identification[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments, sections;
	uint32_t flags;
	uint16_t size, segment_size, segment_count, section_size, section_count, section_names;
	struct part part[2];
	uint8_t rest[CODE_OFFSET - 64 - 2 * sizeof(struct part)];
	uint8_t code[0x1000 - CODE_OFFSET];
};

static struct elf elf;

static inline void write_elf(const uint8_t *code, const uint8_t *end)
{
	elf = (struct elf){
		.identification = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
		.type = 2,
		.machine = 243,
		.entry = CODE + CODE_OFFSET,
		.segments = 64,
		.segment_size = sizeof(struct part),
		.segment_count = 2,
		.part = { { 1, 5, 0, CODE, CODE, sizeof(elf), sizeof(elf), 0x1000 },
			  { 1, 6, 0, DATA, DATA, 0, DATA_SIZE, 0x1000 } },
	};
	memcpy(elf.code, code, (size_t)(end - code));
}

/* ---- An archive with it ---- */

static char archive[16384];
static size_t archive_size;

static inline void add(const char *name, unsigned int mode, const void *data, size_t size)
{
	archive_size += (size_t)snprintf(archive + archive_size, 120,
					 "070701%08x%08x%032x%08x%032x%08x%08x", 1, mode, 0,
					 (unsigned int)size, 0, (unsigned int)strlen(name) + 1, 0);
	strcpy(archive + archive_size, name);
	archive_size = (archive_size + strlen(name) + 1 + 3) & ~(size_t)3;
	if (size)
		memcpy(archive + archive_size, data, size);
	archive_size = (archive_size + size + 3) & ~(size_t)3;
}

static inline void write_archive(void)
{
	memset(archive, 0, sizeof(archive));
	archive_size = 0;
	add("prog", 0100755, &elf, sizeof(elf));
	add("data", 0040755, NULL, 0);
	add("data/file", 0100644, "content", 7);
	add("data/link", 0120777, "file", 4);
	add("TRAILER!!!", 0, NULL, 0);
}

/* ---- The world ---- */

static struct hatch_files files;
static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_process process;
static struct hatch_try t;
static struct hatch_scope guard;
static struct hatch_catch on_timer;
static uint64_t printed;
static bool undoing; /* runs are transactions, and all of them are unwound */

static inline enum hatch_verdict on_late(void *arg, const struct hatch_event *ev,
					 struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_board_timer(UINT64_MAX);
	return hatch_unwind(k, LATE);
}

/* Nothing of the host may come out. */
static inline void on_write(void *arg, int to, const void *bytes, size_t size)
{
	const uint64_t canary = CHECK_CANARY;
	const uint8_t *p = bytes;

	(void)arg;
	check_that(to == 1 || to == 2, __LINE__, "output to %d", to);
	for (size_t i = 0; i + sizeof(canary) <= size; i++)
		check_that(memcmp(p + i, &canary, sizeof(canary)) != 0, __LINE__,
			   "the program printed the host's canary");
	printed += size;
}

static inline uint64_t on_clock(void *arg)
{
	(void)arg;
	return hatch_board_wall_ns();
}

static inline void begin(const uint8_t *code, const uint8_t *end)
{
	static const char *const argv[] = { "prog", "/data/file", NULL };
	const struct hatch_process_config config = {
		.files = &files,
		.memory = MEMORY,
		.write = on_write,
		.clock = on_clock,
		.unwinds = undoing,
	};

	write_elf(code, end);
	write_archive();
	expect_equal(hatch_files_init(&files, hatch_board_memory(), archive, archive_size), 0);
	expect_equal(hatch_guest_init(&guest, hatch_board_memory()), 0);
	expect_equal(hatch_vcpu_init(&vcpu, &guest), 0);
	expect_equal(hatch_process_init(&process, &vcpu, &config), 0);
	expect_equal(hatch_process_start(&process, "/prog", argv, NULL), 0);
	expect_equal(hatch_try_init(&t, &vcpu), 0);
	expect_equal(hatch_process_enter(&process, &t), 0);
	hatch_scope_init(&guard, "guard", NULL);
	on_timer = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_late, NULL);
	expect_equal(hatch_catch_add(&guard, &on_timer), 0);
	expect_equal(hatch_scope_enter(&t, &guard), 0);
}

/* Done by itself, or ended from outside: nothing else may happen. */
static inline long run(uint64_t ticks)
{
	char line[200];

	hatch_board_timer(hatch_board_ticks() + ticks);
	hatch_try_run(&t);
	hatch_board_timer(UINT64_MAX);
	check_that(t.outcome == (undoing || t.status == LATE ? HATCH_UNWOUND : HATCH_DONE),
		   __LINE__, "the try %s", hatch_try_format(&t, line, sizeof(line)));
	return t.status;
}

static inline void finish(void)
{
	hatch_process_fini(&process);
	hatch_guest_fini(&guest);
	hatch_files_fini(&files);
}

#endif
