/* SPDX-License-Identifier: MIT */
/* A guest's memory: which regions, and the host's way into them. Pure. */
#include <string.h>

#include "guest_share.h"

static bool is_page_aligned(uint64_t n)
{
	return (n & (HATCH_PAGE_SIZE - 1)) == 0;
}

const struct hatch_region *hatch_guest_region(const struct hatch_guest *guest, hatch_gpa gpa)
{
	for (unsigned int i = 0; i < guest->regions; i++)
		if (gpa.addr - guest->region[i].base.addr < guest->region[i].size)
			return &guest->region[i];
	return NULL;
}

static int check_region(const struct hatch_guest *guest, hatch_gpa base, uint64_t size)
{
	uint64_t last = base.addr + size - 1;

	if (size == 0 || !is_page_aligned(base.addr) || !is_page_aligned(size) || last < base.addr)
		return HATCH_EINVAL;
	if (guest->regions == HATCH_GUEST_REGIONS)
		return HATCH_E2BIG;
	for (unsigned int i = 0; i < guest->regions; i++) {
		const struct hatch_region *r = &guest->region[i];

		if (base.addr <= r->base.addr + r->size - 1 && r->base.addr <= last)
			return HATCH_EOVERLAP;
	}
	return 0;
}

static void add_region(struct hatch_guest *guest, hatch_gpa base, void *host, uint64_t size,
		       bool owned)
{
	guest->region[guest->regions++] = (struct hatch_region){
		.base = base,
		.size = size,
		.host = host,
		.owned = owned,
	};
}

static int map_region(struct hatch_guest *guest, hatch_gpa base, void *host, uint64_t size,
		      unsigned int prot)
{
	const struct hatch_memory *memory = guest->stage.memory;

	return hatch_gstage_map(&guest->stage, base, memory->physical(memory->arg, host), size,
				prot);
}

/*
 * Memory aligned like the largest leaf that the region could use: the fewer levels a walk has, the
 * less each miss of a TLB costs. Where that would leave a hole too large, like a smaller one.
 */
static void *alloc_ram(const struct hatch_memory *memory, hatch_gpa base, uint64_t size)
{
	static const uint64_t leaf[] = { UINT64_C(1) << 30, UINT64_C(1) << 21, HATCH_PAGE_SIZE };
	void *host = NULL;

	for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]) && !host; i++)
		if (size >= leaf[i] && !(base.addr & (leaf[i] - 1)))
			host = memory->alloc(memory->arg, size, leaf[i]);
	return host;
}

int hatch_guest_add_ram(struct hatch_guest *guest, hatch_gpa base, uint64_t size)
{
	const struct hatch_memory *memory = guest->stage.memory;
	int error = check_region(guest, base, size);
	void *host;

	if (error)
		return error;
	host = alloc_ram(memory, base, size);
	if (!host)
		return HATCH_ENOMEM;
	error = map_region(guest, base, host, size, HATCH_PROT_ALL);
	if (error) {
		memory->free(memory->arg, host, size);
		return error;
	}
	add_region(guest, base, host, size, true);
	return 0;
}

int hatch_guest_add_lazy(struct hatch_guest *guest, hatch_gpa base, uint64_t size)
{
	int error = check_region(guest, base, size);

	if (!error)
		add_region(guest, base, NULL, size, false);
	return error;
}

int hatch_guest_lend(struct hatch_guest *guest, hatch_gpa base, void *host, uint64_t size,
		     unsigned int prot)
{
	int error = check_region(guest, base, size);

	if (!error && (!host || !is_page_aligned((uint64_t)host)))
		error = HATCH_EINVAL;
	if (!error)
		error = map_region(guest, base, host, size, prot);
	if (!error)
		add_region(guest, base, host, size, false);
	return error;
}

void hatch_guest_fini(struct hatch_guest *guest)
{
	const struct hatch_memory *memory = guest->stage.memory;

	hatch_guest_commit(guest);
	hatch_gstage_fini(&guest->stage);
	lock_stage(&guest->stage);
	for (unsigned int i = 0; i < guest->regions; i++)
		if (hatch_family_disowns(guest, &guest->region[i]))
			memory->free(memory->arg, guest->region[i].host, guest->region[i].size);
	guest->regions = 0;
	unlock_stage(&guest->stage);
	hatch_family_leave(guest);
}

/* ---- The host's way in ---- */

static void *pointer_into(const struct hatch_guest *guest, const struct hatch_mapping *m,
			  hatch_gpa gpa, size_t *size)
{
	const struct hatch_memory *memory = guest->stage.memory;
	uint64_t offset = gpa.addr - m->gpa.addr;

	if (*size > m->size - offset)
		*size = m->size - offset;
	return memory->pointer(memory->arg, hatch_hpa_of(m->hpa.addr + offset));
}

static int look_up(const struct hatch_guest *guest, hatch_gpa gpa, unsigned int prot,
		   struct hatch_mapping *m)
{
	int error = hatch_gstage_find(&guest->stage, gpa, m);

	return error || (m->prot & prot) != prot ? HATCH_EFAULT : HATCH_OK;
}

/* The same, and where it is to be written to, the page is the guest's own. */
static int look_up_own(struct hatch_guest *guest, hatch_gpa gpa, unsigned int prot,
		       struct hatch_mapping *m)
{
	int error = look_up(guest, gpa, prot, m);

	if (error || !m->cow || !(prot & HATCH_PROT_WRITE))
		return error;
	error = hatch_guest_mend(guest, gpa);
	return error ? error : look_up(guest, gpa, prot, m);
}

void *hatch_guest_pointer(struct hatch_guest *guest, hatch_gpa gpa, size_t *size, unsigned int prot)
{
	struct hatch_mapping m;
	int error;

	lock_stage(&guest->stage);
	error = look_up_own(guest, gpa, prot, &m);
	unlock_stage(&guest->stage);
	return error ? NULL : pointer_into(guest, &m, gpa, size);
}

int hatch_guest_check(const struct hatch_guest *guest, hatch_gpa gpa, size_t size,
		      unsigned int prot)
{
	while (size) {
		struct hatch_mapping m;
		size_t n = size;

		if (hatch_gstage_lookup(&guest->stage, gpa, &m) || (m.prot & prot) != prot)
			return HATCH_EFAULT;
		pointer_into(guest, &m, gpa, &n);
		gpa.addr += n;
		size -= n;
	}
	return HATCH_OK;
}

/* From the look-up to the last byte nobody may take the page away: so the lock is held. */
static int read_piece(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t *size)
{
	struct hatch_mapping m;
	const void *from;
	int error;

	lock_stage(&guest->stage);
	error = look_up(guest, gpa, HATCH_PROT_READ, &m);
	if (!error) {
		from = pointer_into(guest, &m, gpa, size);
		memcpy(to, from, *size);
	}
	unlock_stage(&guest->stage);
	return error;
}

static int write_piece(struct hatch_guest *guest, hatch_gpa gpa, const void *from, size_t *size)
{
	struct hatch_mapping m;
	void *to;
	int error;

	lock_stage(&guest->stage);
	error = look_up_own(guest, gpa, HATCH_PROT_WRITE, &m);
	if (!error) {
		to = pointer_into(guest, &m, gpa, size);
		memcpy(to, from, *size);
	}
	unlock_stage(&guest->stage);
	return error;
}

int hatch_guest_read(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t size)
{
	uint8_t *out = to;

	while (size) {
		size_t n = size;
		int error = read_piece(guest, gpa, out, &n);

		if (error)
			return error;
		out += n;
		gpa.addr += n;
		size -= n;
	}
	return 0;
}

int hatch_guest_write(struct hatch_guest *guest, hatch_gpa gpa, const void *from, size_t size)
{
	const uint8_t *in = from;

	while (size) {
		size_t n = size;
		int error = write_piece(guest, gpa, in, &n);

		if (error)
			return error;
		in += n;
		gpa.addr += n;
		size -= n;
	}
	return 0;
}
