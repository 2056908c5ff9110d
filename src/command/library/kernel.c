/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The header: Linux, Documentation/arch/riscv/boot-image-header.rst. Little endian throughout. */
enum {
	TEXT_OFFSET = 8,
	IMAGE_SIZE = 16,
	MAGIC = 56,
	PE_OFFSET = 60,
};

/* The PE header that an Image with CONFIG_EFI has too: Microsoft's PE format, "COFF file header". */
enum {
	PE_SECTIONS = 6,       /* number of sections, 2 bytes */
	PE_OPTIONAL_SIZE = 20, /* 2 bytes */
	PE_HEADER_SIZE = 24,
	SECTION_RAW_SIZE = 16, /* 4 bytes, in the section's entry */
	SECTION_RAW_OFFSET = 20,
	SECTION_SIZE = 40,
};

static const unsigned char image_magic[4] = { 'R', 'S', 'C', 5 };
static const unsigned char pe_magic[4] = { 'P', 'E', 0, 0 };

/* The beginning of the file; what it lacks reads as zeros. */
struct head {
	unsigned char bytes[4096];
};

static uint64_t read_le(const struct head *head, size_t offset, size_t width)
{
	uint64_t value = 0;

	if (offset > sizeof(head->bytes) - width)
		return 0;
	while (width--)
		value = value << 8 | head->bytes[offset + width];
	return value;
}

/* Files that people take for an Image, by their first bytes. */
static const char *advice(const struct head *head)
{
	if (!memcmp(head->bytes, "\037\213", 2))
		return "it is packed with gzip: unpack it with gunzip";
	if (!memcmp(head->bytes, "\177ELF", 4))
		return "it is an ELF file: give arch/riscv/boot/Image; what is no Linux "
		       "is for hatch boot --payload";
	return "give arch/riscv/boot/Image of a riscv64 build";
}

/*
 * The least size of the whole file. The Linux header counts .bss, which is not in the file; the
 * PE sections tell exactly. Without them: a kernel is surely more than a quarter code and data.
 */
static uint64_t whole_size(const struct head *head)
{
	size_t pe = read_le(head, PE_OFFSET, 4);
	uint64_t size = 0;

	if (pe > sizeof(head->bytes) - PE_HEADER_SIZE || memcmp(head->bytes + pe, pe_magic, 4))
		return read_le(head, IMAGE_SIZE, 8) / 4;
	for (size_t i = 0; i < read_le(head, pe + PE_SECTIONS, 2); i++) {
		size_t section = pe + PE_HEADER_SIZE + read_le(head, pe + PE_OPTIONAL_SIZE, 2) +
				 i * SECTION_SIZE;
		uint64_t end = read_le(head, section + SECTION_RAW_OFFSET, 4) +
			       read_le(head, section + SECTION_RAW_SIZE, 4);

		size = end > size ? end : size;
	}
	return size;
}

/* The sizes of what was read, and of the file; -1: neither can be told, and errno says why. */
static ssize_t read_head(const char *file, struct head *head, uint64_t *whole)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat status = { 0 };
	ssize_t size = -1;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &status))
		size = read(fd, head->bytes, sizeof(head->bytes));
	*whole = (uint64_t)status.st_size;
	close(fd);
	return size;
}

static int judge(const char *file, const struct head *head, uint64_t size,
		 struct hatch_problem *problem)
{
	if (memcmp(head->bytes + MAGIC, image_magic, sizeof(image_magic)) != 0)
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the kernel %s is not a riscv64 Image: %s", file,
					 size ? advice(head) : "it is empty: copy it again");
	if (size < whole_size(head))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the kernel %s is truncated: %llu bytes, at least %llu "
					 "expected; copy it again",
					 file, (unsigned long long)size,
					 (unsigned long long)whole_size(head));
	return 0;
}

int hatch_kernel_check(const char *file, uint64_t *needed, struct hatch_problem *problem)
{
	struct head head = { 0 };
	uint64_t size = 0;

	if (read_head(file, &head, &size) < 0)
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot read the kernel %s: %s; check the path", file,
					 strerror(errno));
	if (judge(file, &head, size, problem))
		return problem->error;
	if (needed)
		*needed = read_le(&head, TEXT_OFFSET, 8) + read_le(&head, IMAGE_SIZE, 8);
	return 0;
}
