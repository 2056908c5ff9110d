/* SPDX-License-Identifier: MIT */
/*
 * A process's program: an ELF file (System V ABI; RISC-V ELF psABI), mapped as its program headers
 * say. Every number in it is checked before it is used.
 */
#include <string.h>

#include "process_internal.h"

enum elf_number {
	ELF_CLASS = 4, /* where in the identification */
	ELF_CLASS_64 = 2,
	ELF_DATA = 5,
	ELF_DATA_LITTLE = 1,
	ELF_EXECUTABLE = 2,
	ELF_SHARED = 3,
	ELF_RISCV = 243,
	ELF_LOAD = 1,
	ELF_INTERPRETER = 3,
	ELF_HEADERS_MOST = 64,
};

struct elf_header {
	uint8_t identification[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments, sections;
	uint32_t flags;
	uint16_t size, segment_size, segment_count, section_size, section_count, section_names;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};

static int fail(const char **problem, const char *text)
{
	*problem = text;
	return -LINUX_ENOEXEC;
}

/* Copies `size` bytes at `offset`; false when the file does not have them. */
static bool get(const struct hatch_file *file, uint64_t offset, void *to, uint64_t size)
{
	if (offset > file->size || size > file->size - offset)
		return false;
	memcpy(to, file->data + offset, size);
	return true;
}

static int check_header(const struct hatch_file *file, struct elf_header *header,
			const char **problem)
{
	const uint8_t *id = header->identification;

	if (!get(file, 0, header, sizeof(*header)) || memcmp(id, "\177ELF", 4))
		return fail(problem, "it is no ELF file");
	if (id[ELF_CLASS] != ELF_CLASS_64 || id[ELF_DATA] != ELF_DATA_LITTLE ||
	    header->machine != ELF_RISCV)
		return fail(problem, "it is no program for riscv64");
	if (header->type != ELF_EXECUTABLE && header->type != ELF_SHARED)
		return fail(problem, "it is an ELF file, but no program");
	if (header->segment_size != sizeof(struct elf_segment) || !header->segment_count ||
	    header->segment_count > ELF_HEADERS_MOST)
		return fail(problem, "its program headers are of another size or number");
	return 0;
}

/* Whether `at`, moved by what a program may be moved by, stays an address. */
static bool is_address(uint64_t at)
{
	return at <= HATCH_PROCESS_END;
}

static int check_segment(const struct hatch_file *file, const struct elf_segment *segment,
			 uint64_t end, const char **problem)
{
	uint64_t in_page = HATCH_PAGE_SIZE - 1;

	if (segment->offset > file->size || segment->file_size > file->size - segment->offset)
		return fail(problem, "a segment lies beyond the end of the file");
	if (segment->file_size > segment->memory_size)
		return fail(problem, "a segment is larger in the file than in memory");
	if (!is_address(segment->address) || !is_address(segment->memory_size) ||
	    !is_address(segment->address + segment->memory_size))
		return fail(problem, "a segment lies above 4 GiB");
	if ((segment->address ^ segment->offset) & in_page)
		return fail(problem, "a segment does not keep to pages");
	if ((segment->address & ~in_page) < end)
		return fail(problem, "segments overlap or are in no order");
	if ((segment->flags & 3) == 3)
		return fail(problem, "a segment may be written and executed");
	return 0;
}

static int read_interpreter(const struct hatch_file *file, const struct elf_segment *segment,
			    struct process_program *program, const char **problem)
{
	char *path = program->interpreter;

	if (segment->file_size < 2 || segment->file_size > PROCESS_INTERPRETER ||
	    !get(file, segment->offset, path, segment->file_size) || path[segment->file_size - 1])
		return fail(problem, "the path of its interpreter is damaged");
	return 0;
}

static int check_one(const struct hatch_file *file, const struct elf_segment *segment,
		     struct process_program *program, const char **problem)
{
	int error = 0;

	if (segment->type == ELF_INTERPRETER)
		return read_interpreter(file, segment, program, problem);
	if (segment->type != ELF_LOAD || !segment->memory_size)
		return 0;
	error = check_segment(file, segment, program->end, problem);
	program->end = process_page_up(segment->address + segment->memory_size);
	return error;
}

int process_elf_check(const struct hatch_file *file, struct process_program *program, bool *moves,
		      const char **problem)
{
	struct elf_header header;
	struct elf_segment segment;
	int error = check_header(file, &header, problem);

	*program = (struct process_program){ .end = 0 };
	for (uint64_t i = 0; !error && i < header.segment_count; i++) {
		if (header.segments > file->size ||
		    !get(file, header.segments + i * sizeof(segment), &segment, sizeof(segment)))
			return fail(problem, "its program headers lie beyond the end of the file");
		error = check_one(file, &segment, program, problem);
	}
	if (error)
		return error;
	if (!program->end || !is_address(header.entry))
		return fail(problem, "it has nothing to load or nowhere to begin");
	*moves = header.type == ELF_SHARED;
	return 0;
}

/* PF_X, PF_W, PF_R are 1, 2, 4; enum hatch_prot has them the other way round. */
static unsigned int rights_of(uint32_t flags)
{
	return (flags & 4 ? HATCH_PROT_READ : 0) |
	       (flags & 2 ? HATCH_PROT_READ | HATCH_PROT_WRITE : 0) |
	       (flags & 1 ? HATCH_PROT_EXEC : 0);
}

static int add(struct hatch_process *p, const struct hatch_process_map *map)
{
	if (map->start == map->end)
		return 0;
	if (!process_is_range(map->start, map->end - map->start) ||
	    !process_map_is_free(p, map->start, map->end))
		return -LINUX_ENOMEM;
	return process_map_add(p, map);
}

/* Behind the bytes from the file everything is zero: the rest of their last page, and pages. */
static int map_segment(struct hatch_process *p, uint32_t file, const struct elf_segment *segment,
		       uint64_t base)
{
	static const uint8_t zeros[HATCH_PAGE_SIZE];
	uint64_t at = base + segment->address, start = at & ~(HATCH_PAGE_SIZE - 1);
	uint64_t end = at + segment->file_size, last = process_page_up(at + segment->memory_size);
	struct hatch_process_map map = {
		.start = start,
		.end = segment->file_size ? process_page_up(end) : start,
		.offset = segment->offset - (at - start),
		.file = file,
		.prot = rights_of(segment->flags),
	};
	int error = add(p, &map);

	if (!error && segment->memory_size > segment->file_size && map.end > end &&
	    segment->file_size) {
		if (!(map.prot & HATCH_PROT_WRITE))
			return -LINUX_ENOEXEC;
		error = process_copy_out(p, end, zeros, map.end - end);
	}
	map.start = map.end;
	map.end = last;
	map.file = HATCH_FILES_NONE;
	map.offset = 0;
	return error ? error : add(p, &map);
}

/* Where in memory the byte of the file is, if the segment brings it; 0 if it does not. */
static uint64_t place_of(const struct elf_segment *segment, uint64_t offset)
{
	return offset - segment->offset < segment->file_size
		       ? segment->address + (offset - segment->offset)
		       : 0;
}

/* The file was checked: its headers are read again from the same bytes, which are the host's. */
int process_elf_map(struct hatch_process *p, uint32_t file, uint64_t base,
		    struct process_program *program)
{
	struct elf_header header;
	struct elf_segment segment;
	int error = 0;

	get(process_file(p, file), 0, &header, sizeof(header));
	program->base = base;
	program->entry = base + header.entry;
	program->header_count = header.segment_count;
	program->end += base;
	for (uint64_t i = 0; !error && i < header.segment_count; i++) {
		uint64_t headers;

		get(process_file(p, file), header.segments + i * sizeof(segment), &segment,
		    sizeof(segment));
		if (segment.type != ELF_LOAD || !segment.memory_size)
			continue;
		error = map_segment(p, file, &segment, base);
		headers = place_of(&segment, header.segments);
		if (headers)
			program->headers = base + headers;
	}
	return error;
}
