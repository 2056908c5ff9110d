/* SPDX-License-Identifier: MIT */
/* The registers of the guest's device: VIRTIO 1.2, 4.2.2. */
#include "virtio_internal.h"

/* ---- Status ---- */

/* Features that cannot be: the bit does not stick, which is how the driver is told (3.1.1). */
static void agree(struct hatch_virtio_proxy *p)
{
	if (!p->beyond && hatch_virtio_negotiate(p))
		p->status |= STATUS_FEATURES_OK;
	else
		hatch_virtio_reset_real(p);
}

static void start(struct hatch_virtio_proxy *p)
{
	if (!(p->status & STATUS_FEATURES_OK) || p->status & STATUS_NEEDS_RESET)
		return;
	virtio_store(p, REG_STATUS,
		     STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	p->status |= STATUS_DRIVER_OK;
	for (uint32_t i = 0; i < p->queues && virtio_is_live(p); i++)
		if (p->queue[i].ready)
			hatch_virtio_take(p, i);
}

/* A driver only ever sets bits; the two that begin something do it once. */
static void write_status(struct hatch_virtio_proxy *p, uint32_t value)
{
	uint32_t set = value & ~p->status & STATUS_BY_DRIVER;

	if (!value) {
		p->count.resets++;
		hatch_virtio_reset(p);
		return;
	}
	p->status |= set & ~(uint32_t)(STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	if (set & STATUS_FEATURES_OK && !(p->status & STATUS_NEEDS_RESET))
		agree(p);
	if (set & STATUS_DRIVER_OK)
		start(p);
}

/* The real device may need a reset of itself; then it has interrupted, too. */
static uint32_t read_status(const struct hatch_virtio_proxy *p)
{
	if (!virtio_is_live(p))
		return p->status;
	return p->status | (virtio_load(p, REG_STATUS) & STATUS_NEEDS_RESET);
}

/* ---- Features ---- */

static uint32_t read_features(const struct hatch_virtio_proxy *p)
{
	return p->device_features_sel > 1 ? 0
					  : (uint32_t)(p->offered >> 32 * p->device_features_sel);
}

/* Bits beyond 63 are never offered, so that it is enough to know that one was accepted. */
static void write_features(struct hatch_virtio_proxy *p, uint32_t value)
{
	unsigned int shift = 32 * (p->driver_features_sel & 1);

	if (p->status & STATUS_FEATURES_OK)
		return;
	if (p->driver_features_sel > 1) {
		p->beyond |= value != 0;
		return;
	}
	p->accepted &= ~((uint64_t)UINT32_MAX << shift);
	p->accepted |= (uint64_t)value << shift;
}

/* ---- Queues ---- */

static struct hatch_virtio_queue *selected(const struct hatch_virtio_proxy *p)
{
	return p->queue_sel < p->queues ? &p->queue[p->queue_sel] : NULL;
}

/*
 * Before DRIVER_OK the guest may take a queue back and place it elsewhere. Afterwards the device
 * may have requests of it until it is reset: so long the queue stays out of use.
 */
static void unready_queue(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q)
{
	q->ready = false;
	q->held = false;
	q->stopped = p->status & STATUS_DRIVER_OK;
	if (q->stopped)
		return;
	virtio_store(p, REG_QUEUE_SEL, p->queue_sel);
	virtio_store(p, REG_QUEUE_READY, 0);
}

static void ready_queue(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q)
{
	if (!(p->status & STATUS_FEATURES_OK) || p->status & STATUS_NEEDS_RESET || q->stopped ||
	    !hatch_virtio_place_queue(p->guest, q))
		return;
	hatch_virtio_start_queue(p, p->queue_sel);
	q->next_avail = q->next_used = 0;
	q->ready = true;
}

static void write_ready(struct hatch_virtio_proxy *p, struct hatch_virtio_queue *q, bool ready)
{
	if (q->ready && !ready && !(p->status & STATUS_NEEDS_RESET))
		unready_queue(p, q);
	else if (!q->ready && ready)
		ready_queue(p, q);
	else if (!ready)
		q->ready = false;
}

static void write_half(uint64_t *to, uint64_t reg, uint32_t value)
{
	unsigned int shift = reg & 4 ? 32 : 0;

	*to = (*to & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

static void write_queue(struct hatch_virtio_proxy *p, uint64_t reg, uint32_t value)
{
	struct hatch_virtio_queue *q = selected(p);

	if (!q)
		return;
	if (reg == REG_QUEUE_READY)
		write_ready(p, q, value & 1);
	else if (q->ready)
		return; /* nothing of it may be changed now (4.2.2.2) */
	else if (reg == REG_QUEUE_NUM)
		q->num = value;
	else if ((reg & ~UINT64_C(4)) == REG_QUEUE_DESC)
		write_half(&q->table.base, reg, value);
	else if ((reg & ~UINT64_C(4)) == REG_QUEUE_DRIVER)
		write_half(&q->avail.base, reg, value);
	else
		write_half(&q->used.base, reg, value);
}

static void kick(struct hatch_virtio_proxy *p, uint32_t index)
{
	p->count.kicks++;
	if (index < p->queues && p->queue[index].ready && virtio_is_live(p))
		hatch_virtio_take(p, index);
}

/* ---- The register block ---- */

static uint32_t read_register(const struct hatch_virtio_proxy *p, uint64_t reg)
{
	const struct hatch_virtio_queue *q = selected(p);

	switch (reg) {
	case REG_INTERRUPT_STATUS:
		return p->interrupts;
	case REG_MAGIC:
		return VIRTIO_MAGIC;
	case REG_VERSION:
		return VIRTIO_MMIO_VERSION;
	case REG_DEVICE_ID:
		return p->device_id;
	case REG_DEVICE_FEATURES:
		return read_features(p);
	case REG_QUEUE_NUM_MAX:
		return q ? q->entries : 0;
	case REG_QUEUE_READY:
		return q && q->ready;
	case REG_STATUS:
		return read_status(p);
	case REG_VENDOR_ID:
	case REG_CONFIG_GENERATION:
		return virtio_load(p, reg);
	default: /* no shared memory: a length and a base of all ones (4.2.2) */
		return reg >= REG_SHM_LEN && reg <= REG_SHM_BASE_HIGH ? UINT32_MAX : 0;
	}
}

static void write_register(struct hatch_virtio_proxy *p, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case REG_QUEUE_NOTIFY:
		kick(p, value);
		break;
	case REG_INTERRUPT_ACK:
		hatch_virtio_acknowledge(p, value);
		break;
	case REG_DEVICE_FEATURES_SEL:
		p->device_features_sel = value;
		break;
	case REG_DRIVER_FEATURES_SEL:
		p->driver_features_sel = value;
		break;
	case REG_DRIVER_FEATURES:
		write_features(p, value);
		break;
	case REG_QUEUE_SEL:
		p->queue_sel = value;
		break;
	case REG_STATUS:
		write_status(p, value);
		break;
	case REG_QUEUE_NUM:
	case REG_QUEUE_READY:
	case REG_QUEUE_DESC:
	case REG_QUEUE_DESC_HIGH:
	case REG_QUEUE_DRIVER:
	case REG_QUEUE_DRIVER_HIGH:
	case REG_QUEUE_DEVICE:
	case REG_QUEUE_DEVICE_HIGH:
		write_queue(p, reg, value);
		break;
	default: /* read-only or reserved */
		break;
	}
}

/* The device's own configuration: with its width, but twice 4 bytes for 8 (4.2.2.2). */
static uint64_t access_config(struct hatch_virtio_proxy *p, const struct hatch_event *ev)
{
	unsigned int width = ev->mmio.width < 4 ? ev->mmio.width : 4;
	uint64_t value = 0;

	for (unsigned int done = 0; done < ev->mmio.width; done += width) {
		uint64_t at = ev->mmio.offset + done;

		if (ev->mmio.write)
			p->real.store(p->real.arg, at, width, ev->mmio.value >> 8 * done);
		else
			value |= p->real.load(p->real.arg, at, width) << 8 * done;
	}
	return value;
}

/* ---- The window ---- */

enum { CALM_INTERRUPTS = 32 };

/*
 * Once the driver is done with the beginning, nothing changes but InterruptStatus, until the guest
 * stores to another register, or the device says that its configuration has changed. So these shut
 * the window. To open it takes a look at every register, and a fence that each hart of the guest has
 * to answer: a guest that stores for the sake of it has to do without, until it was calm for long
 * enough to have paid for the next one.
 *
 * A configuration that changes while it is read has another generation behind than ahead, and its
 * interrupt is still to come. Like a driver that copies all of it, this reads words of 4 bytes,
 * whatever its fields are.
 */
void hatch_virtio_show(struct hatch_virtio_proxy *p)
{
	uint32_t generation;

	if (!hatch_window_is_shut(&p->window) || !virtio_is_live(p))
		return;
	if (p->calm < CALM_INTERRUPTS) {
		p->calm++;
		return;
	}
	generation = virtio_load(p, REG_CONFIG_GENERATION);
	for (uint64_t reg = 0; reg < REG_CONFIG; reg += 4)
		hatch_window_set(&p->window, reg, read_register(p, reg));
	for (uint64_t at = REG_CONFIG; at < HATCH_VIRTIO_SIZE; at += 4)
		hatch_window_set(&p->window, at, virtio_load(p, at));
	if (virtio_load(p, REG_CONFIG_GENERATION) == generation)
		hatch_window_open(&p->window);
}

/* What these two do to the registers is done to InterruptStatus, or breaks the device. */
static bool leaves_window(uint64_t reg)
{
	return reg == REG_QUEUE_NOTIFY || reg == REG_INTERRUPT_ACK;
}

static void write_access(struct hatch_virtio_proxy *p, const struct hatch_event *ev)
{
	if (!leaves_window(ev->mmio.offset)) {
		hatch_window_shut(&p->window);
		p->calm = 0;
	}
	if (ev->mmio.offset >= REG_CONFIG)
		access_config(p, ev);
	else
		write_register(p, ev->mmio.offset, (uint32_t)ev->mmio.value);
}

uint64_t hatch_virtio_access(struct hatch_virtio_proxy *p, const struct hatch_event *ev)
{
	if (ev->mmio.write) {
		write_access(p, ev);
		return 0;
	}
	return ev->mmio.offset >= REG_CONFIG ? access_config(p, ev)
					     : read_register(p, ev->mmio.offset);
}
