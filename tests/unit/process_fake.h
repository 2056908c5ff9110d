/* SPDX-License-Identifier: MIT */
/*
 * A world for the clauses of processes: an archive that is put together here, a guest whose
 * memory counts, and system calls as the program would make them.
 */
#ifndef PROCESS_FAKE_H
#define PROCESS_FAKE_H

#include "support.h"

#include <stdio.h>

#include "gstage_arena.h"
#include "process_internal.h"

/* ---- Archives ---- */

struct archive {
	uint8_t bytes[1 << 16];
	size_t size;
};

static inline void archive_pad(struct archive *a)
{
	while (a->size % 4)
		a->bytes[a->size++] = 0;
}

static inline void archive_add(struct archive *a, const char *name, uint32_t mode, const void *data,
			       size_t size)
{
	a->size += (size_t)sprintf((char *)a->bytes + a->size,
				   "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s",
				   1, mode, 0, 0, 1, 86400, size, 0, 0, 0, 0, strlen(name) + 1, 0,
				   name) +
		   1;
	archive_pad(a);
	if (size)
		memcpy(a->bytes + a->size, data, size);
	a->size += size;
	archive_pad(a);
}

static inline void archive_folder(struct archive *a, const char *name)
{
	archive_add(a, name, HATCH_FILE_FOLDER | 0755, NULL, 0);
}

static inline void archive_text(struct archive *a, const char *name, const char *text)
{
	archive_add(a, name, HATCH_FILE_REGULAR | 0644, text, strlen(text));
}

static inline void archive_link(struct archive *a, const char *name, const char *target)
{
	archive_add(a, name, HATCH_FILE_LINK | 0777, target, strlen(target));
}

static inline void archive_end(struct archive *a)
{
	archive_add(a, "TRAILER!!!", 0, NULL, 0);
}

/* ---- Programs ---- */

/* Two segments: code at CODE with the file's start, data at DATA with zeros behind it. */
#define CODE	    UINT64_C(0x10000)
#define DATA	    UINT64_C(0x21000)
#define ENTRY	    (CODE + 0x200)
#define DATA_OFFSET 0x1000
#define DATA_SIZE   0x80
#define DATA_ZEROS  0x1800

struct elf {
	uint8_t identification[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments, sections;
	uint32_t flags;
	uint16_t size, segment_size, segment_count, section_size, section_count, section_names;
	struct elf_part {
		uint32_t type, flags;
		uint64_t offset, address, physical, file_size, memory_size, alignment;
	} part[3];
	char interpreter[32];
	uint8_t rest[DATA_OFFSET - 64 - 3 * 56 - 32];
	uint8_t data[DATA_SIZE];
};
_Static_assert(sizeof(struct elf) == DATA_OFFSET + DATA_SIZE, "struct elf");

static inline struct elf elf_sound(void)
{
	struct elf elf = {
		.identification = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
		.type = 2,
		.machine = 243,
		.version = 1,
		.entry = ENTRY,
		.segments = 64,
		.size = 64,
		.segment_size = 56,
		.segment_count = 2,
		.part = {
			{ 1, 5, 0, CODE, CODE, DATA_OFFSET, DATA_OFFSET, 0x1000 },
			{ 1, 6, DATA_OFFSET, DATA, DATA, DATA_SIZE, DATA_ZEROS, 0x1000 },
		},
	};

	memset(elf.data, 'd', sizeof(elf.data));
	return elf;
}

/* ---- The world ---- */

#define LIMIT (UINT64_C(4) << 20)

static struct archive archive;
static struct hatch_files files;
static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_process process;
static struct hatch_cont k;
static char printed[1 << 16];
static size_t printed_size;
static const char *typed;
static uint64_t now;

/* No try runs here: the clauses are called directly. */
int hatch_scope_enter(struct hatch_try *t, struct hatch_scope *scope)
{
	(void)t;
	(void)scope;
	return HATCH_ENOTSUP;
}

/* The machine's part of starting a program. */
void hatch_vcpu_reset_user(struct hatch_vcpu *v, hatch_gpa pc, uint64_t sp)
{
	memset(&v->frame, 0, sizeof(v->frame));
	v->frame.pc = pc.addr;
	v->frame.x[2] = sp;
}

static inline void on_write(void *arg, int to, const void *bytes, size_t size)
{
	(void)arg;
	assert_true(to == 1 || to == 2);
	if (size > sizeof(printed) - printed_size)
		size = sizeof(printed) - printed_size;
	memcpy(printed + printed_size, bytes, size);
	printed_size += size;
}

static inline size_t on_read(void *arg, void *bytes, size_t size)
{
	size_t length = typed ? strlen(typed) : 0;

	(void)arg;
	length = length < size ? length : size;
	if (!length)
		return 0;
	memcpy(bytes, typed, length);
	typed += length;
	return length;
}

static inline uint64_t on_clock(void *arg)
{
	(void)arg;
	return now;
}

static inline struct hatch_process_config config_of(void)
{
	return (struct hatch_process_config){
		.files = &files,
		.memory = LIMIT,
		.write = on_write,
		.read = on_read,
		.clock = on_clock,
	};
}

static inline void fill_archive(void)
{
	struct elf elf = elf_sound();

	archive.size = 0;
	archive_folder(&archive, "bin");
	archive_add(&archive, "bin/prog", HATCH_FILE_REGULAR | 0755, &elf, sizeof(elf));
	archive_folder(&archive, "data");
	archive_text(&archive, "data/a", "first");
	archive_text(&archive, "data/b", "second");
	archive_link(&archive, "data/link", "a");
	archive_folder(&archive, "secret");
	archive_text(&archive, "secret/key", "42");
	archive_end(&archive);
}

static inline void world_open(const struct hatch_process_config *config)
{
	static const char *const argv[] = { "prog", "word", NULL };
	static const char *const envp[] = { "A=b", NULL };

	guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	vcpu = (struct hatch_vcpu){ .guest = &guest };
	k = (struct hatch_cont){ .vcpu = &vcpu };
	printed_size = 0;
	typed = NULL;
	now = 1000;
	fill_archive();
	assert_int_equal(hatch_files_init(&files, &arena.memory, archive.bytes, archive.size), 0);
	assert_int_equal(hatch_process_init(&process, &vcpu, config), 0);
	assert_int_equal(hatch_process_start(&process, "/bin/prog", argv, envp), 0);
}

static inline int world_setup(void **state)
{
	const struct hatch_process_config config = config_of();

	(void)state;
	world_open(&config);
	return 0;
}

static inline int world_teardown(void **state)
{
	(void)state;
	hatch_process_fini(&process);
	hatch_files_fini(&files);
	hatch_guest_fini(&guest);
	assert_int_equal(arena.bytes, 0);
	return 0;
}

/* ---- What the program does ---- */

static inline enum hatch_verdict trap(const struct hatch_catch *clause, struct hatch_event *ev)
{
	k.verdict = HATCH_PASS;
	return clause->handler(clause->arg, ev, &k);
}

static inline enum hatch_verdict call_of(uint64_t number, const uint64_t a[6])
{
	struct hatch_event ev = { .kind = HATCH_SYSCALL, .length = 4 };

	for (unsigned int i = 0; i < 6; i++)
		vcpu.frame.x[10 + i] = a[i];
	ev.hypercall.extension = number;
	ev.hypercall.arg = &vcpu.frame.x[10];
	return trap(&process.calls, &ev);
}

/* A call that is answered. */
static inline int64_t answer_of(uint64_t number, const uint64_t a[6])
{
	assert_int_equal(call_of(number, a), HATCH_RESUME);
	return (int64_t)k.value;
}
#define call(number, ...) answer_of(number, (const uint64_t[6]){ __VA_ARGS__ })

static inline enum hatch_verdict touch(uint64_t at, enum hatch_access access)
{
	struct hatch_event ev = { .kind = HATCH_PAGE };

	ev.page.gpa = hatch_gpa_of(at);
	ev.page.access = access;
	ev.page.write = access == HATCH_STORE;
	return trap(&process.pages, &ev);
}

/* Bytes in the program's memory, through the same door as everybody's. */
static inline void poke(uint64_t at, const void *from, size_t size)
{
	assert_int_equal(process_copy_out(&process, at, from, size), 0);
}

static inline void peek(uint64_t at, void *to, size_t size)
{
	assert_int_equal(process_copy_in(&process, at, to, size), 0);
}

static inline uint64_t peek64(uint64_t at)
{
	uint64_t value;

	peek(at, &value, sizeof(value));
	return value;
}

/* A text in the program's memory, on its stack. */
#define PLACE (HATCH_PROCESS_END - HATCH_PROCESS_STACK + 0x1000)

static inline uint64_t text_at(uint64_t at, const char *text)
{
	poke(at, text, strlen(text) + 1);
	return at;
}

static inline uint64_t text(const char *string)
{
	return text_at(PLACE, string);
}

/* Rights of the leaf; 0 when there is none. */
static inline unsigned int leaf(uint64_t at)
{
	struct hatch_mapping mapping;

	return hatch_gstage_lookup(&guest.stage, hatch_gpa_of(at), &mapping) ? 0 : mapping.prot;
}

#endif
