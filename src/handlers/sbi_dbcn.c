/* SPDX-License-Identifier: MIT */
/*
 * SBI DBCN (SBI 2.0, chapter 12): the debug console. Long transfers are done in part, which the
 * specification allows, so that one call takes a bounded time.
 */
#include "sbi_internal.h"

enum dbcn_function {
	CONSOLE_WRITE,
	CONSOLE_READ,
	CONSOLE_WRITE_BYTE,
};

/* Bytes copied at a time; divides the page, so that no piece crosses one. */
#define PIECE 256

/*
 * Whether [lo, lo + size) is RAM of the guest, perhaps of several regions that touch. At most
 * one step for each region.
 */
static bool is_ram(const struct hatch_guest *guest, uint64_t lo, uint64_t size)
{
	const struct hatch_region *region;

	if (size && size - 1 > UINT64_MAX - lo)
		return false;
	while (size) {
		region = hatch_guest_region(guest, hatch_gpa_of(lo));
		if (!region)
			return false;
		uint64_t left = region->size - (lo - region->base.addr);
		if (size <= left)
			return true;
		lo += left;
		size -= left;
	}
	return true;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Every byte is read once, into memory of ours: the guest may change its own meanwhile. */
static enum hatch_verdict write(const struct hatch_sbi *sbi, uint64_t lo, uint64_t size,
				struct hatch_cont *k)
{
	char piece[PIECE];
	uint64_t done = 0;

	if (!sbi->console.write)
		return hatch_sbi_error(k, SBI_ERR_DENIED);
	size = min(size, HATCH_SBI_CONSOLE_MAX);
	while (done < size) {
		uint64_t n = min(size - done, PIECE - (lo + done) % PIECE);

		if (hatch_guest_read(k->vcpu->guest, hatch_gpa_of(lo + done), piece, n))
			break;
		sbi->console.write(sbi->console.arg, piece, n);
		done += n;
	}
	return size && !done ? hatch_sbi_error(k, SBI_ERR_INVALID_PARAM) : hatch_sbi_value(k, done);
}

/* The place is looked up before a byte is taken off the console: none is lost. */
static enum hatch_verdict read(const struct hatch_sbi *sbi, uint64_t lo, uint64_t size,
			       struct hatch_cont *k)
{
	size_t room = min(size, HATCH_SBI_CONSOLE_MAX);
	unsigned char *to = NULL;
	uint64_t done = 0;
	int byte;

	if (!sbi->console.read)
		return hatch_sbi_error(k, SBI_ERR_DENIED);
	if (room)
		to = hatch_guest_pointer(k->vcpu->guest, hatch_gpa_of(lo), &room, HATCH_PROT_WRITE);
	if (size && !to)
		return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
	while (done < room && (byte = sbi->console.read(sbi->console.arg)) >= 0)
		to[done++] = (unsigned char)byte;
	return hatch_sbi_value(k, done);
}

static enum hatch_verdict write_byte(const struct hatch_sbi *sbi, uint64_t value,
				     struct hatch_cont *k)
{
	unsigned char byte = (unsigned char)value;

	if (!sbi->console.write)
		return hatch_sbi_error(k, SBI_ERR_DENIED);
	sbi->console.write(sbi->console.arg, &byte, 1);
	return hatch_sbi_value(k, 0);
}

enum hatch_verdict hatch_sbi_on_dbcn(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const uint64_t *a = ev->hypercall.arg;

	switch (ev->hypercall.function) {
	case CONSOLE_WRITE_BYTE:
		return write_byte(arg, a[0], k);
	case CONSOLE_WRITE:
	case CONSOLE_READ:
		if (a[2] || !is_ram(k->vcpu->guest, a[1], a[0]))
			return hatch_sbi_error(k, SBI_ERR_INVALID_PARAM);
		return ev->hypercall.function == CONSOLE_WRITE ? write(arg, a[1], a[0], k)
							       : read(arg, a[1], a[0], k);
	default:
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	}
}
