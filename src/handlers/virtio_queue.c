/* SPDX-License-Identifier: MIT */
/*
 * Requests on their way to the device and back: VIRTIO 1.2, 2.7.6 to 2.7.14.
 *
 * The device is to interrupt for whatever it uses, since the guest may change its mind about
 * interrupts without an exit. The guest is to notify exactly while everything was taken; while
 * something is held, the next interrupt of the device goes on with it.
 */
#include "virtio_internal.h"

/*
 * Descriptors and pieces of memory that are looked at in one batch at most: with a request of the
 * longest kind for each slot of a queue a guest would have a handler run for minutes.
 */
enum { BUDGET = 32768, BUDGET_OF_REPLAY = 32 * BUDGET };

static const char gone[] = "the guest took the memory of its queue away";
static const char rubbish[] = "the virtio device used a request that it did not have";

/* As 2.7.10.1: of the steps from `old` to `now`, one goes over `event`. */
static bool crosses(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

static bool has_events(const struct hatch_virtio_proxy *p)
{
	return p->accepted & F_EVENT_IDX;
}

/* ---- The guest's rings ---- */

static void begin_batch(struct hatch_virtio_queue *q)
{
	q->table.have = q->avail.have = q->used.have = 0;
}

/* A 16-bit field, or NULL, and the guest has lost the device. */
static uint16_t *field(struct hatch_virtio_proxy *p, struct virtio_area *area, size_t offset)
{
	uint16_t *at = hatch_virtio_area(p, area, offset, sizeof(*at));

	if (!at)
		hatch_virtio_break(p, gone);
	return at;
}

static bool read_field(struct hatch_virtio_proxy *p, struct virtio_area *area, size_t offset,
		       uint16_t *value)
{
	const uint16_t *at = field(p, area, offset);

	if (at)
		*value = __atomic_load_n(at, __ATOMIC_RELAXED);
	return at != NULL;
}

static bool write_field(struct hatch_virtio_proxy *p, struct virtio_area *area, size_t offset,
			uint16_t value)
{
	uint16_t *at = field(p, area, offset);

	if (at)
		__atomic_store_n(at, value, __ATOMIC_RELEASE);
	return at != NULL;
}

static bool is_inside(const struct hatch_guest *guest, const struct virtio_area *area,
		      unsigned int align)
{
	const struct hatch_region *region = hatch_guest_region(guest, hatch_gpa_of(area->base));

	return !(area->base & (align - 1)) && region &&
	       area->size <= region->size - (area->base - region->base.addr);
}

bool hatch_virtio_place_queue(const struct hatch_guest *guest, struct hatch_virtio_queue *q)
{
	uint32_t num = q->num;

	if (!num || num > q->entries || num & (num - 1))
		return false;
	q->table.size = num * sizeof(struct virtio_desc);
	q->avail.size = VIRTIO_AVAIL_SIZE(num);
	q->used.size = VIRTIO_USED_SIZE(num);
	begin_batch(q);
	return is_inside(guest, &q->table, 16) && is_inside(guest, &q->avail, 2) &&
	       is_inside(guest, &q->used, 4);
}

/* ---- To the device ---- */

static bool device_wants(const struct hatch_virtio_proxy *p, const struct hatch_virtio_queue *q,
			 uint16_t old)
{
	if (!has_events(p))
		return !(__atomic_load_n(&q->shadow_used[0], __ATOMIC_RELAXED) & NO_NOTIFY);
	return crosses(__atomic_load_n(&q->shadow_used[2 + 4 * q->entries], __ATOMIC_RELAXED),
		       q->submitted, old);
}

static void notify_device(struct hatch_virtio_proxy *p, uint32_t index, uint16_t old)
{
	struct hatch_virtio_queue *q = &p->queue[index];

	if (q->submitted == old)
		return;
	__atomic_store_n(&q->shadow_avail[1], q->submitted, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	p->count.chains += (uint16_t)(q->submitted - old);
	if (!device_wants(p, q, old))
		return;
	p->count.notified++;
	virtio_store(p, REG_QUEUE_NOTIFY, index);
}

/* Whether the guest is to notify for what it makes available from now on. */
static bool want_kicks(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q, bool wanted)
{
	bool there = true;

	if (!has_events(p))
		there = write_field(p, &q->used, 0, wanted ? 0 : NO_NOTIFY);
	else if (wanted)
		there = write_field(p, &q->used, 4 + 8 * (size_t)q->num, q->next_avail);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return there;
}

/* Takes up to the index that the guest published. Returns whether there may be more. */
static bool take_published(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q,
			   uint32_t *budget)
{
	enum virtio_taken taken = VIRTIO_TAKEN;
	const char *why = "the guest made more requests available than its queue has";
	uint16_t index, head;

	if (!read_field(p, &q->avail, 2, &index) || index == q->next_avail)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((uint16_t)(index - q->next_avail) > q->num)
		taken = VIRTIO_WRONG;
	while (taken == VIRTIO_TAKEN && q->next_avail != index) {
		if (!read_field(p, &q->avail, 4 + 2 * (q->next_avail & (q->num - 1)), &head))
			return false;
		taken = hatch_virtio_take_chain(p, q, head, budget, &why);
		q->next_avail += taken == VIRTIO_TAKEN;
	}
	if (taken == VIRTIO_WRONG)
		hatch_virtio_break(p, why);
	q->held = taken == VIRTIO_NO_ROOM;
	p->count.held += q->held;
	return taken == VIRTIO_TAKEN;
}

/* Each turn but the last takes a chain, and a chain takes a slot: that bounds the loop. */
void hatch_virtio_take(struct hatch_virtio_proxy *p, uint32_t index)
{
	struct hatch_virtio_queue *q = &p->queue[index];
	uint16_t old = q->submitted;
	uint32_t budget = BUDGET;

	begin_batch(q);
	q->held = false;
	if (!want_kicks(p, q, false))
		return;
	do {
		while (take_published(p, q, &budget))
			;
		if (!virtio_is_live(p))
			return;
	} while (!q->held && want_kicks(p, q, true) && take_published(p, q, &budget));
	if (virtio_is_live(p))
		notify_device(p, index, old);
}

void hatch_virtio_replay(struct hatch_virtio_proxy *p, uint32_t index, const uint16_t *heads,
			 uint16_t count)
{
	struct hatch_virtio_queue *q = &p->queue[index];
	uint32_t budget = BUDGET_OF_REPLAY;
	uint16_t old = q->submitted;
	const char *why;

	begin_batch(q);
	for (uint16_t i = 0; i < count; i++) {
		if (hatch_virtio_take_chain(p, q, heads[i], &budget, &why) == VIRTIO_TAKEN)
			continue;
		hatch_virtio_break(
			p, "requests that were in flight when the guest was saved cannot be "
			   "carried any more");
		return;
	}
	notify_device(p, index, old);
}

/* ---- Back to the guest ---- */

/* Gives the slots of a chain back. */
static void release(struct hatch_virtio_queue *q, uint16_t first)
{
	struct virtio_slot *slot = &q->slot[first];

	if (slot->older == NO_SLOT)
		q->oldest = slot->newer;
	else
		q->slot[slot->older].newer = slot->newer;
	if (slot->newer == NO_SLOT)
		q->newest = slot->older;
	else
		q->slot[slot->newer].older = slot->older;
	q->slot[slot->last].link = q->free;
	q->free = first;
	q->room += slot->count;
	q->in_flight--;
	slot->count = 0;
}

/* An element need not be aligned to its 8 bytes, and its halves may be on two pages. */
static bool write_used(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q, uint32_t id,
		       uint32_t len)
{
	size_t offset = 4 + 8 * (size_t)(q->next_used & (q->num - 1));
	uint32_t *at = hatch_virtio_area(p, &q->used, offset, sizeof(*at));

	if (at)
		__atomic_store_n(at, id, __ATOMIC_RELAXED);
	if (at)
		at = hatch_virtio_area(p, &q->used, offset + 4, sizeof(*at));
	if (at)
		__atomic_store_n(at, len, __ATOMIC_RELAXED);
	else
		hatch_virtio_break(p, gone);
	q->next_used++;
	return at != NULL;
}

/* What a queue that the guest took back still gets used is told to nobody. */
static bool give_one(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q)
{
	const uint32_t *element = (const uint32_t *)&q->shadow_used[2] +
				  2 * (q->seen & (q->entries - 1));
	uint32_t id = __atomic_load_n(&element[0], __ATOMIC_RELAXED);
	uint32_t len = __atomic_load_n(&element[1], __ATOMIC_RELAXED);
	struct virtio_slot *slot = &q->slot[id & (q->entries - 1)];

	if (id >= q->entries || !slot->count) {
		hatch_virtio_break(p, rubbish);
		return false;
	}
	q->seen++;
	release(q, (uint16_t)id);
	return q->stopped ||
	       write_used(p, q, slot->head, len < slot->writable ? len : slot->writable);
}

/*
 * Gives what the device has used up to now. Each turn takes a request out of those in flight, or
 * ends, which bounds the loops. With events the device interrupts for the first one behind `seen`,
 * which it must be told before it is asked again.
 */
static bool give_used(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q)
{
	uint16_t index = __atomic_load_n(&q->shadow_used[1], __ATOMIC_ACQUIRE);

	while (index != q->seen) {
		while (q->seen != index)
			if (!give_one(p, q))
				return false;
		if (!has_events(p))
			return true;
		__atomic_store_n(&q->shadow_avail[2 + q->entries], q->seen, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		index = __atomic_load_n(&q->shadow_used[1], __ATOMIC_ACQUIRE);
	}
	return true;
}

/* Publishes what was given since `old`, and interrupts the guest if it wants to know. */
static void publish(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q, uint16_t old)
{
	uint16_t value = 0;

	if (q->next_used == old || !write_field(p, &q->used, 2, q->next_used))
		return;
	p->count.used += (uint16_t)(q->next_used - old);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!read_field(p, &q->avail, has_events(p) ? 4 + 2 * (size_t)q->num : 0, &value))
		return;
	if (has_events(p) ? !crosses(value, q->next_used, old) : value & NO_INTERRUPT)
		return;
	p->count.raised++;
	hatch_virtio_raise(p, INTERRUPT_USED);
}

static void give(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q)
{
	uint16_t old = q->next_used;

	if (__atomic_load_n(&q->shadow_used[1], __ATOMIC_RELAXED) == q->seen)
		return;
	begin_batch(q);
	if (give_used(p, q))
		publish(p, q, old);
}

void hatch_virtio_give_all(struct hatch_virtio_proxy *p)
{
	for (uint32_t i = 0; i < p->queues && virtio_is_live(p); i++) {
		struct hatch_virtio_queue *q = &p->queue[i];

		if (q->in_flight)
			give(p, q);
		if (q->held && virtio_is_live(p))
			hatch_virtio_take(p, i);
	}
}

uint32_t hatch_virtio_drain(struct hatch_virtio_proxy *p)
{
	uint32_t in_flight = 0;

	for (uint32_t i = 0; i < p->queues && virtio_is_live(p); i++) {
		give(p, &p->queue[i]);
		in_flight += p->queue[i].in_flight;
	}
	return in_flight;
}
