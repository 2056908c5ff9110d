/* SPDX-License-Identifier: MIT */
/*
 * The guest loader: kernel Image, flat binary, initrd. ELF files are in linux_elf.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "linux_internal.h"

/* The 64 bytes before a kernel's first real instruction, little-endian. */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset; /* from the start of RAM */
	uint64_t image_size;  /* in memory: the file and the zeroed data behind it */
	uint64_t flags;
	uint32_t version; /* major << 16 | minor */
	uint32_t reserved1;
	uint64_t reserved2;
	uint64_t magic;	 /* deprecated since 0.2 */
	uint32_t magic2; /* since 0.2 */
	uint32_t reserved3;
};

_Static_assert(sizeof(struct image_header) == 64, "the header as the kernel lays it out");
_Static_assert(offsetof(struct image_header, magic2) == 0x38, "where boot loaders look for it");

#define IMAGE_MAGIC   UINT64_C(0x5643534952) /* "RISCV" */
#define IMAGE_MAGIC2  UINT32_C(0x05435352)   /* "RSC\x05" */
#define IMAGE_FLAG_BE UINT64_C(1)
#define IMAGE_MAJOR   0U
#define IMAGE_MINOR   2U

/* Flat binaries and kernels begin at a 2 MiB boundary, the size of a megapage. */
#define PROGRAM_ALIGN (UINT64_C(2) << 20)

/* How much of the file's start is looked at: the header, and the PE headers behind it. */
#define IMAGE_START   512

int hatch_load_fail(struct hatch_load *load, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(load->problem, sizeof(load->problem), format, args);
	va_end(args);
	return error;
}

void hatch_load_explain(struct hatch_load *load, const char *what, int error)
{
	hatch_load_fail(load, error, "%s: %s (%s)", what, hatch_error_text(error),
			hatch_error_name(error));
}

int hatch_load_read(struct hatch_load *load, const struct hatch_source *source, uint64_t offset,
		    void *to, size_t size)
{
	int error = source->read(source->arg, offset, to, size);

	if (error)
		return hatch_load_fail(
			load, error, "%s cannot be read at offset %" PRIu64 " (%s): check the file",
			source->name, offset, hatch_error_name(error));
	return HATCH_OK;
}

static int read_memory(void *arg, uint64_t offset, void *to, size_t size)
{
	memcpy(to, (const char *)arg + offset, size);
	return HATCH_OK;
}

struct hatch_source hatch_source_memory(const void *bytes, size_t size, const char *name)
{
	return (struct hatch_source){
		.read = read_memory, .arg = (void *)bytes, .size = size, .name = name
	};
}

int hatch_load_init(struct hatch_load *load, struct hatch_guest *guest, hatch_gpa ram)
{
	const struct hatch_region *region = hatch_guest_region(guest, ram);

	*load = (struct hatch_load){ .guest = guest, .ram = ram, .low = ram };
	if (!region)
		return hatch_load_fail(load, HATCH_EFAULT,
				       "the guest has no RAM at 0x%" PRIx64
				       ": add a region of RAM before loading",
				       ram.addr);
	load->ram_size = region->size - (ram.addr - region->base.addr);
	load->high = hatch_gpa_of(ram.addr + load->ram_size);
	return HATCH_OK;
}

int hatch_load_reserve(struct hatch_load *load, uint64_t size, const char *name, hatch_gpa *at)
{
	uint64_t free = load->high.addr - load->low.addr;
	uint64_t above = (load->high.addr - size) % HATCH_PAGE_SIZE;

	if (size > free || above > free - size)
		return hatch_load_fail(
			load, HATCH_E2BIG,
			"%s (%" PRIu64 " bytes) does not fit into the %" PRIu64
			" bytes of guest RAM that are left: give the guest more memory",
			name, size, free);
	load->high = hatch_gpa_of(load->high.addr - size - above);
	*at = load->high;
	return HATCH_OK;
}

/*
 * The host's pointer to guest RAM at `at`, and in *size how much of it follows in one piece: a
 * source that can only be read from its start wants to fill all of it by one read.
 */
static unsigned char *contiguous(struct hatch_guest *guest, hatch_gpa at, size_t *size)
{
	size_t wanted = *size, done = wanted, more;
	unsigned char *start = hatch_guest_pointer(guest, at, &done, HATCH_PROT_WRITE);

	while (start && done < wanted) {
		more = wanted - done;
		if (hatch_guest_pointer(guest, hatch_gpa_of(at.addr + done), &more,
					HATCH_PROT_WRITE) != start + done)
			break;
		done += more;
	}
	*size = done;
	return start;
}

static int fail_unmapped(struct hatch_load *load, const char *name, uint64_t addr)
{
	return hatch_load_fail(load, HATCH_EFAULT,
			       "%s cannot be loaded to 0x%" PRIx64
			       ": no memory is mapped there; give the guest RAM that is not "
			       "demand-paged",
			       name, addr);
}

int hatch_load_copy(struct hatch_load *load, const struct hatch_source *source, uint64_t offset,
		    hatch_gpa at, uint64_t size)
{
	int error;

	for (uint64_t done = 0, piece; done < size; done += piece) {
		piece = size - done;
		void *to = contiguous(load->guest, hatch_gpa_of(at.addr + done), &piece);
		if (!to)
			return fail_unmapped(load, source->name, at.addr + done);
		error = hatch_load_read(load, source, offset + done, to, piece);
		if (error)
			return error;
	}
	return HATCH_OK;
}

int hatch_load_clear(struct hatch_load *load, const char *name, hatch_gpa at, uint64_t size)
{
	for (uint64_t done = 0, piece; done < size; done += piece) {
		piece = size - done;
		void *to = contiguous(load->guest, hatch_gpa_of(at.addr + done), &piece);
		if (!to)
			return fail_unmapped(load, name, at.addr + done);
		memset(to, 0, piece);
	}
	return HATCH_OK;
}

int hatch_load_place(struct hatch_load *load, const char *name, hatch_gpa at, uint64_t size)
{
	uint64_t offset = at.addr - load->ram.addr;
	uint64_t room = load->high.addr - load->ram.addr;

	if (at.addr < load->ram.addr || offset > room || size > room - offset)
		return hatch_load_fail(
			load, HATCH_E2BIG,
			"%s needs %" PRIu64 " bytes at 0x%" PRIx64 ", but guest RAM is 0x%" PRIx64
			" to 0x%" PRIx64 ": give the guest more memory, or link it elsewhere",
			name, size, at.addr, load->ram.addr, load->ram.addr + load->ram_size);
	if (at.addr + size > load->low.addr)
		load->low = hatch_gpa_of(at.addr + size);
	return HATCH_OK;
}

/* What people mistake for a kernel, by the first bytes. */
static const char *mistaken(const struct image_header *header, uint64_t source_size)
{
	static const struct {
		const char *magic, *is;
		size_t size;
	} known[] = {
		{ "\x1f\x8b", "it is compressed with gzip; unpack it with gunzip", 2 },
		{ "\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it with unzstd", 4 },
		{ "\xfd"
		  "7zXZ",
		  "it is compressed with xz; unpack it with unxz", 5 },
		{ "\x7f"
		  "ELF",
		  "it is an ELF file; give arch/riscv/boot/Image, or pass it as a "
		  "payload",
		  4 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!memcmp(header, known[i].magic, known[i].size))
			return known[i].is;
	if (header->magic == IMAGE_MAGIC)
		return "its header is older than version 0.2; build a kernel of Linux 5.3 or later";
	if (source_size < sizeof(*header))
		return "it is shorter than the header of 64 bytes; fetch it again";
	return "there is no \"RSC\\x05\" at offset 0x38; give an uncompressed "
	       "arch/riscv/boot/Image";
}

static int check_header(struct hatch_load *load, const struct image_header *h,
			const struct hatch_source *source)
{
	const char *name = source->name;

	if (!source->size)
		return hatch_load_fail(load, HATCH_EFORMAT, "%s is empty: check the file", name);
	if (h->magic2 != IMAGE_MAGIC2)
		return hatch_load_fail(load, HATCH_EFORMAT, "%s is not a RISC-V Linux Image: %s",
				       name, mistaken(h, source->size));
	if (h->version >> 16 != IMAGE_MAJOR || (h->version & 0xffff) < IMAGE_MINOR)
		return hatch_load_fail(load, HATCH_EFORMAT,
				       "%s has header version %" PRIu32 ".%" PRIu32
				       ", known are 0.2 and later 0.x: give another kernel",
				       name, h->version >> 16, h->version & 0xffff);
	if (h->flags & IMAGE_FLAG_BE)
		return hatch_load_fail(load, HATCH_EFORMAT,
				       "%s is big-endian (header flags 0x%" PRIx64
				       "): build a little-endian kernel",
				       name, h->flags);
	if (h->image_size < source->size)
		return hatch_load_fail(load, HATCH_EFORMAT,
				       "%s claims %" PRIu64 " bytes of memory (image_size) but the "
				       "file has %" PRIu64 ": it is damaged, fetch it again",
				       name, h->image_size, source->size);
	if (h->text_offset % PROGRAM_ALIGN)
		return hatch_load_fail(load, HATCH_EFORMAT,
				       "%s wants text_offset 0x%" PRIx64
				       ", not a multiple of 2 MiB: it is damaged or of a 32-bit "
				       "build, give a 64-bit kernel",
				       name, h->text_offset);
	return HATCH_OK;
}

/*
 * Nothing in an Image's own header tells the length of its file; as much as can be known is
 * checked.
 */
static int check_length(struct hatch_load *load, const unsigned char *start, size_t size,
			const struct hatch_source *source)
{
	uint64_t length = hatch_pe_file_size(start, size);

	if (source->size >= length)
		return HATCH_OK;
	return hatch_load_fail(load, HATCH_EFORMAT,
			       "%s has %" PRIu64 " bytes of the %" PRIu64
			       " that its section table tells: it is truncated, fetch it again",
			       source->name, source->size, length);
}

static int read_header(struct hatch_load *load, struct image_header *header,
		       const struct hatch_source *source)
{
	unsigned char start[IMAGE_START];
	size_t size = source->size < sizeof(start) ? source->size : sizeof(start);
	int error = hatch_load_read(load, source, 0, start, size);

	if (error)
		return error;
	memset(header, 0, sizeof(*header));
	memcpy(header, start, size < sizeof(*header) ? size : sizeof(*header));
	error = check_header(load, header, source);
	return error ? error : check_length(load, start, size, source);
}

/* Copies the file and clears what follows it in memory: a rebooted guest left its data there. */
static int fill(struct hatch_load *load, const struct hatch_source *source, hatch_gpa at,
		uint64_t memory_size)
{
	int error = hatch_load_copy(load, source, 0, at, source->size);

	if (!error)
		error = hatch_load_clear(load, source->name, hatch_gpa_of(at.addr + source->size),
					 memory_size - source->size);
	if (!error)
		load->entry = at;
	return error;
}

int hatch_linux_load(struct hatch_load *load, const struct hatch_source *source)
{
	struct image_header header;
	int error = read_header(load, &header, source);

	if (error)
		return error;
	if (header.text_offset > load->ram_size)
		return hatch_load_fail(load, HATCH_E2BIG,
				       "%s wants to begin 0x%" PRIx64
				       " bytes into RAM, which has %" PRIu64
				       ": give the guest more memory",
				       source->name, header.text_offset, load->ram_size);
	hatch_gpa at = hatch_gpa_of(load->ram.addr + header.text_offset);
	error = hatch_load_place(load, source->name, at, header.image_size);
	return error ? error : fill(load, source, at, header.image_size);
}

int hatch_payload_load(struct hatch_load *load, const struct hatch_source *source)
{
	hatch_gpa at = hatch_gpa_of(load->ram.addr + PROGRAM_ALIGN);
	unsigned char magic[4] = { 0 };
	int error;

	if (!source->size)
		return hatch_load_fail(load, HATCH_EFORMAT, "%s is empty: check the file",
				       source->name);
	error = hatch_load_read(load, source, 0, magic, source->size < 4 ? source->size : 4);
	if (error)
		return error;
	if (!memcmp(magic,
		    "\x7f"
		    "ELF",
		    4))
		return hatch_elf_load(load, source);
	error = hatch_load_place(load, source->name, at, source->size);
	return error ? error : fill(load, source, at, source->size);
}

int hatch_initrd_load(struct hatch_load *load, const struct hatch_source *source, hatch_gpa *at)
{
	int error = hatch_load_reserve(load, source->size, source->name, at);

	return error ? error : hatch_load_copy(load, source, 0, *at, source->size);
}
