/* SPDX-License-Identifier: MIT */
/*
 * From a chain of the guest to one of the device: VIRTIO 1.2, 2.7.5 and 2.7.7.
 *
 * The guest may change its tables while they are read. So each descriptor is copied once, and only
 * the copy is looked at. The new chain is written into free entries of the shadow, which the
 * device does not look at yet; it is there only when all of it was found good.
 */
#include <string.h>

#include "virtio_internal.h"

/* ---- The guest's memory ---- */

static void *find(struct hatch_virtio_proxy *p, const struct hatch_region *region, uint64_t gpa,
		  size_t *size, unsigned int prot)
{
	void *at = hatch_guest_pointer(p->guest, hatch_gpa_of(gpa), size, prot);

	if (at || region->host || !p->page || !p->page(p->page_arg, p->guest, hatch_gpa_of(gpa)))
		return at;
	return hatch_guest_pointer(p->guest, hatch_gpa_of(gpa), size, prot);
}

void *hatch_virtio_pointer(struct hatch_virtio_proxy *p, uint64_t gpa, size_t *size,
			   unsigned int prot)
{
	const struct hatch_region *region = hatch_guest_region(p->guest, hatch_gpa_of(gpa));
	uint64_t left;

	if (!region)
		return NULL;
	left = region->size - (gpa - region->base.addr);
	if (*size > left)
		*size = left;
	return find(p, region, gpa, size, prot);
}

void *hatch_virtio_area(struct hatch_virtio_proxy *p, struct virtio_area *area, size_t offset,
			size_t size)
{
	if (offset - area->at < area->have)
		return area->host + (offset - area->at);
	area->at = offset;
	area->have = area->size - offset;
	area->host = hatch_virtio_pointer(p, area->base + offset, &area->have,
					  HATCH_PROT_READ | HATCH_PROT_WRITE);
	if (!area->host || area->have < size)
		area->have = 0;
	return area->have ? area->host : NULL;
}

/* ---- The chain ---- */

/*
 * The chain as far as it is. `slot` is where its next piece would go, `pieces` how many it has;
 * `fresh`: the piece to come belongs to another descriptor than the one before.
 */
struct walk {
	struct hatch_virtio_proxy *p;
	struct hatch_virtio_queue *q;
	uint32_t *budget;
	const char *why;
	uint16_t slot, last, pieces;
	bool fresh, writing;
	uint64_t total, writable; /* bytes */
};

static enum virtio_taken wrong(struct walk *w, const char *why)
{
	w->why = why;
	return VIRTIO_WRONG;
}

/*
 * Work for one batch is bounded, and a guest that wants more waits for the device to interrupt.
 * When nothing is in flight it never would.
 */
static enum virtio_taken no_room(struct walk *w)
{
	if (w->q->in_flight)
		return VIRTIO_NO_ROOM;
	return wrong(w,
		     "a request of the guest is longer, or its memory more scattered, than a queue "
		     "of the virtio device can carry");
}

static bool spend(struct walk *w)
{
	if (!*w->budget)
		return false;
	--*w->budget;
	return true;
}

/* Memory that is contiguous for the device, too, is one piece, though its pages are many. */
static bool extend(struct walk *w, uint64_t hpa, uint32_t len)
{
	struct virtio_desc *last = &w->q->shadow[w->last];

	if (w->fresh || last->addr + last->len != hpa)
		return false;
	last->len += len;
	return true;
}

static enum virtio_taken put(struct walk *w, uint64_t hpa, uint32_t len)
{
	struct virtio_desc *to = &w->q->shadow[w->slot];

	if (extend(w, hpa, len))
		return VIRTIO_TAKEN;
	if (w->pieces == w->q->room)
		return no_room(w);
	if (w->pieces) {
		w->q->shadow[w->last].flags |= DESC_NEXT;
		w->q->shadow[w->last].next = w->slot;
	}
	*to = (struct virtio_desc){ hpa, len, w->writing ? DESC_WRITE : 0, 0 };
	w->last = w->slot;
	w->slot = w->q->slot[w->slot].link;
	w->pieces++;
	w->fresh = false;
	return VIRTIO_TAKEN;
}

/* Where the host's memory is scattered, one buffer of the guest is several of the device. */
static enum virtio_taken put_buffer(struct walk *w, uint64_t gpa, uint32_t len)
{
	unsigned int prot = w->writing ? HATCH_PROT_READ | HATCH_PROT_WRITE : HATCH_PROT_READ;
	const struct hatch_memory *memory = w->p->guest->stage.memory;
	enum virtio_taken taken = VIRTIO_TAKEN;

	w->fresh = true;
	while (len && taken == VIRTIO_TAKEN) {
		size_t size = len;
		void *at;

		if (!spend(w))
			return no_room(w);
		at = hatch_virtio_pointer(w->p, gpa, &size, prot);
		if (!at)
			return wrong(
				w, "a request of the guest names memory that it does not have, or "
				   "may not write to");
		taken = put(w, memory->physical(memory->arg, at).addr, (uint32_t)size);
		gpa += size;
		len -= (uint32_t)size;
	}
	return taken;
}

/* Bytes of no length are no buffer, and devices differ in what they make of them: left out. */
static enum virtio_taken add(struct walk *w, const struct virtio_desc *d)
{
	bool write = d->flags & DESC_WRITE;

	if (w->writing && !write)
		return wrong(w, "a request of the guest has readable memory behind writable");
	w->total += d->len;
	if (w->total > UINT32_MAX)
		return wrong(w, "a request of the guest is longer than 4 GiB");
	w->writing = write;
	if (write)
		w->writable += d->len;
	return put_buffer(w, d->addr, d->len);
}

/* ---- Indirect tables ---- */

/* Entries of a table, a few at a time: mostly they follow each other. */
struct copy {
	uint64_t first;
	unsigned int count;
	struct virtio_desc entry[8];
};

static bool copy_entries(struct hatch_virtio_proxy *p, struct copy *copy, uint64_t gpa)
{
	size_t size = copy->count * sizeof(copy->entry[0]), piece;

	for (size_t done = 0; done < size; done += piece) {
		piece = size - done;
		if (!hatch_virtio_pointer(p, gpa + done, &piece, HATCH_PROT_READ) ||
		    hatch_guest_read(p->guest, hatch_gpa_of(gpa + done),
				     (uint8_t *)copy->entry + done, piece))
			return false;
	}
	return true;
}

static const struct virtio_desc *entry_at(struct walk *w, struct copy *copy, uint64_t table,
					  uint64_t entries, uint64_t index)
{
	if (index - copy->first < copy->count)
		return &copy->entry[index - copy->first];
	copy->first = index;
	copy->count = entries - index < 8 ? (unsigned int)(entries - index) : 8;
	return copy_entries(w->p, copy, table + index * sizeof(struct virtio_desc)) ? copy->entry
										    : NULL;
}

static enum virtio_taken check_table(struct walk *w, const struct virtio_desc *d)
{
	if (!(w->p->accepted & F_INDIRECT_DESC))
		return wrong(
			w, "a request of the guest is an indirect table, a feature that it did not "
			   "accept");
	if (d->flags & DESC_NEXT)
		return wrong(w, "a request of the guest goes on behind an indirect table");
	if (!d->len || d->len % sizeof(*d))
		return wrong(w, "a request of the guest has an indirect table of a wrong size");
	return VIRTIO_TAKEN;
}

/* One more than the device's maximum could not be carried anyway: that bounds the walk. */
static enum virtio_taken add_table(struct walk *w, const struct virtio_desc *d)
{
	uint64_t table = d->addr, entries = d->len / sizeof(*d), index = 0;
	enum virtio_taken taken = check_table(w, d);
	struct copy copy = { .count = 0 };

	for (unsigned int i = 0; i <= w->q->entries && taken == VIRTIO_TAKEN; i++) {
		if (!spend(w))
			return no_room(w);
		d = entry_at(w, &copy, table, entries, index);
		if (!d)
			return wrong(w, "an indirect table of the guest is not in its memory");
		if (d->flags & DESC_INDIRECT)
			return wrong(w, "an indirect table of the guest leads to another");
		taken = add(w, d);
		if (!(d->flags & DESC_NEXT))
			return taken;
		index = d->next;
		if (index >= entries)
			return wrong(w, "an indirect table of the guest leads beyond its end");
	}
	return taken ? taken : wrong(w, "an indirect table of the guest has no end");
}

/* ---- The table of the queue ---- */

/* Two loads, so that nothing is seen twice. */
static bool read_desc(struct walk *w, uint16_t index, struct virtio_desc *d)
{
	const uint64_t *at = hatch_virtio_area(w->p, &w->q->table, index * sizeof(*d), sizeof(*d));
	uint64_t word[2];

	if (!at)
		return false;
	word[0] = __atomic_load_n(&at[0], __ATOMIC_RELAXED);
	word[1] = __atomic_load_n(&at[1], __ATOMIC_RELAXED);
	memcpy(d, word, sizeof(*d));
	return true;
}

static enum virtio_taken walk_chain(struct walk *w, uint16_t index)
{
	enum virtio_taken taken = VIRTIO_TAKEN;
	struct virtio_desc d;

	for (uint32_t i = 0; i < w->q->num && taken == VIRTIO_TAKEN; i++) {
		if (!spend(w))
			return no_room(w);
		if (index >= w->q->num)
			return wrong(w, "a request of the guest leads beyond the queue");
		if (!read_desc(w, index, &d))
			return wrong(w, "the guest took the memory of its queue away");
		if (d.flags & DESC_INDIRECT)
			return add_table(w, &d);
		taken = add(w, &d);
		if (!(d.flags & DESC_NEXT))
			return taken;
		index = d.next;
	}
	return taken ? taken : wrong(w, "a request of the guest has no end");
}

/* Takes the slots out of the free ones, and makes the chain available. */
static void commit(struct walk *w, uint16_t head)
{
	struct hatch_virtio_queue *q = w->q;
	uint16_t first = q->free;

	q->free = w->slot;
	q->room -= w->pieces;
	q->slot[first].count = w->pieces;
	q->slot[first].last = w->last;
	q->slot[first].head = head;
	q->slot[first].writable = (uint32_t)w->writable;
	q->slot[first].older = q->newest;
	q->slot[first].newer = NO_SLOT;
	if (q->in_flight++)
		q->slot[q->newest].newer = first;
	else
		q->oldest = first;
	q->newest = first;
	q->shadow_avail[2 + (q->submitted & (q->entries - 1))] = first;
	q->submitted++;
}

enum virtio_taken hatch_virtio_take_chain(struct hatch_virtio_proxy *p,
					  struct hatch_virtio_queue *q, uint16_t head,
					  uint32_t *budget, const char **why)
{
	struct walk w = { .p = p, .q = q, .budget = budget, .slot = q->free };
	enum virtio_taken taken = q->room ? walk_chain(&w, head) : no_room(&w);

	if (taken == VIRTIO_TAKEN && !w.pieces)
		taken = wrong(&w, "a request of the guest has no bytes");
	if (taken == VIRTIO_TAKEN)
		w.why = hatch_virtio_too_short(p, (uint32_t)(q - p->queue), w.total - w.writable,
					       w.writable);
	if (taken == VIRTIO_TAKEN && w.why)
		taken = VIRTIO_WRONG;
	if (taken == VIRTIO_TAKEN)
		commit(&w, head);
	*why = w.why;
	return taken;
}
