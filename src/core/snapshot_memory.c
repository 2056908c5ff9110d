/* SPDX-License-Identifier: MIT */
/* Regions and pages out of a snapshot: nothing but RAM of the guest is written to. */
#include <string.h>

#include "snapshot.h"

static bool is_lent(const struct hatch_region *r)
{
	return r->host && !r->owned;
}

static int clear(struct snapshot_load *load, const struct hatch_region *r)
{
	for (uint64_t done = 0; done < r->size;) {
		size_t size = r->size - done;
		hatch_gpa at = hatch_gpa_of(r->base.addr + done);
		void *to = hatch_guest_pointer(load->guest, at, &size, HATCH_PROT_WRITE);

		if (!to)
			return HATCH_EFORMAT; /* a part of it is not there, or not writable */
		memset(to, 0, size);
		done += size;
	}
	return 0;
}

static int take_region(struct snapshot_load *load, unsigned int i,
		       const struct snapshot_region *region)
{
	const struct hatch_region *r = &load->guest->region[i];
	uint32_t bit = UINT32_C(1) << i;

	if (r->base.addr != region->base || r->size != region->size || is_lent(r) != region->lent ||
	    (load->regions_seen & bit))
		return HATCH_EFORMAT;
	load->regions_seen |= bit;
	return r->owned ? clear(load, r) : 0;
}

int hatch_snapshot_get_region(struct snapshot_load *load, const struct snapshot_section *section)
{
	struct hatch_guest *guest = load->guest;
	struct snapshot_region region;
	int error = hatch_snapshot_get_fixed(load, section, &region, sizeof(region), true);

	if (error)
		return error;
	for (unsigned int i = 0; i < guest->regions; i++)
		if (guest->region[i].base.addr == region.base)
			return take_region(load, i, &region);
	if (region.lent)
		return HATCH_EFORMAT;
	error = hatch_guest_add_ram(guest, hatch_gpa_of(region.base), region.size);
	if (!error)
		load->regions_seen |= UINT32_C(1) << (guest->regions - 1);
	return error == HATCH_ENOMEM ? error : error ? HATCH_EFORMAT : 0;
}

static bool is_within_ram(const struct hatch_guest *guest, const struct snapshot_pages *pages)
{
	const struct hatch_region *r = hatch_guest_region(guest, hatch_gpa_of(pages->gpa));

	if (!r || !r->owned || pages->gpa % HATCH_PAGE_SIZE || !pages->count)
		return false;
	return pages->count <= (r->base.addr + r->size - pages->gpa) / HATCH_PAGE_SIZE;
}

static bool is_prot(uint64_t prot)
{
	return prot <= HATCH_PROT_ALL && !(prot & HATCH_PROT_WRITE && !(prot & HATCH_PROT_READ));
}

static int get_bytes(struct snapshot_load *load, uint64_t gpa, uint64_t size)
{
	while (size) {
		size_t part = size;
		void *to = hatch_guest_pointer(load->guest, hatch_gpa_of(gpa), &part,
					       HATCH_PROT_WRITE);
		int error = to ? hatch_snapshot_get(load, to, part) : HATCH_EFORMAT;

		if (error)
			return error;
		gpa += part;
		size -= part;
	}
	return 0;
}

static int set_rights(struct snapshot_load *load, const struct snapshot_pages *pages)
{
	struct hatch_gstage *stage = &load->guest->stage;
	hatch_gpa gpa = hatch_gpa_of(pages->gpa);
	uint64_t size = pages->count * HATCH_PAGE_SIZE;

	if (pages->prot == HATCH_PROT_ALL)
		return 0;
	if (!pages->prot)
		return hatch_gstage_unmap(stage, gpa, size);
	return hatch_gstage_protect(stage, gpa, size, (unsigned int)pages->prot);
}

int hatch_snapshot_get_pages(struct snapshot_load *load, const struct snapshot_section *section)
{
	struct snapshot_pages pages;
	int error = hatch_snapshot_get_fixed(load, section, &pages, sizeof(pages), false);
	uint64_t size;

	if (error)
		return error;
	if (section->version != 1 || !is_within_ram(load->guest, &pages) || !is_prot(pages.prot))
		return HATCH_EFORMAT;
	size = pages.prot ? pages.count * HATCH_PAGE_SIZE : 0;
	if (section->size != sizeof(pages) + size)
		return HATCH_EFORMAT;
	error = get_bytes(load, pages.gpa, size);
	return error ? error : set_rights(load, &pages);
}
