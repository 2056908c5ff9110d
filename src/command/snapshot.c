/* SPDX-License-Identifier: MIT */
/*
 * The machine's RAM is a memory file that we share with QEMU: when the machine is off, what it left
 * in the room that it was given for its snapshot is still there. Nothing of that touches a disk.
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "report.h"

#define RAM_BASE	UINT64_C(0x80000000)
#define MAGIC		UINT64_C(0x50414e5348435448) /* "HTCHSNAP" */

/* QEMU puts the device tree below 3 GiB at most: so far into the RAM. */
#define DEVICE_TREE_END UINT64_C(0x40000000)

enum {
	VERSION = 1,
	ALIGN = 2 << 20,
	SECTION_REGION = 3,
	SECTION_STATE = 4,
	SECTION_END = 6,
	ROOM_MORE = 4 << 20, /* bytes of a snapshot that are not pages, at most */
};

struct section {
	uint32_t kind, version;
	uint64_t size;
};

static struct {
	const char *file, *part; /* where it goes in the end, and until then */
	int fd, ram;
	uint64_t offset; /* of the room in the machine's RAM */
} save;

/* ---- Looking at one ---- */

static _Noreturn void refuse(const char *file, const char *why)
{
	hatch_report_fail(HATCH_EXIT_FAILED, "%s is no snapshot that can be loaded: %s", file, why);
}

static void read_or_refuse(const char *file, FILE *stream, void *to, size_t size)
{
	if (fread(to, size, 1, stream) != 1)
		refuse(file, "it is cut short; save it again");
}

static void check_start(const char *file, FILE *stream)
{
	struct {
		uint64_t magic;
		uint32_t version, reserved;
	} start;

	read_or_refuse(file, stream, &start, sizeof(start));
	if (start.magic != MAGIC)
		refuse(file, "it does not begin like one; give a file of hatch boot --save");
	if (start.version != VERSION)
		refuse(file, "it is of another version of hatch; save it again with this one");
}

/* The beginning of what a section holds, as far as it tells something here. */
static void look_into(struct hatch_snapshot *snapshot, const struct section *section,
		      const void *bytes)
{
	const struct {
		char name[32];
		uint64_t size;
		uint32_t harts; /* of the state "sbi" */
	} *state = bytes;
	const uint64_t *region = bytes;

	if (section->kind == SECTION_REGION)
		snapshot->memory += region[1];
	if (section->kind == SECTION_STATE && !strncmp(state->name, "sbi", sizeof(state->name)))
		snapshot->cpus = state->harts;
}

static void read_section(const char *file, FILE *stream, struct section *section,
			 struct hatch_snapshot *snapshot)
{
	uint64_t bytes[8] = { 0 };
	size_t size;

	read_or_refuse(file, stream, section, sizeof(*section));
	size = section->size < sizeof(bytes) ? section->size : sizeof(bytes);
	if (size)
		read_or_refuse(file, stream, bytes, size);
	look_into(snapshot, section, bytes);
	fseeko(stream, (off_t)(section->size - size), SEEK_CUR);
}

struct hatch_snapshot hatch_snapshot_look(const char *file)
{
	FILE *stream = fopen(file, "rbe");
	struct hatch_snapshot snapshot = { 0 };
	struct section section = { 0 };
	struct stat status;

	if (!stream || fstat(fileno(stream), &status))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot read the snapshot %s: %m", file);
	check_start(file, stream);
	while (section.kind != SECTION_END) {
		read_section(file, stream, &section, &snapshot);
		if (section.size > (uint64_t)status.st_size)
			refuse(file, "it is cut short; save it again");
	}
	if (ftello(stream) != status.st_size)
		refuse(file, "its end is not where it should be; save it again");
	fclose(stream);
	return snapshot;
}

/* ---- Making one ---- */

static void remove_part(void)
{
	if (save.part)
		unlink(save.part);
}

/* The file is begun before the machine is: what is wrong with it is said at once. */
static void open_part(const char *file)
{
	save.file = file;
	save.part = hatch_text_format("%s.part", file);
	save.fd = open(save.part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (save.fd < 0) {
		save.part = NULL;
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot write %s: %m; give --save a file that can be made", file);
	}
	atexit(remove_part);
}

void hatch_snapshot_prepare(struct hatch_run *run, const char *file, uint64_t memory)
{
	uint64_t room = memory + ROOM_MORE;

	open_part(file);
	save.offset = run->memory > DEVICE_TREE_END ? run->memory : DEVICE_TREE_END;
	save.offset = (save.offset + ALIGN - 1) / ALIGN * ALIGN;
	hatch_blob_give_room(run, "save", RAM_BASE + save.offset, room);
	run->memory = save.offset + room;
	save.ram = memfd_create("hatch", 0); /* QEMU inherits it */
	if (save.ram < 0)
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot make a file in memory: %m");
	run->ram = save.ram;
}

static void copy(uint64_t size)
{
	off_t at = (off_t)(save.offset + sizeof(size));
	static char buffer[1 << 20];

	while (size) {
		ssize_t n =
			pread(save.ram, buffer, size < sizeof(buffer) ? size : sizeof(buffer), at);

		if (n <= 0)
			hatch_report_fail(HATCH_EXIT_FAILED, "cannot read the machine's RAM: %m");
		if (write(save.fd, buffer, (size_t)n) != n)
			hatch_report_fail(HATCH_EXIT_FAILED,
					  "cannot write %s: %s; is the disk full? nothing was kept",
					  save.file, strerror(errno ? errno : ENOSPC));
		at += n;
		size -= (uint64_t)n;
	}
}

int hatch_snapshot_keep(int status)
{
	uint64_t size = 0;

	if (status)
		return status;
	if (pread(save.ram, &size, sizeof(size), (off_t)save.offset) != sizeof(size) || !size)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "the guest ended before it was up: there is nothing to save; an "
				  "--initrd of your own must write 0x7777 to the test finisher");
	errno = 0;
	copy(size);
	if (fsync(save.fd) || rename(save.part, save.file))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot write %s: %m; is the disk full?",
				  save.file);
	save.part = NULL;
	hatch_report_note("saved %s, %.1f MiB; go on from there with hatch boot --load %s",
			  save.file, (double)size / (1 << 20), save.file);
	return 0;
}
