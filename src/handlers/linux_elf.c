/* SPDX-License-Identifier: MIT */
/*
 * ELF64 files: each segment to its own physical address.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "linux_internal.h"

struct elf_header {
	uint8_t magic[4], class, data, ident_version, abi[9];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry; /* virtual */
	uint64_t segments_offset, sections_offset;
	uint32_t flags;
	uint16_t header_size, segment_size, segment_count;
	uint16_t section_size, section_count, section_names;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset;
	uint64_t virtual, physical;
	uint64_t file_size, memory_size;
	uint64_t align;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF-64 object file format, figure 2");
_Static_assert(sizeof(struct elf_segment) == 56, "ELF-64 object file format, figure 6");

enum {
	ELF_CLASS_64 = 2,
	ELF_LITTLE_ENDIAN = 1,
	ELF_EXECUTABLE = 2,
	ELF_SHARED = 3, /* position independent executables are of this type */
	ELF_RISCV = 243,
	ELF_LOAD = 1,
	/* More than any linker makes, few enough to go through in no time. */
	ELF_SEGMENTS_MAX = 64,
};

static int fail_kind(struct hatch_load *load, const struct hatch_source *source, const char *why)
{
	return hatch_load_fail(load, HATCH_EFORMAT, "%s is an ELF file that cannot be run: %s",
			       source->name, why);
}

static int check_header(struct hatch_load *load, const struct elf_header *h,
			const struct hatch_source *source)
{
	uint64_t table = (uint64_t)h->segment_count * sizeof(struct elf_segment);

	if (h->class != ELF_CLASS_64)
		return fail_kind(load, source, "it is not 64-bit; build it for rv64");
	if (h->data != ELF_LITTLE_ENDIAN)
		return fail_kind(load, source, "it is not little-endian; build it for rv64");
	if (h->machine != ELF_RISCV)
		return fail_kind(load, source, "it is for another machine; build it for rv64");
	if (h->type != ELF_EXECUTABLE && h->type != ELF_SHARED)
		return fail_kind(load, source, "it is not linked; link it to an executable");
	if (h->segment_size != sizeof(struct elf_segment))
		return fail_kind(load, source,
				 "its program headers have a foreign size; link it "
				 "again");
	if (!h->segment_count || h->segment_count > ELF_SEGMENTS_MAX)
		return fail_kind(load, source,
				 "it has no program headers or more than 64; link it "
				 "again");
	if (h->segments_offset > source->size || table > source->size - h->segments_offset)
		return fail_kind(load, source,
				 "its program headers lie beyond the end of the "
				 "file; it is truncated, build it again");
	return HATCH_OK;
}

static int check_segment(struct hatch_load *load, const struct elf_segment *segment,
			 const struct hatch_source *source)
{
	if (segment->offset > source->size || segment->file_size > source->size - segment->offset)
		return fail_kind(load, source,
				 "a segment lies beyond the end of the file; it is "
				 "truncated, build it again");
	if (segment->file_size > segment->memory_size)
		return fail_kind(load, source,
				 "a segment is larger in the file than in memory; it "
				 "is damaged, build it again");
	return hatch_load_place(load, source->name, hatch_gpa_of(segment->physical),
				segment->memory_size);
}

static int load_segment(struct hatch_load *load, const struct elf_segment *segment,
			const struct hatch_source *source)
{
	int error = check_segment(load, segment, source);

	if (!error)
		error = hatch_load_copy(load, source, segment->offset,
					hatch_gpa_of(segment->physical), segment->file_size);
	if (!error)
		error = hatch_load_clear(load, source->name,
					 hatch_gpa_of(segment->physical + segment->file_size),
					 segment->memory_size - segment->file_size);
	return error;
}

/* The program begins with translation off: its virtual entry is made physical. */
static void find_entry(struct hatch_load *load, const struct elf_header *header,
		       const struct elf_segment *segment, bool *found)
{
	uint64_t offset = header->entry - segment->virtual;

	if (*found || offset >= segment->memory_size)
		return;
	load->entry = hatch_gpa_of(segment->physical + offset);
	*found = true;
}

static int load_segments(struct hatch_load *load, const struct elf_header *header,
			 const struct hatch_source *source)
{
	bool found = false;

	for (unsigned int i = 0; i < header->segment_count; i++) {
		struct elf_segment segment;
		uint64_t at = header->segments_offset + i * sizeof(segment);
		int error = hatch_load_read(load, source, at, &segment, sizeof(segment));

		if (!error && segment.type == ELF_LOAD && segment.memory_size) {
			error = load_segment(load, &segment, source);
			find_entry(load, header, &segment, &found);
		}
		if (error)
			return error;
	}
	return found ? HATCH_OK
		     : fail_kind(load, source,
				 "its entry lies in no segment that is loaded; link "
				 "it again");
}

int hatch_elf_load(struct hatch_load *load, const struct hatch_source *source)
{
	struct elf_header header;
	int error;

	if (source->size < sizeof(header))
		return fail_kind(load, source,
				 "it is shorter than an ELF header; it is truncated, "
				 "build it again");
	error = hatch_load_read(load, source, 0, &header, sizeof(header));
	if (!error)
		error = check_header(load, &header, source);
	return error ? error : load_segments(load, &header, source);
}
