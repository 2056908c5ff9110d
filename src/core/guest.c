/* SPDX-License-Identifier: MIT */
/* A guest's memory: which regions, and the host's way into them. Pure. */
#include <string.h>

#include <hatch/guest.h>

#define LARGE_PAGE ((uint64_t)2 << 20)

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

/* Host memory is aligned like the largest leaf that the region could use. */
static size_t alignment_for(hatch_gpa base, uint64_t size)
{
	bool large = size >= LARGE_PAGE && (base.addr & (LARGE_PAGE - 1)) == 0;

	return large ? LARGE_PAGE : HATCH_PAGE_SIZE;
}

int hatch_guest_add_ram(struct hatch_guest *guest, hatch_gpa base, uint64_t size)
{
	const struct hatch_memory *memory = guest->stage.memory;
	int error = check_region(guest, base, size);
	void *host;

	if (error)
		return error;
	host = memory->alloc(memory->arg, size, alignment_for(base, size));
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

	hatch_gstage_fini(&guest->stage);
	for (unsigned int i = 0; i < guest->regions; i++)
		if (guest->region[i].owned)
			memory->free(memory->arg, guest->region[i].host, guest->region[i].size);
	guest->regions = 0;
}

void *hatch_guest_pointer(const struct hatch_guest *guest, hatch_gpa gpa, size_t *size,
			  unsigned int prot)
{
	const struct hatch_memory *memory = guest->stage.memory;
	struct hatch_mapping m;
	uint64_t offset;

	if (hatch_gstage_lookup(&guest->stage, gpa, &m) || (m.prot & prot) != prot)
		return NULL;
	offset = gpa.addr - m.gpa.addr;
	if (*size > m.size - offset)
		*size = m.size - offset;
	return memory->pointer(memory->arg, hatch_hpa_of(m.hpa.addr + offset));
}

int hatch_guest_read(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t size)
{
	uint8_t *out = to;

	while (size) {
		size_t n = size;
		const void *from = hatch_guest_pointer(guest, gpa, &n, HATCH_PROT_READ);

		if (!from)
			return HATCH_EFAULT;
		memcpy(out, from, n);
		out += n;
		gpa.addr += n;
		size -= n;
	}
	return 0;
}

int hatch_guest_write(const struct hatch_guest *guest, hatch_gpa gpa, const void *from, size_t size)
{
	const uint8_t *in = from;

	while (size) {
		size_t n = size;
		void *to = hatch_guest_pointer(guest, gpa, &n, HATCH_PROT_WRITE);

		if (!to)
			return HATCH_EFAULT;
		memcpy(to, in, n);
		in += n;
		gpa.addr += n;
		size -= n;
	}
	return 0;
}
