/* SPDX-License-Identifier: MIT */
/* What a box may touch beside itself: grants, copies, and functions of the host by name. */
#include <string.h>

#include <hatch/csr.h>
#include "call.h"

/* The first region that is a grant: those of the box itself come before. */
static unsigned int first_grant(const struct hatch_box *box)
{
	return 3 + (box->image.tls_size != 0) + (box->heap_size != 0);
}

/* A block belongs to its box as a whole, guards included. */
static bool meets_block(const struct hatch_box *box, uint64_t start, uint64_t size)
{
	uint64_t block = (uintptr_t)box->block;

	return start < block + box->block_size && block < start + size;
}

static bool is_grant_prot(unsigned int prot)
{
	return prot == HATCH_PROT_READ || prot == (HATCH_PROT_READ | HATCH_PROT_WRITE);
}

int hatch_box_grant(struct hatch_box *box, void *buffer, size_t size, unsigned int prot)
{
	uint64_t start = (uintptr_t)buffer;

	if (!box || !buffer || !is_grant_prot(prot) || start + size < start)
		return HATCH_EINVAL;
	if (box->state == HATCH_BOX_GONE)
		return HATCH_ESTALE;
	if (meets_block(box, start, size))
		return HATCH_EOVERLAP;
	return hatch_guest_lend(&box->guest, hatch_gpa_of(start), buffer, size, prot);
}

int hatch_box_revoke(struct hatch_box *box, void *buffer)
{
	struct hatch_guest *guest = &box->guest;

	if (!box || !buffer)
		return HATCH_EINVAL;
	for (unsigned int i = first_grant(box); i < guest->regions; i++) {
		struct hatch_region *region = &guest->region[i];
		int error;

		if (region->host != buffer)
			continue;
		error = hatch_gstage_unmap(&guest->stage, region->base, region->size);
		if (!error)
			*region = guest->region[--guest->regions];
		return error;
	}
	return HATCH_ENOENT;
}

int hatch_box_check(const struct hatch_box *box, const void *at, size_t size, unsigned int prot)
{
	if (!box || !prot)
		return HATCH_EINVAL;
	if (box->state == HATCH_BOX_GONE)
		return HATCH_EFAULT;
	return hatch_guest_check(&box->guest, hatch_gpa_of((uintptr_t)at), size, prot);
}

int hatch_box_copy_in(const struct hatch_box *box, const void *from, void *to, size_t size)
{
	if (!box || !to)
		return HATCH_EINVAL;
	if (hatch_box_check(box, from, size, HATCH_PROT_READ))
		return HATCH_EFAULT; /* before the first byte is copied */
	return hatch_guest_read(&box->guest, hatch_gpa_of((uintptr_t)from), to, size);
}

int hatch_box_copy_out(struct hatch_box *box, const void *from, void *to, size_t size)
{
	if (!box || !from)
		return HATCH_EINVAL;
	if (hatch_box_check(box, to, size, HATCH_PROT_WRITE))
		return HATCH_EFAULT;
	return hatch_guest_write(&box->guest, hatch_gpa_of((uintptr_t)to), from, size);
}

int hatch_box_copy_text(const struct hatch_box *box, const char *from, char *to, size_t size)
{
	if (!box || !to)
		return HATCH_EINVAL;
	for (size_t i = 0; i < size; i++) {
		int error = hatch_box_copy_in(box, from + i, &to[i], 1);

		if (error || !to[i])
			return error;
	}
	return HATCH_E2BIG;
}

int hatch_box_offer(struct hatch_box *box, const char *name, hatch_offer *offer, void *arg)
{
	if (!box || !name || !*name || !offer)
		return HATCH_EINVAL;
	if (strlen(name) >= HATCH_BOX_NAME_SIZE || box->offers_used == HATCH_BOX_OFFERS)
		return HATCH_E2BIG;
	for (unsigned int i = 0; i < box->offers_used; i++)
		if (!strcmp(box->offers[i].name, name))
			return HATCH_EOVERLAP;
	box->offers[box->offers_used].name = name;
	box->offers[box->offers_used].offer = offer;
	box->offers[box->offers_used++].arg = arg;
	return 0;
}

static bool call_offer(struct hatch_box *box, unsigned int number, struct hatch_call_result *result)
{
	uint64_t *x = box->vcpu.frame.x, args[7], answer = 0;
	int error;

	memcpy(args, &x[11], sizeof(args));
	error = box->offers[number].offer(box->offers[number].arg, box, args, &answer);
	if (error) {
		*result = (struct hatch_call_result){
			.outcome = HATCH_FAILED,
			.stop = HATCH_STOP_OFFER,
			.pc = box->vcpu.frame.pc,
			.error = error,
		};
		return false;
	}
	x[10] = answer;
	box->vcpu.frame.pc += 4;
	return true;
}

bool hatch_box_answer(struct hatch_box *box, struct hatch_call_result *result)
{
	const char *at = (const char *)(uintptr_t)box->vcpu.frame.x[10];
	char name[HATCH_BOX_NAME_SIZE];

	if (hatch_box_copy_text(box, at, name, sizeof(name)))
		return false;
	for (unsigned int i = 0; i < box->offers_used; i++)
		if (!strcmp(box->offers[i].name, name))
			return call_offer(box, i, result);
	return false;
}
