/* SPDX-License-Identifier: MIT */
/*
 * How long a kernel Image must be. Its own header does not tell: image_size counts zeroed data
 * too. But a kernel with the EFI stub is also a PE file, whose sections say where their bytes
 * end in the file. (Microsoft PE Format: "COFF File Header", "Section Table")
 */
#include <string.h>

#include "linux_internal.h"

struct pe_header {
	char magic[4];
	uint16_t machine, section_count;
	uint32_t time, symbols_offset, symbols_count;
	uint16_t optional_size, characteristics;
};

struct pe_section {
	char name[8];
	uint32_t memory_size, address;
	uint32_t file_size, file_offset;
	uint32_t relocations_offset, lines_offset;
	uint16_t relocations_count, lines_count;
	uint32_t characteristics;
};

_Static_assert(sizeof(struct pe_header) == 24, "signature and COFF file header");
_Static_assert(sizeof(struct pe_section) == 40, "section header");

#define PE_OFFSET_AT 0x3c

/* What is known of the file: its first bytes, and where the parts met so far end. */
struct pe_file {
	const unsigned char *start;
	size_t size;
	uint64_t end;
};

static void extend(struct pe_file *file, uint64_t end)
{
	if (end > file->end)
		file->end = end;
}

/* A header is a part of the file too, whether or not its bytes are before us. */
static bool get(struct pe_file *file, uint64_t at, void *to, size_t n)
{
	extend(file, at + n);
	if (at > file->size || n > file->size - at)
		return false;
	memcpy(to, file->start + at, n);
	return true;
}

uint64_t hatch_pe_file_size(const unsigned char *start, size_t size)
{
	struct pe_file file = { .start = start, .size = size };
	struct pe_header header;
	struct pe_section section;
	uint32_t offset;

	if (size < 2 || memcmp(start, "MZ", 2))
		return 0;
	if (!get(&file, PE_OFFSET_AT, &offset, sizeof(offset)) ||
	    !get(&file, offset, &header, sizeof(header)) ||
	    memcmp(header.magic, "PE\0\0", sizeof(header.magic)))
		return file.end;
	uint64_t at = (uint64_t)offset + sizeof(header) + header.optional_size;
	for (unsigned int i = 0; i < header.section_count; i++, at += sizeof(section)) {
		if (!get(&file, at, &section, sizeof(section)))
			break;
		extend(&file, (uint64_t)section.file_offset + section.file_size);
	}
	return file.end;
}
