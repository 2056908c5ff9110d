/* SPDX-License-Identifier: MIT */
/*
 * A forwarded virtio device as bytes.
 *
 * The real device cannot be saved: what it knows it does not tell. But most know nothing that
 * outlives a request. Such a device is reset and set up once more, and the requests that were in
 * flight are given to it again; the guest has seen none of them used, so to it they are late. This
 * is done at saving, too: whoever saves may share, replace or give back pages that the device was
 * about to write to, and from then on it has the pages of now.
 */
#include <string.h>

#include "virtio_internal.h"

enum { DRAIN_POLLS = 10000 };

struct virtio_image {
	uint32_t device_id, queues;
	uint32_t status, interrupts;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t beyond; /* 0 or 1 */
	uint64_t accepted;
};

/* Behind it the heads of the chains in flight, oldest first, with room for all `entries`. */
struct queue_image {
	uint64_t table, avail, used;
	uint32_t num;
	uint16_t next_avail, next_used;
	uint16_t entries, in_flight;
	uint8_t ready, stopped; /* each 0 or 1, and not both */
	uint8_t reserved[2];	/* 0 */
	uint16_t head[];
};

/* A multiple of 8. */
static size_t image_size(uint16_t entries)
{
	return sizeof(struct queue_image) + ((2 * (size_t)entries + 7) & ~(size_t)7);
}

/* ---- Saving ---- */

static void save_heads(struct queue_image *image, const struct hatch_virtio_queue *q)
{
	uint16_t slot = q->oldest;

	for (uint16_t i = 0; i < q->in_flight; i++, slot = q->slot[slot].newer)
		image->head[i] = q->slot[slot].head;
	image->in_flight = q->in_flight;
}

/* What is in flight in a queue that was taken back is nobody's any more. */
static void save_queue(struct queue_image *image, const struct hatch_virtio_queue *q)
{
	memset(image, 0, image_size(q->entries));
	image->table = q->table.base;
	image->avail = q->avail.base;
	image->used = q->used.base;
	image->num = q->num;
	image->next_avail = q->next_avail;
	image->next_used = q->next_used;
	image->entries = q->entries;
	image->ready = q->ready;
	image->stopped = q->stopped;
	if (q->ready)
		save_heads(image, q);
}

static void save_all(const struct hatch_virtio_proxy *p, void *to)
{
	uint8_t *at = (uint8_t *)to + sizeof(struct virtio_image);

	*(struct virtio_image *)to = (struct virtio_image){
		.device_id = p->device_id,
		.queues = p->queues,
		.status = p->status,
		.interrupts = p->interrupts,
		.device_features_sel = p->device_features_sel,
		.driver_features_sel = p->driver_features_sel,
		.queue_sel = p->queue_sel,
		.beyond = p->beyond,
		.accepted = p->accepted,
	};
	for (uint32_t i = 0; i < p->queues; i++) {
		save_queue((struct queue_image *)at, &p->queue[i]);
		at += image_size(p->queue[i].entries);
	}
}

/* ---- The real device once more ---- */

static void replay(struct hatch_virtio_proxy *p, const void *from)
{
	const uint8_t *at = (const uint8_t *)from + sizeof(struct virtio_image);

	for (uint32_t i = 0; i < p->queues && virtio_is_live(p); i++) {
		const struct queue_image *image = (const struct queue_image *)at;

		if (p->queue[i].ready)
			hatch_virtio_replay(p, i, image->head, image->in_flight);
		if (p->queue[i].ready && virtio_is_live(p))
			hatch_virtio_take(p, i);
		at += image_size(image->entries);
	}
}

/* Brings the real device, which was reset, to where the guest's is. */
static void bring_up(struct hatch_virtio_proxy *p, const void *from)
{
	if (!(p->status & STATUS_FEATURES_OK) || p->status & STATUS_NEEDS_RESET)
		return;
	if (!hatch_virtio_negotiate(p)) {
		hatch_virtio_break(p, "the virtio device takes its features no more");
		return;
	}
	for (uint32_t i = 0; i < p->queues; i++)
		if (p->queue[i].ready)
			hatch_virtio_start_queue(p, i);
		else
			hatch_virtio_clear_queue(&p->queue[i]);
	if (!virtio_is_live(p))
		return;
	virtio_store(p, REG_STATUS,
		     STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	replay(p, from);
}

/*
 * A device that cannot be set up once more is waited for, for a while. In a transaction it must
 * not be left with pages that may be taken from the guest at its end.
 */
static void wait_for(struct hatch_virtio_proxy *p)
{
	for (unsigned int i = 0; i < DRAIN_POLLS && hatch_virtio_drain(p); i++)
		virtio_load(p, REG_INTERRUPT_STATUS);
	if (hatch_virtio_drain(p) && p->guest->transaction)
		hatch_virtio_break(p,
				   "a transaction began with requests in flight at a virtio device "
				   "that cannot be given them again");
}

/* Returns whether the real device was reset, with requests in flight that it is to get again. */
static bool quiesce(struct hatch_virtio_proxy *p)
{
	if (!virtio_is_live(p) || !hatch_virtio_drain(p))
		return false;
	if (!hatch_virtio_type_is_stateless(p->device_id, p->accepted)) {
		wait_for(p);
		return false;
	}
	if (virtio_load(p, REG_INTERRUPT_STATUS) & INTERRUPT_CONFIG)
		hatch_virtio_raise(p, INTERRUPT_CONFIG); /* the reset would lose it */
	if (!hatch_virtio_reset_real(p)) {
		hatch_virtio_break(p, "the virtio device does not obey a reset");
		return false;
	}
	hatch_virtio_drain(p);
	return virtio_is_live(p);
}

static void save(void *arg, void *to)
{
	struct hatch_virtio_proxy *p = arg;
	bool again;

	hatch_lock_acquire(&p->lock);
	hatch_window_shut(&p->window);
	again = quiesce(p);
	save_all(p, to);
	if (again)
		bring_up(p, to);
	hatch_lock_release(&p->lock);
}

/* ---- Putting back ---- */

static bool is_queue(const struct hatch_guest *guest, const struct virtio_image *device,
		     const struct queue_image *image)
{
	struct hatch_virtio_queue q = { .num = image->num, .entries = image->entries };
	bool live = (device->status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK;

	q.table.base = image->table;
	q.avail.base = image->avail;
	q.used.base = image->used;
	if (image->ready > 1 || image->stopped > 1 || (image->ready && image->stopped) ||
	    image->reserved[0] || image->reserved[1] || image->in_flight > image->entries)
		return false;
	if (image->ready &&
	    (!(device->status & STATUS_FEATURES_OK) || !hatch_virtio_place_queue(guest, &q)))
		return false;
	for (uint16_t i = 0; i < image->in_flight; i++)
		if (image->head[i] >= image->num)
			return false;
	return !image->in_flight || (image->ready && live);
}

static bool is_device(const struct virtio_image *image)
{
	if (image->status & ~(uint32_t)(STATUS_BY_DRIVER | STATUS_NEEDS_RESET) ||
	    image->interrupts & ~(uint32_t)INTERRUPT_ALL || image->beyond > 1)
		return false;
	if (image->status & STATUS_FEATURES_OK)
		return image->accepted & F_VERSION_1 && !image->beyond;
	return !(image->status & STATUS_DRIVER_OK);
}

/* The sizes first: everything else is found by them. */
static int check(const struct hatch_virtio_proxy *p, const struct hatch_guest *guest,
		 const void *from)
{
	const uint8_t *at = (const uint8_t *)from + sizeof(struct virtio_image);
	const struct virtio_image *device = from;

	if (device->device_id != p->device_id || device->queues != p->queues)
		return HATCH_ENOTSUP;
	if (!is_device(device))
		return HATCH_EFORMAT;
	for (uint32_t i = 0; i < p->queues; i++) {
		const struct queue_image *image = (const struct queue_image *)at;

		if (image->entries != p->queue[i].entries)
			return HATCH_ENOTSUP;
		if (!is_queue(guest, device, image))
			return HATCH_EFORMAT;
		at += image_size(image->entries);
	}
	if (p->dead || (device->status & STATUS_FEATURES_OK && device->accepted & ~p->offered))
		return HATCH_ENOTSUP;
	return HATCH_OK;
}

static void put_queue(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q,
		      const struct queue_image *image)
{
	q->table.base = image->table;
	q->avail.base = image->avail;
	q->used.base = image->used;
	q->num = image->num;
	q->next_avail = image->next_avail;
	q->next_used = image->next_used;
	q->ready = image->ready;
	q->stopped = image->stopped;
	if (q->ready)
		hatch_virtio_place_queue(p->guest, q);
	hatch_virtio_clear_queue(q);
}

static void put_all(struct hatch_virtio_proxy *p, const void *from)
{
	const uint8_t *at = (const uint8_t *)from + sizeof(struct virtio_image);
	const struct virtio_image *image = from;

	p->status = image->status;
	p->interrupts = image->interrupts;
	p->device_features_sel = image->device_features_sel;
	p->driver_features_sel = image->driver_features_sel;
	p->queue_sel = image->queue_sel;
	p->beyond = image->beyond;
	p->accepted = image->accepted;
	for (uint32_t i = 0; i < p->queues; i++) {
		put_queue(p, &p->queue[i], (const struct queue_image *)at);
		at += image_size(p->queue[i].entries);
	}
}

/* A device that knows more than its queues, and was in use, is not the one that the guest knew. */
static void put_back(struct hatch_virtio_proxy *p, struct hatch_guest *guest, const void *from)
{
	hatch_window_move(&p->window, guest);
	p->calm = 0;
	hatch_virtio_reset_real(p);
	p->guest = guest;
	put_all(p, from);
	if (virtio_is_live(p) && !hatch_virtio_type_is_stateless(p->device_id, p->accepted))
		hatch_virtio_break(
			p, "the guest was put back, and this type of virtio device cannot be");
	else
		bring_up(p, from);
	hatch_virtio_raise(p, 0);
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct hatch_virtio_proxy *p = arg;
	int error;

	hatch_lock_acquire(&p->lock);
	error = check(p, vcpu->guest, from);
	if (!error)
		put_back(p, vcpu->guest, from);
	hatch_lock_release(&p->lock);
	return error;
}

/* The requests in flight are in the saved state; they are given to the device once more. */
static void stop(void *arg)
{
	struct hatch_virtio_proxy *p = arg;

	hatch_lock_acquire(&p->lock);
	hatch_virtio_reset_real(p);
	hatch_lock_release(&p->lock);
}

void hatch_virtio_state_init(struct hatch_virtio_proxy *p)
{
	size_t size = sizeof(struct virtio_image);

	for (uint32_t i = 0; i < p->queues; i++)
		size += image_size(p->queue[i].entries);
	p->state = (struct hatch_state){
		.name = p->name,
		.version = 1,
		.size = size,
		.save = save,
		.restore = restore,
		.stop = stop,
		.arg = p,
	};
}
