/* SPDX-License-Identifier: MIT */
/*
 * Attacks on the device that virtio_attack names: rings of every wrong kind among good ones,
 * changed while they are read, and writes to any register at any time.
 */
#include "virtio_attack.h"

#define QUEUES	  4
#define TABLES	  0x8000UL  /* the arena's first bytes: queues, and indirect tables behind */
#define INDIRECT  0x10000UL /* up to here; then buffers */
#define ENTRIES	  256	    /* of a table that is in its place */
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct virtio_attack virtio_attack;
static uint64_t state[VIRTIO_HARTS];

static uint64_t any_bits(uint64_t hart)
{
	uint64_t x = state[hart] ? state[hart] : 0x9e3779b97f4a7c15 * (hart + 1);

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	state[hart] = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t any(uint64_t hart, uint64_t below)
{
	return (any_bits(hart) >> 20) % below;
}

/* ---- Numbers that nobody should believe ---- */

/* Never steady memory: what the guest does to that is nobody's fault but its own. */
static uint64_t any_address(uint64_t h)
{
	switch (any(h, 16)) {
	case 0:
		return virtio_attack.bait[any(h, VIRTIO_BAITS)];
	case 1:
		return VIRTIO_NEXT - any(h, 0x2000);
	case 2:
		return VIRTIO_FIXED - 0x1000 + any(h, VIRTIO_FIXED_SIZE + 0x2000);
	case 3:
		return VIRTIO_LAZY + any(h, (VIRTIO_LAZY_PAGES + 1) * 0x1000UL);
	case 4:
		return HATCH_GUEST_RAM + any(h, VIRTIO_PROGRAM_SIZE);
	case 5:
		return VIRTIO_ARENA + any(h, INDIRECT);
	case 6:
		return any(h, 2) ? any_bits(h) : -any(h, 0x1000);
	case 7:
		return VIRTIO_REGISTERS + any(h, 0x8000);
	case 8:
		return VIRTIO_NEXT + any(h, VIRTIO_NEXT_SIZE);
	default:
		return VIRTIO_ARENA + INDIRECT + any(h, VIRTIO_ARENA_SIZE - INDIRECT);
	}
}

static uint32_t any_length(uint64_t h)
{
	static const uint32_t length[] = { 0,	       1,	  16,	 511,
					   512,	       4096,	  65536, VIRTIO_ARENA_SIZE,
					   0x7fffffff, 0xffffffff };

	switch (any(h, 4)) {
	case 0:
		return length[any(h, LENGTH(length))];
	case 1:
		return (uint32_t)(any_bits(h) >> any(h, 64));
	default:
		return (uint32_t)any(h, 3000);
	}
}

static struct virtio_desc any_desc(uint64_t h)
{
	return (struct virtio_desc){
		.addr = any_address(h),
		.len = any_length(h),
		.flags = (uint16_t)(any(h, 8) ? any(h, 8) : any_bits(h)),
		.next = (uint16_t)(any(h, 16) ? any(h, 16) : any_bits(h)),
	};
}

static uint64_t buffer(uint64_t h)
{
	return VIRTIO_ARENA + INDIRECT + any(h, VIRTIO_ARENA_SIZE - INDIRECT - 0x2000);
}

static void store(uint64_t table, uint64_t index, const struct virtio_desc *d)
{
	volatile struct virtio_desc *to = virtio_desc_at(table, index);

	to->addr = d->addr;
	to->len = d->len;
	to->flags = d->flags;
	to->next = d->next;
}

/* ---- Chains: `table` has room for eight entries from `first` on ---- */

/* Often right up to where memory ends, or begins to be another. */
static uint64_t buffer_of(uint64_t h, uint32_t length)
{
	static const uint64_t ends[] = { VIRTIO_NEXT, VIRTIO_FIXED, VIRTIO_LAZY + 0x1000 };

	return any(h, 3) ? buffer(h) : ends[any(h, LENGTH(ends))] - length;
}

static uint32_t good_length(uint64_t h, bool last)
{
	return last && any(h, 4) ? 1 + (uint32_t)any(h, 64) : UINT32_C(512) << any(h, 5);
}

/* What the device would do: with a header as a disk knows it, or a frame. Returns its entries. */
static uint64_t make_good(uint64_t h, uint64_t table, uint64_t first)
{
	uint64_t header = buffer(h) & ~UINT64_C(15), count = 1 + any(h, 4), flags = 0;

	*(volatile uint64_t *)header = any(h, 8) ? any(h, 2) : any(h, 16);
	*(volatile uint64_t *)(header + 8) = any(h, VIRTIO_SECTORS + 4);
	for (uint64_t i = 0; i < count; i++) {
		bool last = i + 1 == count, heads = !i && (!last || any(h, 2));
		struct virtio_desc d = { .addr = header,
					 .len = 16,
					 .next = (uint16_t)(first + i + 1) };

		if (!heads) {
			d.len = good_length(h, last);
			d.addr = buffer_of(h, d.len);
			flags |= last || any(h, 2) ? DESC_WRITE : 0;
		}
		d.flags = (uint16_t)(flags | (last ? 0 : DESC_NEXT));
		store(table, first + i, &d);
	}
	return count;
}

/* A good one but for one field. */
static void make_almost(uint64_t h, uint64_t table, uint64_t first)
{
	volatile struct virtio_desc *d =
		virtio_desc_at(table, first + any(h, make_good(h, table, first)));
	struct virtio_desc wrong = any_desc(h);

	switch (any(h, 4)) {
	case 0:
		d->addr = wrong.addr;
		break;
	case 1:
		d->len = wrong.len;
		break;
	case 2:
		d->flags = wrong.flags;
		break;
	default:
		d->next = wrong.next;
	}
}

static void make_random(uint64_t h, uint64_t table, uint64_t first)
{
	for (uint64_t i = 0; i < 8; i++) {
		struct virtio_desc d = any_desc(h);

		store(table, first + i, &d);
	}
}

/* Round and round, all of it good memory. */
static void make_loop(uint64_t h, uint64_t table, uint64_t first)
{
	for (uint64_t i = 0; i < 8; i++) {
		const struct virtio_desc d = { buffer(h), (uint32_t)any(h, 64), DESC_NEXT,
					       (uint16_t)(first + (i + 1) % 8) };

		store(table, first + i, &d);
	}
}

static void make_direct(uint64_t h, uint64_t table, uint64_t first)
{
	switch (any(h, 8)) {
	case 0:
		make_random(h, table, first);
		break;
	case 1:
		make_loop(h, table, first);
		break;
	case 2:
	case 3:
		make_almost(h, table, first);
		break;
	default:
		make_good(h, table, first);
	}
}

/* A table of tables now and then, or one of which a part is no memory. */
static void make_indirect(uint64_t h, uint64_t table, uint64_t first)
{
	struct virtio_desc d = { VIRTIO_ARENA + TABLES + (any(h, INDIRECT - TABLES - 4096) & ~15UL),
				 16 * (1 + (uint32_t)any(h, 64)), DESC_INDIRECT, 0 };

	make_direct(h, d.addr, 0);
	if (any(h, 2))
		d.len = 16 * 8;
	if (!any(h, 8))
		d = any_desc(h);
	if (!any(h, 4))
		d.flags |= (uint16_t)any(h, 4);
	store(table, first, &d);
}

/* ---- Acts ---- */

/* Where a queue belongs, each with its own 8 KiB; or anywhere. */
static struct virtio_ring any_ring(uint64_t h, uint32_t queue, uint32_t max)
{
	const uint64_t at = VIRTIO_ARENA + queue * (TABLES / QUEUES);
	struct virtio_ring ring = { at, at + 0x1000, at + 0x1400, max >> any(h, 4) };

	switch (any(h, 32)) {
	case 0:
		ring.desc = any_address(h);
		break;
	case 1:
		ring.avail = any_address(h);
		break;
	case 2:
		ring.used = any_address(h);
		break;
	case 3:
		ring.num = any_length(h);
		break;
	}
	return ring;
}

/* Stores into the queue's own 8 KiB, wherever the device was told that it is. */
static void begin_ring(struct virtio_ring *ring, uint32_t queue)
{
	const uint64_t at = VIRTIO_ARENA + queue * (TABLES / QUEUES);

	for (uint64_t i = 0; i < 0x40; i += 8)
		*(volatile uint64_t *)(at + 0x1000 + i) = 0;
	ring->desc = at;
	ring->avail = at + 0x1000;
	ring->used = at + 0x1400;
	virtio_attack.ring[queue] = *ring;
}

static void set_up(uint64_t h)
{
	unsigned int device = virtio_attack.device;
	uint64_t features = any(h, 4) ? ~UINT64_C(0) : FEATURE_VERSION | any_bits(h);

	if (any(h, 2))
		features &= ~FEATURE_EVENTS;
	virtio_agree(device, features);
	for (uint32_t queue = 0; queue < QUEUES; queue++) {
		struct virtio_ring ring;

		virtio_write(device, REG_QUEUE_SEL, queue);
		ring = any_ring(h, queue, virtio_read(device, REG_QUEUE_NUM_MAX));
		virtio_place(device, queue, &ring);
		begin_ring(&ring, queue);
	}
	virtio_write(device, REG_STATUS, STATUS_LIVE);
}

/* A few requests for one queue, and how many there are is mostly told right. */
static void attack_ring(uint64_t h)
{
	uint32_t queue = (uint32_t)any(h, virtio_attack.ring[1].num ? QUEUES : 1);
	struct virtio_ring ring = virtio_attack.ring[queue];
	uint64_t num = ring.num && ring.num < ENTRIES ? ring.num : ENTRIES;
	uint64_t count = 1 + any(h, 4), slots = num < 8 ? 1 : num / 8;
	volatile uint16_t *avail = virtio_half_at(ring.avail);

	if (!ring.desc ||
	    (virtio_read(virtio_attack.device, REG_STATUS) != STATUS_LIVE && any(h, 8)))
		return set_up(h);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t first = any(h, slots) * 8;

		(any(h, 3) ? make_direct : make_indirect)(h, ring.desc, first);
		avail[2 + (avail[1] + i) % num] = (uint16_t)(any(h, 32) ? first : any_bits(h));
	}
	avail[0] = (uint16_t)any(h, 2);
	__atomic_store_n(&avail[1], (uint16_t)(avail[1] + (any(h, 32) ? count : any_bits(h))),
			 __ATOMIC_RELEASE);
	virtio_write(virtio_attack.device, REG_QUEUE_NOTIFY, queue);
	__atomic_fetch_add(&virtio_attack.rings, 1, __ATOMIC_RELAXED);
}

/* While others make requests, and the host reads them. */
static void change_rings(uint64_t h)
{
	for (unsigned int i = 0; i < 100; i++) {
		const struct virtio_ring *ring = &virtio_attack.ring[any(h, QUEUES)];
		uint64_t index = any(h, any(h, 2) ? 8 : ENTRIES);
		struct virtio_desc wrong = any_desc(h);

		if (!ring->desc)
			return;
		if (any(h, 2))
			store(any(h, 2) ? ring->desc : VIRTIO_ARENA + TABLES, index, &wrong);
		else if (any(h, 4))
			virtio_half_at(ring->avail)[2 + index] = wrong.next;
		else
			virtio_half_at(any(h, 2) ? ring->avail : ring->used)[any(h, 2)] +=
				wrong.flags;
	}
}

/* 0 in Status is among them: a reset while requests are on their way. */
static void write_register(uint64_t h)
{
	static const uint16_t registers[] = {
		REG_DEVICE_FEATURES_SEL, REG_DRIVER_FEATURES,  REG_DRIVER_FEATURES_SEL,
		REG_QUEUE_SEL,		 REG_QUEUE_NUM,	       REG_QUEUE_READY,
		REG_QUEUE_NOTIFY,	 REG_INTERRUPT_ACK,    REG_STATUS,
		REG_QUEUE_DESC,		 REG_QUEUE_DESC + 4,   REG_QUEUE_DRIVER,
		REG_QUEUE_DEVICE,	 REG_QUEUE_DEVICE + 4,
	};
	static const uint32_t values[] = { 0, 1, 2, 3, 4, STATUS_READY, STATUS_LIVE, 64, 128 };
	uint64_t reg = any(h, 4) ? registers[any(h, LENGTH(registers))] : any(h, 0x80) * 4;
	uint32_t value = any(h, 4)   ? values[any(h, LENGTH(values))]
			 : any(h, 2) ? (uint32_t)any_address(h)
				     : (uint32_t)any_bits(h);

	virtio_write(virtio_attack.device, reg, value);
}

/* Of any width, anywhere in the page: many of them the guest takes as a fault of its own. */
static void touch_register(uint64_t h)
{
	uint64_t at = VIRTIO_REGISTERS + 0x1000UL * virtio_attack.device +
		      any(h, any(h, 2) ? 0x1000 - 8 : 0x200);

	switch (any(h, 6)) {
	case 0:
		__asm__ volatile("sb %1, 0(%0)" ::"r"(at), "r"(any_bits(h)) : "memory");
		break;
	case 1:
		__asm__ volatile("sh %1, 0(%0)" ::"r"(at), "r"(any_bits(h)) : "memory");
		break;
	case 2:
		__asm__ volatile("sd %1, 0(%0)" ::"r"(at), "r"(any(h, 3)) : "memory");
		break;
	case 3:
		__asm__ volatile("lb zero, 0(%0)" ::"r"(at) : "memory");
		break;
	case 4:
		__asm__ volatile("lh zero, 0(%0)" ::"r"(at) : "memory");
		break;
	default:
		__asm__ volatile("ld zero, 0(%0)" ::"r"(at) : "memory");
	}
}

void virtio_attack_once(uint64_t hart)
{
	switch (any(hart, 32)) {
	case 0:
	case 1:
		set_up(hart);
		break;
	case 2:
	case 3:
		write_register(hart);
		break;
	case 4:
		touch_register(hart);
		break;
	case 5:
	case 6:
	case 7:
		change_rings(hart);
		break;
	default:
		attack_ring(hart);
	}
}
