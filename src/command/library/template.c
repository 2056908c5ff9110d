/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "launch.h"

#ifndef HATCH_TEMPLATE_SECONDS
#define HATCH_TEMPLATE_SECONDS 300
#endif

#define MAGIC UINT64_C(0x50414e5348435448) /* "HTCHSNAP" */

/* ---- What it left ---- */

static int fail(const char *file, struct hatch_problem *problem)
{
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "cannot write the snapshot %s: %s; free the disk", file,
				 strerror(errno));
}

/* The machine's RAM becomes a file: SIZE bytes of it, from AT on. */
static int copy(int ram, uint64_t at, uint64_t size, const char *file,
		struct hatch_problem *problem)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	off_t from = (off_t)at, end = (off_t)(at + size);

	while (fd >= 0 && from < end) {
		ssize_t done = sendfile(fd, ram, &from, (size_t)(end - from));

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
	}
	if (fd < 0 || from < end)
		fail(file, problem);
	if (fd >= 0 && close(fd) && !problem->error)
		fail(file, problem);
	return problem->error;
}

static int keep(const struct hatch_launched *launched, const struct hatch_machine_start *start,
		const char *file, uint64_t *size, int status, struct hatch_problem *problem)
{
	const off_t at = (off_t)start->save_at;
	uint64_t magic = 0;

	if (pread(start->ram, size, sizeof(*size), at) != sizeof(*size) || !*size ||
	    *size > UINT64_C(1) << 42 ||
	    pread(start->ram, &magic, sizeof(magic), at + 8) != sizeof(magic) || magic != MAGIC)
		return hatch_launch_blame(launched, status, "while it booted", problem);
	return copy(start->ram, start->save_at + sizeof(*size), *size, file, problem);
}

/* ---- The boot ---- */

/* Until it has ended; what it says is heard meanwhile. */
static int follow(struct hatch_child *child, struct hatch_launched *launched,
		  struct hatch_problem *problem)
{
	const int64_t by = hatch_now() + HATCH_TEMPLATE_SECONDS * INT64_C(1000000000);
	int64_t left;

	while ((left = by - hatch_now()) > 0) {
		const int fds[] = { launched->qemu.fd, launched->output[0], launched->output[1] };

		if (hatch_child_wait_for(child, fds, 3, (int)(left / 1000000) + 1, problem) < 0)
			return problem->error;
		hatch_launch_hear(launched);
		if (hatch_child_wait_for(child, fds, 1, 0, problem))
			return problem->error;
	}
	return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
				 "the guest did not boot in %d s: give it a console to see how far "
				 "it gets",
				 HATCH_TEMPLATE_SECONDS);
}

static int boot(struct hatch_child *child, struct hatch_launched *launched,
		struct hatch_machine_start *start, const char *file, uint64_t *size,
		struct hatch_problem *problem)
{
	int status;

	if (hatch_launch(launched, &child->plan, start, start->ram, problem))
		return problem->error;
	follow(child, launched, problem);
	status = hatch_launch_end(launched);
	hatch_launch_close(launched);
	return problem->error ? problem->error : keep(launched, start, file, size, status, problem);
}

/* QEMU opens it as /proc/self/fd/N: it must inherit it under that number. */
int hatch_template_boot(struct hatch_child *child, const char *file, uint64_t *size,
			struct hatch_problem *problem)
{
	struct hatch_machine_start start = { .template = true };
	struct hatch_launched *launched = calloc(1, sizeof(*launched));

	start.ram = memfd_create("hatch", MFD_CLOEXEC);
	if (!launched || start.ram < 0) {
		hatch_problem_memory(problem);
	} else {
		hatch_launch_clear(launched);
		boot(child, launched, &start, file, size, problem);
	}
	if (start.ram >= 0)
		close(start.ram);
	free(launched);
	return problem->error;
}
