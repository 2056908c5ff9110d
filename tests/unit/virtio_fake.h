/* SPDX-License-Identifier: MIT */
/*
 * For tests of the virtio proxy: a real device that the proxy forwards, with a look at rings of
 * its own (VIRTIO 1.2, 2.7 and 4.2.2), and a driver in the guest. The device believes nothing: each
 * address that it is given must be the guest's RAM, each chain as the specification wants it.
 */
#ifndef VIRTIO_FAKE_H
#define VIRTIO_FAKE_H

#include <stdlib.h>

#include "device_bus.h"
#include "gstage_arena.h"

#include <hatch/guest.h>
#include <hatch/handlers/virtio_proxy.h>
#include <hatch/vcpu.h>

#define RAM 0x80000000ULL

enum {
	PAGE = 4096,
	RAM_PAGES = 64,
	FAKE_QUEUES = 3,
	FAKE_PIECES = 1100,
	FAKE_RANGES = 24,
	FAKE_CONFIG = 256,
};

enum {
	MAGIC = 0x00,
	VERSION = 0x04,
	DEVICE_ID = 0x08,
	VENDOR = 0x0c,
	FEATURES = 0x10,
	FEATURES_SEL = 0x14,
	DRIVER_FEATURES = 0x20,
	DRIVER_FEATURES_SEL = 0x24,
	SEL = 0x30,
	NUM_MAX = 0x34,
	NUM = 0x38,
	READY = 0x44,
	NOTIFY = 0x50,
	ISR = 0x60,
	ACK = 0x64,
	STATUS = 0x70,
	DESC = 0x80,
	DRIVER = 0x90,
	DEVICE = 0xa0,
	SHM_SEL = 0xac,
	SHM_LEN = 0xb0,
	QUEUE_RESET = 0xc0,
	GENERATION = 0xfc,
	CONFIG = 0x100,
};

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

#define FEATURE(n) (UINT64_C(1) << (n))
#define V1	   FEATURE(32)
#define EVENTS	   FEATURE(29)
#define TABLES	   FEATURE(28)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* ---- The real device ---- */

struct piece {
	uint8_t *at;
	uint32_t len;
	bool write;
};

/* A request that the device has fetched. */
struct request {
	uint16_t head, pieces;
	uint32_t readable, writable;
	struct piece *piece;
};

struct fake_queue {
	uint32_t max, num, ready;
	uint64_t addr[3]; /* host-physical: table, available, used */
	uint16_t fetched, used;
	struct request *request;
	unsigned int requests; /* fetched, not yet used; the array has room for `max` */
	unsigned int notified;
};

struct fake_range {
	uint8_t *at;
	size_t size;
	bool writable;
};

static struct fake {
	uint32_t magic, version, device_id, sel, features_sel, driver_sel, status, isr, generation;
	uint64_t features, driver;
	unsigned int queues;
	struct fake_queue queue[FAKE_QUEUES + 70];
	uint8_t config[FAKE_CONFIG];
	struct fake_range range[FAKE_RANGES]; /* what the guest has; none: look it up */
	unsigned int ranges;
	unsigned int resets, busy_resets; /* how many loads say "not yet" after a reset */
	unsigned int busy;
	unsigned int irqs;
	bool refuses, no_kicks;
	unsigned int widths[9]; /* config accesses of a width */
	void (*hook)(void);	/* at every access: another hart does something meanwhile */
} fake;

static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_virtio_proxy proxy;

static inline bool is_in_range(const uint8_t *at, uint32_t len, bool write)
{
	for (unsigned int i = 0; i < fake.ranges; i++) {
		size_t offset = (size_t)(at - fake.range[i].at);

		if (offset < fake.range[i].size && len <= fake.range[i].size - offset)
			return fake.range[i].writable || !write;
	}
	return false;
}

/* Page by page, whether some page of the proxy's guest is there, with that right. */
static inline bool is_page_of_guest(const uint8_t *page, bool write)
{
	const struct hatch_guest *g = proxy.guest;
	struct hatch_mapping m;

	for (unsigned int i = 0; i < g->regions; i++)
		for (uint64_t at = 0; at < g->region[i].size; at += PAGE) {
			uint64_t gpa = g->region[i].base.addr + at;

			if (!hatch_gstage_lookup(&g->stage, hatch_gpa_of(gpa), &m) &&
			    m.hpa.addr + (gpa - m.gpa.addr) == arena_physical(NULL, page).addr)
				return !write || (m.prot & HATCH_PROT_WRITE && !m.cow);
		}
	return false;
}

static inline void expect_of_guest(uint8_t *at, uint32_t len, bool write)
{
	uint64_t first = (uintptr_t)at / PAGE, last = ((uintptr_t)at + len - 1) / PAGE;

	assert_int_not_equal(len, 0);
	if (fake.ranges) {
		assert_true(is_in_range(at, len, write));
		return;
	}
	for (; first <= last; first++)
		assert_true(is_page_of_guest((uint8_t *)(first * PAGE), write));
}

static inline void *fake_ring(const struct fake_queue *q, unsigned int part)
{
	return arena_pointer(NULL, hatch_hpa_of(q->addr[part]));
}

static inline uint16_t *fake_avail(const struct fake_queue *q)
{
	return fake_ring(q, 1);
}

static inline uint16_t *fake_used(const struct fake_queue *q)
{
	return fake_ring(q, 2);
}

static inline void forget_request(struct request *r)
{
	free(r->piece);
	r->piece = NULL;
}

static inline void fake_reset(void)
{
	for (unsigned int i = 0; i < fake.queues; i++) {
		struct fake_queue *q = &fake.queue[i];

		while (q->requests)
			forget_request(&q->request[--q->requests]);
		free(q->request);
		*q = (struct fake_queue){ .max = q->max };
		q->request = calloc(q->max, sizeof(*q->request));
	}
	fake.status = fake.isr = fake.sel = 0;
	fake.driver = 0;
	fake.busy = fake.busy_resets;
	fake.resets++;
}

/* Reads one chain and judges it. */
static inline void fetch_one(struct fake_queue *q)
{
	const struct desc *table = fake_ring(q, 0);
	struct request *r = &q->request[q->requests++];
	uint16_t index = fake_avail(q)[2 + q->fetched % q->num];
	bool write = false;

	assert_true(q->requests <= q->num);
	*r = (struct request){ .head = index };
	r->piece = calloc(q->num, sizeof(*r->piece));
	for (;;) {
		const struct desc *d = &table[index];

		assert_true(index < q->num && r->pieces < q->num);
		assert_int_equal(d->flags & ~(NEXT | WRITE), 0);
		assert_false(write && !(d->flags & WRITE));
		write = d->flags & WRITE;
		r->piece[r->pieces++] = (struct piece){
			arena_pointer(NULL, hatch_hpa_of(d->addr)),
			d->len,
			write,
		};
		expect_of_guest(r->piece[r->pieces - 1].at, d->len, write);
		*(write ? &r->writable : &r->readable) += d->len;
		if (!(d->flags & NEXT))
			break;
		index = d->next;
	}
	for (unsigned int i = 0; i + 1 < q->requests; i++)
		assert_int_not_equal(q->request[i].head, r->head);
	q->fetched++;
}

/* Takes all that is available; then asks for a notification, or not. */
static inline void fake_fetch(unsigned int index)
{
	struct fake_queue *q = &fake.queue[index];

	if (!q->ready || !(fake.status & 4))
		return;
	while (fake_avail(q)[1] != q->fetched)
		fetch_one(q);
	fake_used(q)[0] = fake.no_kicks;
	fake_used(q)[2 + 4 * q->num] = q->fetched - (fake.no_kicks ? 1 : 0);
}

static inline void fake_interrupt(uint32_t bits)
{
	fake.isr |= bits;
	fake.irqs++;
}

/* Uses the n-th of the requests that it has; what it may write to is filled with `fill`. */
static inline void fake_use(unsigned int index, unsigned int n, uint32_t len, uint8_t fill)
{
	struct fake_queue *q = &fake.queue[index];
	struct request *r = &q->request[n];
	uint32_t *element = (uint32_t *)&fake_used(q)[2] + 2 * (q->used % q->num);
	uint16_t event = fake_avail(q)[2 + q->num];

	assert_true(n < q->requests);
	for (unsigned int i = 0; i < r->pieces; i++)
		if (r->piece[i].write)
			memset(r->piece[i].at, fill, r->piece[i].len);
	element[0] = r->head;
	element[1] = len;
	forget_request(r);
	*r = q->request[--q->requests];
	fake_used(q)[1] = ++q->used;
	if (fake.driver & EVENTS ? event == (uint16_t)(q->used - 1) : !(fake_avail(q)[0] & 1))
		fake_interrupt(1);
}

static inline uint64_t fake_load(void *arg, uint64_t offset, unsigned int width)
{
	struct fake_queue *q = &fake.queue[fake.sel];
	uint64_t value = 0;

	assert_ptr_equal(arg, &fake);
	assert_int_equal(offset % width, 0);
	assert_true(offset + width <= HATCH_VIRTIO_SIZE);
	if (fake.hook)
		fake.hook();
	if (offset >= CONFIG) {
		assert_true(width <= 4);
		fake.widths[width]++;
		memcpy(&value, fake.config + (offset - CONFIG), width);
		return value;
	}
	assert_int_equal(width, 4);
	switch (offset) {
	case MAGIC:
		return fake.magic;
	case VERSION:
		return fake.version;
	case DEVICE_ID:
		return fake.device_id;
	case VENDOR:
		return 0x4b434148;
	case FEATURES:
		return fake.features_sel > 1 ? 0
					     : (uint32_t)(fake.features >> 32 * fake.features_sel);
	case NUM_MAX:
		return fake.sel < fake.queues ? q->max : 0;
	case ISR:
		return fake.isr;
	case STATUS:
		return fake.busy && fake.busy-- ? 0xff : fake.status;
	case GENERATION:
		return fake.generation;
	default:
		fail_msg("the proxy loads from %llx", (unsigned long long)offset);
		return 0;
	}
}

static inline void fake_store_status(uint32_t value)
{
	if (!value) {
		fake_reset();
		return;
	}
	assert_int_equal(fake.status & ~value & 0x3f, 0); /* nothing is cleared */
	if (value & 8 && fake.refuses)
		value &= ~8u;
	assert_false(value & 4 && !(value & 8));
	fake.status = value;
}

static inline void fake_store_queue(uint64_t offset, uint32_t value)
{
	struct fake_queue *q = &fake.queue[fake.sel];
	uint64_t *addr;

	assert_true(fake.sel < fake.queues);
	assert_true(fake.status & 8);
	if (offset == NUM) {
		assert_true(!q->ready && value && value <= q->max && !(value & (value - 1)));
		q->num = value;
	} else if (offset == READY) {
		assert_true(!value || !q->ready);
		q->ready = value;
	} else {
		assert_true(!q->ready && offset >= DESC && offset < DEVICE + 8);
		addr = &q->addr[(offset - DESC) / 16];
		*addr = offset & 4 ? (*addr & UINT32_MAX) | (uint64_t)value << 32
				   : (*addr >> 32 << 32) | value;
	}
}

static inline void fake_store(void *arg, uint64_t offset, unsigned int width, uint64_t value)
{
	assert_ptr_equal(arg, &fake);
	assert_int_equal(offset % width, 0);
	assert_true(offset + width <= HATCH_VIRTIO_SIZE);
	if (fake.hook)
		fake.hook();
	if (offset >= CONFIG) {
		assert_true(width <= 4);
		fake.widths[width]++;
		memcpy(fake.config + (offset - CONFIG), &value, width);
		return;
	}
	assert_int_equal(width, 4);
	switch (offset) {
	case FEATURES_SEL:
		fake.features_sel = (uint32_t)value;
		break;
	case DRIVER_FEATURES_SEL:
		fake.driver_sel = (uint32_t)value;
		break;
	case DRIVER_FEATURES:
		assert_true(fake.driver_sel < 2 && !(fake.status & 8));
		fake.driver &= (uint64_t)UINT32_MAX << (fake.driver_sel ? 0 : 32);
		fake.driver |= value << 32 * fake.driver_sel;
		assert_int_equal(fake.driver & ~fake.features, 0);
		break;
	case SEL:
		fake.sel = (uint32_t)value;
		break;
	case NOTIFY:
		assert_true(value < fake.queues && fake.queue[value].ready && fake.status & 4);
		fake.queue[value].notified++;
		fake_fetch((unsigned int)value);
		break;
	case ACK:
		fake.isr &= ~(uint32_t)value;
		break;
	case STATUS:
		fake_store_status((uint32_t)value);
		break;
	default:
		fake_store_queue(offset, (uint32_t)value);
	}
}

static const struct hatch_virtio_real fake_real = { fake_load, fake_store, &fake };

#endif
