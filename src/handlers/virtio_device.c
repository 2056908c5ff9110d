/* SPDX-License-Identifier: MIT */
/* The real device, as its driver sees it: VIRTIO 1.2, 3.1.1 and 4.2.3.1. */
#include <string.h>

#include "virtio_internal.h"

enum { RESET_POLLS = 100000 };

/* The device may take its time, and may touch the guest's memory until it says 0 (2.1.1). */
bool hatch_virtio_reset_real(struct hatch_virtio_proxy *p)
{
	if (p->dead)
		return false;
	virtio_store(p, REG_STATUS, 0);
	for (unsigned int i = 0; i < RESET_POLLS; i++)
		if (virtio_load(p, REG_STATUS) == 0)
			return true;
	p->dead = true;
	return false;
}

static uint64_t read_features(const struct hatch_virtio_proxy *p)
{
	uint64_t features;

	virtio_store(p, REG_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)virtio_load(p, REG_DEVICE_FEATURES) << 32;
	virtio_store(p, REG_DEVICE_FEATURES_SEL, 0);
	return features | virtio_load(p, REG_DEVICE_FEATURES);
}

static int refuse(struct hatch_virtio_proxy *p, int error, const char *problem)
{
	p->problem = problem;
	return error;
}

static int check_type(struct hatch_virtio_proxy *p)
{
	p->device_id = virtio_load(p, REG_DEVICE_ID);
	if (p->device_id == 0)
		return refuse(p, HATCH_ENOENT,
			      "no virtio device is plugged in at these registers: add one to the "
			      "machine, or take the next registers");
	if (!hatch_virtio_type_is_known(p->device_id))
		return refuse(
			p, HATCH_ENOTSUP,
			"requests of this type of virtio device can hold addresses of memory, "
			"which would reach beyond the guest: use one of " HATCH_VIRTIO_TYPES);
	return HATCH_OK;
}

int hatch_virtio_identify(struct hatch_virtio_proxy *p)
{
	uint32_t version;
	int error;

	if (virtio_load(p, REG_MAGIC) != VIRTIO_MAGIC)
		return refuse(
			p, HATCH_ENOTSUP,
			"there is no virtio-mmio device at these registers: take their address "
			"from the machine's device tree");
	version = virtio_load(p, REG_VERSION);
	if (version != 2)
		return refuse(p, HATCH_ENOTSUP,
			      version == 1
				      ? "a virtio-mmio device of the legacy version 1 cannot be "
					"forwarded: start QEMU with -global "
					"virtio-mmio.force-legacy=false"
				      : "a virtio-mmio device of an unknown version cannot be "
					"forwarded: use one of version 2");
	error = check_type(p);
	if (error)
		return error;
	if (!hatch_virtio_reset_real(p))
		return refuse(p, HATCH_ENOTSUP,
			      "the virtio device does not obey a reset: restart the machine");
	p->offered = hatch_virtio_features(p->device_id, read_features(p));
	if (!(p->offered & F_VERSION_1))
		return refuse(
			p, HATCH_ENOTSUP,
			"the virtio device has no VIRTIO_F_VERSION_1: start QEMU with -global "
			"virtio-mmio.force-legacy=false and without disable-modern");
	return HATCH_OK;
}

bool hatch_virtio_negotiate(struct hatch_virtio_proxy *p)
{
	if (p->dead || p->accepted & ~p->offered || !(p->accepted & F_VERSION_1))
		return false;
	virtio_store(p, REG_STATUS, STATUS_ACKNOWLEDGE);
	virtio_store(p, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	virtio_store(p, REG_DRIVER_FEATURES_SEL, 1);
	virtio_store(p, REG_DRIVER_FEATURES, (uint32_t)(p->accepted >> 32));
	virtio_store(p, REG_DRIVER_FEATURES_SEL, 0);
	virtio_store(p, REG_DRIVER_FEATURES, (uint32_t)p->accepted);
	virtio_store(p, REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return virtio_load(p, REG_STATUS) & STATUS_FEATURES_OK;
}

/* ---- Queues ---- */

/* Whole pages, as the shadows: what asks for an alignment takes a multiple of it. */
#define WHOLE_PAGES(size) (((size) + HATCH_PAGE_SIZE - 1) & ~(HATCH_PAGE_SIZE - 1))
#define QUEUES_SIZE	  WHOLE_PAGES(HATCH_VIRTIO_QUEUES * sizeof(struct hatch_virtio_queue))

/* The table comes first, for it has the strictest alignment; slots are the host's alone. */
static size_t shadow_size(uint16_t entries)
{
	return WHOLE_PAGES((sizeof(struct virtio_desc) + sizeof(struct virtio_slot)) * entries +
			   ((VIRTIO_AVAIL_SIZE(entries) + 7) & ~(size_t)7) +
			   VIRTIO_USED_SIZE(entries));
}

static void place_shadow(struct hatch_virtio_queue *q, void *memory)
{
	uint8_t *rings;

	q->shadow = memory;
	q->slot = (struct virtio_slot *)(q->shadow + q->entries);
	rings = (uint8_t *)(q->slot + q->entries);
	q->shadow_avail = (uint16_t *)rings;
	q->shadow_used = (uint16_t *)(rings + ((VIRTIO_AVAIL_SIZE(q->entries) + 7) & ~(size_t)7));
}

void hatch_virtio_clear_queue(struct hatch_virtio_queue *q)
{
	memset(q->shadow, 0, q->size);
	for (uint16_t i = 0; i < q->entries; i++)
		q->slot[i].link = i + 1 < q->entries ? i + 1 : NO_SLOT;
	q->free = 0;
	q->room = q->entries;
	q->in_flight = q->submitted = q->seen = 0;
	q->oldest = q->newest = NO_SLOT;
	q->held = false;
}

static void store_address(const struct hatch_virtio_proxy *p, uint64_t reg, const void *at)
{
	uint64_t hpa = p->memory->physical(p->memory->arg, at).addr;

	virtio_store(p, reg, (uint32_t)hpa);
	virtio_store(p, reg + 4, (uint32_t)(hpa >> 32));
}

void hatch_virtio_start_queue(struct hatch_virtio_proxy *p, uint32_t index)
{
	struct hatch_virtio_queue *q = &p->queue[index];

	hatch_virtio_clear_queue(q);
	virtio_store(p, REG_QUEUE_SEL, index);
	virtio_store(p, REG_QUEUE_NUM, q->entries);
	store_address(p, REG_QUEUE_DESC, q->shadow);
	store_address(p, REG_QUEUE_DRIVER, q->shadow_avail);
	store_address(p, REG_QUEUE_DEVICE, q->shadow_used);
	virtio_store(p, REG_QUEUE_READY, 1);
}

/* A power of two, of which the guest's queues take at most as many. 0: no such queue. */
static uint16_t entries_of(const struct hatch_virtio_proxy *p, uint32_t index)
{
	uint32_t max, entries = hatch_virtio_ring(p->device_id);

	virtio_store(p, REG_QUEUE_SEL, index);
	max = virtio_load(p, REG_QUEUE_NUM_MAX);
	while (entries > max)
		entries /= 2;
	return (uint16_t)entries;
}

static int make_queue(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q, uint16_t entries)
{
	size_t size = shadow_size(entries);
	void *memory = p->memory->alloc(p->memory->arg, size, HATCH_PAGE_SIZE);

	if (!memory)
		return refuse(p, HATCH_ENOMEM,
			      "no memory is left for the queues of the virtio device");
	*q = (struct hatch_virtio_queue){ .entries = entries, .size = size };
	place_shadow(q, memory);
	hatch_virtio_clear_queue(q);
	return HATCH_OK;
}

int hatch_virtio_make_queues(struct hatch_virtio_proxy *p)
{
	int error = HATCH_OK;
	uint16_t entries;

	p->queue = p->memory->alloc(p->memory->arg, QUEUES_SIZE, HATCH_PAGE_SIZE);
	if (!p->queue)
		return refuse(p, HATCH_ENOMEM, "no memory is left for the virtio device");
	while (!error && p->queues < HATCH_VIRTIO_QUEUES && (entries = entries_of(p, p->queues))) {
		error = make_queue(p, &p->queue[p->queues], entries);
		p->queues += !error;
	}
	if (!error && p->queues == HATCH_VIRTIO_QUEUES && entries_of(p, p->queues))
		error = refuse(p, HATCH_ENOTSUP,
			       "the virtio device has more than 64 queues: give it fewer");
	return error;
}

void hatch_virtio_free_queues(struct hatch_virtio_proxy *p)
{
	const struct hatch_memory *memory = p->memory;

	for (uint32_t i = 0; i < p->queues && !p->dead; i++)
		memory->free(memory->arg, p->queue[i].shadow, p->queue[i].size);
	if (p->queue)
		memory->free(memory->arg, p->queue, QUEUES_SIZE);
	p->queue = NULL;
	p->queues = 0;
}
