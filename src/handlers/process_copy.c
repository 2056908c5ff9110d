/* SPDX-License-Identifier: MIT */
/* Copies between the host and a process, with the process's own rights. */
#include <string.h>

#include "process_internal.h"

/* How much of [at, at + size) lies in the page of `at`. */
static size_t within_page(uint64_t at, size_t size)
{
	uint64_t room = HATCH_PAGE_SIZE - (at & (HATCH_PAGE_SIZE - 1));

	return size < room ? size : room;
}

int process_copy_in(struct hatch_process *p, uint64_t from, void *to, size_t size)
{
	uint8_t *out = to;

	while (size) {
		size_t n = within_page(from, size);
		int error = process_page_in(p, from, HATCH_PROT_READ);

		if (error)
			return error;
		if (hatch_guest_read(p->vcpu->guest, hatch_gpa_of(from), out, n))
			return -LINUX_EFAULT;
		from += n;
		out += n;
		size -= n;
	}
	return 0;
}

int process_copy_out(struct hatch_process *p, uint64_t to, const void *from, size_t size)
{
	const uint8_t *in = from;

	while (size) {
		size_t n = within_page(to, size);
		int error = process_page_in(p, to, HATCH_PROT_WRITE);

		if (error)
			return error;
		error = hatch_guest_write(p->vcpu->guest, hatch_gpa_of(to), in, n);
		if (error)
			return error == HATCH_ENOMEM ? PROCESS_STARVED : -LINUX_EFAULT;
		to += n;
		in += n;
		size -= n;
	}
	return 0;
}

/* Each byte is read once: the end is looked for in the copy. */
int process_copy_text(struct hatch_process *p, uint64_t from, char *to, size_t size)
{
	size_t length = 0;

	while (length < size) {
		size_t n = within_page(from + length, size - length);
		int error = process_copy_in(p, from + length, to + length, n);
		const char *end;

		if (error)
			return error;
		end = memchr(to + length, 0, n);
		if (end)
			return (int)(end - to);
		length += n;
	}
	return -LINUX_ENAMETOOLONG;
}
