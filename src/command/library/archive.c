/* SPDX-License-Identifier: MIT */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A header: POSIX, pax, "ustar Interchange Format". */
enum {
	CHECKSUM = 148,
	CHECKSUM_SIZE = 8,
	BLOCK = 512,
};

/* What tar finds a program for: gzip, xz, zstd, bzip2, lzip, compress. */
static bool is_packed(const unsigned char *block)
{
	static const struct {
		size_t size;
		const char *bytes;
	} magic[] = { { 2, "\x1f\x8b" }, { 6, "\xfd\x37zXZ" }, { 4, "\x28\xb5\x2f\xfd" },
		      { 3, "BZh" },	 { 4, "LZIP" },	       { 2, "\x1f\x9d" } };

	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
		if (!memcmp(block, magic[i].bytes, magic[i].size))
			return true;
	}
	return false;
}

/* All bytes of a header, with its own checksum as spaces. Of zeros alone: the archive's end. */
static bool is_header(const unsigned char *block)
{
	char text[CHECKSUM_SIZE + 1] = "";
	unsigned long sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i - CHECKSUM < CHECKSUM_SIZE ? ' ' : block[i];
	memcpy(text, block + CHECKSUM, CHECKSUM_SIZE);
	return strtoul(text, NULL, 8) == sum || sum == ' ' * CHECKSUM_SIZE;
}

/* Bytes of its first block; -1, with errno. */
static ssize_t read_block(const char *file, unsigned char *block)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, block, BLOCK);

	if (fd >= 0)
		close(fd);
	return size;
}

int hatch_archive_check(const char *file, struct hatch_problem *problem)
{
	unsigned char block[BLOCK] = { 0 };
	ssize_t size = read_block(file, block);

	if (size < 0)
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot read the image %s: %s; check the disk", file,
					 strerror(errno));
	if (!size)
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the image %s is empty: fetch or make it again", file);
	if (is_packed(block) || (size == BLOCK && is_header(block)))
		return 0;
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "the image %s is no tar archive: give one, plain or packed by "
				 "gzip, xz or zstd, or a folder, or one in the OCI layout",
				 file);
}
