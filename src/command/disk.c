/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu.h"
#include "report.h"

struct disk {
	char *file;
	const char *mode; /* "ro", "snapshot" or "" */
};

static bool is_mode(const char *word)
{
	return !strcmp(word, "ro") || !strcmp(word, "snapshot");
}

/* A file's name may have commas, too; only a last word that is one of ours is not part of it. */
static struct disk parse(const char *text)
{
	struct disk disk = { .file = hatch_text_format("%s", text), .mode = "" };
	char *comma = strrchr(disk.file, ',');

	if (comma && is_mode(comma + 1)) {
		*comma = '\0';
		disk.mode = comma + 1;
	}
	comma = strrchr(disk.file, ',');
	if (!comma || !access(disk.file, F_OK))
		return disk;
	*comma = '\0';
	if (!access(disk.file, F_OK))
		hatch_report_fail(
			HATCH_EXIT_USAGE,
			"--disk %s: '%s' says nothing about a disk: give ro, or snapshot, "
			"or nothing",
			text, comma + 1);
	*comma = ',';
	return disk;
}

static void check_file(const struct disk *disk)
{
	struct stat status;

	if (stat(disk->file, &status))
		hatch_report_fail(
			HATCH_EXIT_FAILED,
			"cannot find the disk %s: %m; check the path, or make one: hatch image "
			"create %s",
			disk->file, disk->file);
	if (!S_ISREG(status.st_mode))
		hatch_report_fail(HATCH_EXIT_FAILED, "the disk %s is not a file: check the path",
				  disk->file);
	if (access(disk->file, R_OK))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot read the disk %s: %m; check its owner and mode",
				  disk->file);
	if (!*disk->mode && access(disk->file, W_OK))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot write the disk %s: %m; give it as %s,ro or as "
				  "%s,snapshot",
				  disk->file, disk->file, disk->file);
	if (!status.st_size)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "the disk %s is empty: give it a size (truncate -s 1G), or a "
				  "system (hatch image create)",
				  disk->file);
}

/* QEMU's own guess would let a guest turn its raw disk into a qcow2 that names other files. */
static const char *format_of(const char *file)
{
	char magic[4] = { 0 };
	FILE *stream = fopen(file, "re");

	if (!stream)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot read the disk %s: %m; check its owner and mode", file);
	if (fread(magic, 1, sizeof(magic), stream) != sizeof(magic) && ferror(stream))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot read the disk %s: %m; copy it from where it is whole",
				  file);
	fclose(stream);
	return memcmp(magic, "QFI\xfb", sizeof(magic)) ? "raw" : "qcow2";
}

/* A whole path: in a short one a colon would be taken for a protocol's. */
static const char *whole_path(const char *file)
{
	char *path = realpath(file, NULL);

	if (!path)
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot find the disk %s: %m; check the path",
				  file);
	return path;
}

/* cache=writeback: the host may hold what is written, but a guest's flush reaches the medium. */
struct hatch_plug hatch_disk_plug(const char *text, size_t index)
{
	struct disk disk = parse(text);

	check_file(&disk);
	return (struct hatch_plug){
		hatch_text_format("if=none,id=disk%zu,format=%s,cache=writeback,discard=unmap%s,"
				  "file=%s",
				  index, format_of(disk.file),
				  !*disk.mode		? ""
				  : disk.mode[0] == 'r' ? ",readonly=on"
							: ",snapshot=on",
				  hatch_qemu_quote(whole_path(disk.file))),
		hatch_text_format("virtio-blk-device,drive=disk%zu", index),
	};
}
