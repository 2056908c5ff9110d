/* SPDX-License-Identifier: MIT */
/*
 * A process's pages. They come when they are touched, by the program or by a system call.
 *
 * The guest's tables tell what the program sees, and the framework may exchange what stands there
 * (a page that was shared is copied before it is written to). Which pages are ours to give back
 * stands in tables of our own, `own`: per address a page that is in use, and beside it perhaps
 * one that was in use at the last save and that a restore will bring back. A leaf's rights serve
 * as the page's age there. No hardware ever walks these tables.
 *
 * A page in use without a leaf in the guest's tables is one without rights, or one that a restore
 * brought back: a touch maps it again.
 */
#include <string.h>

#include "process_internal.h"

#define BESIDE (UINT64_C(1) << 39) /* the second of an address's two places in `own` */

enum age {
	AGE_NONE = HATCH_PROT_NONE,
	AGE_YOUNG = HATCH_PROT_READ,		      /* came after the last save */
	AGE_OLD = HATCH_PROT_READ | HATCH_PROT_WRITE, /* was there at the last save */
	AGE_KEPT = HATCH_PROT_READ | HATCH_PROT_EXEC, /* the same, but not in use now */
};

static uint64_t page_of(uint64_t at)
{
	return at & ~(HATCH_PAGE_SIZE - 1);
}

static const struct hatch_memory *memory_of(const struct hatch_process *p)
{
	return p->own.memory;
}

static struct hatch_gstage *seen_by(const struct hatch_process *p)
{
	return &p->vcpu->guest->stage;
}

/* ---- What is ours ---- */

/* A page of ours: its place in `own`, and where it is. */
struct owned {
	uint64_t place;
	hatch_hpa hpa;
	enum age age;
};

static struct owned at_place(const struct hatch_process *p, uint64_t place)
{
	struct owned owned = { .place = place, .age = AGE_NONE };
	struct hatch_mapping mapping;

	if (hatch_gstage_lookup(&p->own, hatch_gpa_of(place), &mapping))
		return owned;
	owned.hpa = mapping.hpa;
	owned.age = mapping.prot;
	return owned;
}

/* The page that is in use at the address; age AGE_NONE when there is none. */
static struct owned in_use(const struct hatch_process *p, uint64_t page)
{
	struct owned owned = at_place(p, page);

	if (owned.age == AGE_NONE || owned.age == AGE_KEPT)
		owned = at_place(p, page + BESIDE);
	if (owned.age == AGE_KEPT)
		owned.age = AGE_NONE;
	return owned;
}

static struct owned kept(const struct hatch_process *p, uint64_t page)
{
	struct owned owned = at_place(p, page);

	if (owned.age != AGE_KEPT)
		owned = at_place(p, page + BESIDE);
	if (owned.age != AGE_KEPT)
		owned.age = AGE_NONE;
	return owned;
}

/* A new page in use at the address, where none is; NULL: no memory. */
static void *own(struct hatch_process *p, uint64_t page)
{
	const struct hatch_memory *memory = memory_of(p);
	uint64_t place = at_place(p, page).age == AGE_NONE ? page : page + BESIDE;
	void *host = memory->alloc(memory->arg, HATCH_PAGE_SIZE, HATCH_PAGE_SIZE);

	if (!host)
		return NULL;
	if (hatch_gstage_map(&p->own, hatch_gpa_of(place), memory->physical(memory->arg, host),
			     HATCH_PAGE_SIZE, AGE_YOUNG)) {
		memory->free(memory->arg, host, HATCH_PAGE_SIZE);
		return NULL;
	}
	return host;
}

static void give_back(struct hatch_process *p, const struct owned *owned)
{
	const struct hatch_memory *memory = memory_of(p);

	if (owned->age == AGE_NONE)
		return;
	hatch_gstage_unmap(&p->own, hatch_gpa_of(owned->place), HATCH_PAGE_SIZE);
	memory->free(memory->arg, memory->pointer(memory->arg, owned->hpa), HATCH_PAGE_SIZE);
}

/* Cannot fail: the leaf is there, and has the size of a page. */
static void set_age(struct hatch_process *p, const struct owned *owned, enum age age)
{
	hatch_gstage_protect(&p->own, hatch_gpa_of(owned->place), HATCH_PAGE_SIZE, age);
}

/* ---- What the program sees ---- */

static void unmap(struct hatch_process *p, uint64_t page)
{
	hatch_gstage_unmap(seen_by(p), hatch_gpa_of(page), HATCH_PAGE_SIZE);
}

/* Never both write and execute; whoever executes may read. */
static unsigned int leaf_rights(unsigned int prot)
{
	return prot | HATCH_PROT_READ;
}

/* Instructions that the host wrote are seen by this hart's fetches from now on. */
static void publish(uint64_t page, unsigned int prot)
{
	char *code = (char *)(uintptr_t)page;

	if (prot & HATCH_PROT_EXEC)
		__builtin___clear_cache(code, code + HATCH_PAGE_SIZE);
}

static int show(struct hatch_process *p, uint64_t page, hatch_hpa hpa, unsigned int prot)
{
	if (hatch_gstage_map(seen_by(p), hatch_gpa_of(page), hpa, HATCH_PAGE_SIZE,
			     leaf_rights(prot)))
		return PROCESS_STARVED;
	publish(page, prot);
	return 0;
}

/* What the mapping's file has for this page; the rest stays zero. */
static void fill(const struct hatch_process *p, const struct hatch_process_map *map, uint64_t page,
		 void *to)
{
	const struct hatch_file *file;
	uint64_t offset, size;

	if (map->file == HATCH_FILES_NONE)
		return;
	file = process_file(p, map->file);
	offset = map->offset + (page - map->start);
	if (offset >= file->size)
		return;
	size = file->size - offset;
	memcpy(to, file->data + offset, size < HATCH_PAGE_SIZE ? size : HATCH_PAGE_SIZE);
}

static int populate(struct hatch_process *p, const struct hatch_process_map *map, uint64_t page)
{
	const struct hatch_memory *memory = memory_of(p);
	struct owned owned;
	void *host = own(p, page);
	int error;

	if (!host)
		return PROCESS_STARVED;
	fill(p, map, page, host);
	error = show(p, page, memory->physical(memory->arg, host), map->prot);
	if (error) {
		owned = in_use(p, page);
		give_back(p, &owned);
	}
	return error;
}

int process_page_in(struct hatch_process *p, uint64_t at, unsigned int prot)
{
	const struct hatch_process_map *map = process_map_find(p, at);
	struct hatch_mapping mapping;
	uint64_t page = page_of(at);
	struct owned owned;

	if (!map || (map->prot & prot) != prot || !map->prot)
		return -LINUX_EFAULT;
	if (!hatch_gstage_lookup(seen_by(p), hatch_gpa_of(page), &mapping))
		return 0;
	owned = in_use(p, page);
	return owned.age == AGE_NONE ? populate(p, map, page) : show(p, page, owned.hpa, map->prot);
}

/* A page of the last save is kept for its restore. */
static void drop(struct hatch_process *p, uint64_t page)
{
	struct owned owned = in_use(p, page);

	unmap(p, page);
	if (owned.age == AGE_OLD)
		set_age(p, &owned, AGE_KEPT);
	else
		give_back(p, &owned);
}

void process_page_drop(struct hatch_process *p, uint64_t start, uint64_t end)
{
	for (uint64_t page = start; page < end; page += HATCH_PAGE_SIZE)
		drop(p, page);
}

/* What the program has written there must outlast the leaf, which may lead to a copy of ours. */
static int hide(struct hatch_process *p, uint64_t page, const struct hatch_mapping *mapping)
{
	const struct hatch_memory *memory = memory_of(p);
	const void *from = memory->pointer(memory->arg, mapping->hpa);
	struct owned owned = in_use(p, page);
	void *to;

	if (owned.age != AGE_NONE && owned.hpa.addr == mapping->hpa.addr) {
		unmap(p, page);
		return 0;
	}
	if (owned.age == AGE_OLD)
		set_age(p, &owned, AGE_KEPT);
	to = owned.age == AGE_YOUNG ? memory->pointer(memory->arg, owned.hpa) : own(p, page);
	if (to) {
		memcpy(to, from, HATCH_PAGE_SIZE);
		unmap(p, page);
	} else if (owned.age == AGE_OLD) {
		set_age(p, &owned, AGE_OLD);
	}
	return to ? 0 : PROCESS_STARVED;
}

int process_page_protect(struct hatch_process *p, uint64_t start, uint64_t end, unsigned int prot)
{
	int error = 0;

	for (uint64_t page = start; !error && page < end; page += HATCH_PAGE_SIZE) {
		struct hatch_mapping mapping;

		if (hatch_gstage_lookup(seen_by(p), hatch_gpa_of(page), &mapping))
			continue;
		if (!prot)
			error = hide(p, page, &mapping);
		else if (hatch_gstage_protect(seen_by(p), hatch_gpa_of(page), HATCH_PAGE_SIZE,
					      leaf_rights(prot)))
			error = PROCESS_STARVED;
		else
			publish(page, prot);
	}
	return error;
}

/* ---- Saving and restoring ---- */

typedef void visit(struct hatch_process *p, uint64_t page);

static void each_page(struct hatch_process *p, const struct hatch_process_map *map,
		      unsigned int maps, visit *each)
{
	for (unsigned int i = 0; i < maps; i++)
		for (uint64_t page = map[i].start; page < map[i].end; page += HATCH_PAGE_SIZE)
			each(p, page);
}

/* What the leaf leads to becomes ours again: from here on our page is the one to come back to. */
static void grow_old(struct hatch_process *p, uint64_t page)
{
	const struct hatch_memory *memory = memory_of(p);
	struct owned owned = in_use(p, page);
	struct hatch_mapping mapping;

	if (owned.age == AGE_NONE)
		return;
	if (!hatch_gstage_lookup(seen_by(p), hatch_gpa_of(page), &mapping) &&
	    mapping.hpa.addr != owned.hpa.addr) {
		memcpy(memory->pointer(memory->arg, owned.hpa),
		       memory->pointer(memory->arg, mapping.hpa), HATCH_PAGE_SIZE);
		unmap(p, page);
	}
	set_age(p, &owned, AGE_OLD);
}

static void give_up(struct hatch_process *p, uint64_t page)
{
	struct owned owned = kept(p, page);

	give_back(p, &owned);
}

static void take_back(struct hatch_process *p, uint64_t page)
{
	struct owned owned = kept(p, page);

	if (owned.age == AGE_KEPT)
		set_age(p, &owned, AGE_OLD);
}

static void lose(struct hatch_process *p, uint64_t page)
{
	struct owned owned = in_use(p, page);

	unmap(p, page);
	if (owned.age == AGE_YOUNG)
		give_back(p, &owned);
}

void process_page_save(struct hatch_process *p)
{
	each_page(p, p->saved, p->saved_maps, give_up);
	each_page(p, p->state.map, p->state.maps, grow_old);
	memcpy(p->saved, p->state.map, sizeof(p->saved));
	p->saved_maps = p->state.maps;
}

/* Whatever was written since went to copies or young pages: our old ones hold what was saved. */
void process_page_restore(struct hatch_process *p, const struct hatch_process_state *state)
{
	each_page(p, p->state.map, p->state.maps, lose);
	p->state = *state;
	each_page(p, p->saved, p->saved_maps, take_back);
}

void process_page_fini(struct hatch_process *p)
{
	each_page(p, p->state.map, p->state.maps, drop);
	each_page(p, p->saved, p->saved_maps, give_up);
	p->saved_maps = 0;
	hatch_gstage_fini(&p->own);
}
