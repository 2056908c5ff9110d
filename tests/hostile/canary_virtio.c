/* SPDX-License-Identifier: MIT */
/*
 * Requests of virtio that name memory of others: in descriptors, in indirect tables, behind the end
 * of a table, and as the rings themselves. What a disk has written is read back.
 */
#include "canary_guest.h"
#include "virtio_driver.h"

#define ENTRIES	 8
#define PATIENCE 200000000UL /* ticks: 20 s */
#define MOMENT	 20000UL     /* 2 ms: what was refused, or is nowhere, is never answered */
#define SECTOR	 512

/* Of a device: its queues, and buffers of requests that are good. */
enum { AVAIL = 0x400, USED = 0x800 };

static _Alignas(4096) uint8_t queues[CANARY_DEVICES][2][0x1000];
static _Alignas(4096) uint8_t buffers[CANARY_DEVICES][0x1000];
static _Alignas(16) struct virtio_desc indirect[ENTRIES];
static uint16_t made[CANARY_DEVICES]; /* requests since begin() */
static uint64_t header[2];	      /* of the request to a disk that is being made */
static uint8_t disk_status;

static unsigned int queue_of(unsigned int device)
{
	return device == CANARY_DEVICE_SERIAL ? 1 : 0;
}

static struct virtio_ring ring_of(unsigned int device, unsigned int queue)
{
	uint64_t at = (uint64_t)queues[device][queue];

	return (struct virtio_ring){ at, at + AVAIL, at + USED, ENTRIES };
}

static void begin_with(unsigned int device, const struct virtio_ring *ring)
{
	virtio_write(device, REG_STATUS, 0);
	virtio_need(virtio_agree(device, FEATURE_VERSION | FEATURE_INDIRECT), VIRTIO_NO_FEATURES,
		    device);
	for (unsigned int i = 0; i < sizeof(queues[device]); i += 8)
		*(volatile uint64_t *)(queues[device][0] + i) = 0;
	made[device] = 0;
	virtio_place(device, queue_of(device), ring);
	virtio_write(device, REG_STATUS, STATUS_LIVE);
}

static bool is_live(unsigned int device)
{
	return virtio_read(device, REG_STATUS) == STATUS_LIVE;
}

static void begin(unsigned int device)
{
	const struct virtio_ring ring = ring_of(device, queue_of(device));

	begin_with(device, &ring);
	virtio_need(is_live(device), VIRTIO_NO_QUEUE, device);
}

/* ---- Requests ---- */

/* The chain's entries are `first` and those behind it. */
static void write_chain(uint64_t table, unsigned int first, const struct virtio_desc *chain,
			unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		volatile struct virtio_desc *to = virtio_desc_at(table, first + i);
		bool last = i + 1 == count;

		to->addr = chain[i].addr;
		to->len = chain[i].len;
		to->flags = (uint16_t)(chain[i].flags | (last ? 0 : DESC_NEXT));
		to->next = (uint16_t)(last ? 0 : first + i + 1);
	}
}

static void send(unsigned int device, unsigned int first)
{
	unsigned int queue = queue_of(device);
	volatile uint16_t *avail = virtio_half_at((uint64_t)queues[device][queue] + AVAIL);

	avail[2 + made[device] % ENTRIES] = (uint16_t)first;
	__atomic_store_n(&avail[1], ++made[device], __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_write(device, REG_QUEUE_NOTIFY, queue);
}

/* Whether the device has done all by then. */
static bool is_done(unsigned int device, uint64_t patience)
{
	uint64_t used = (uint64_t)queues[device][queue_of(device)] + USED, since = virtio_ticks();

	for (unsigned int n = 0; virtio_ticks() - since < patience; n++) {
		if (n % 64 == 0 && !is_live(device))
			return false;
		if (__atomic_load_n(virtio_half_at(used + 2), __ATOMIC_ACQUIRE) == made[device])
			return true;
	}
	return false;
}

/* VIRTIO 1.2, 5.2.6: a header, data, a status; or, for a console, data alone. Returns its length. */
static unsigned int make_chain(unsigned int device, bool write, uint64_t sector,
			       struct virtio_desc *chain)
{
	const uint64_t data = (uint64_t)buffers[device];

	if (device == CANARY_DEVICE_SERIAL) {
		chain[0] = (struct virtio_desc){ data, SECTOR, 0, 0 };
		return 1;
	}
	header[0] = write;
	header[1] = sector;
	chain[0] = (struct virtio_desc){ (uint64_t)header, 16, 0, 0 };
	chain[1] = (struct virtio_desc){ data, SECTOR, write ? 0 : DESC_WRITE, 0 };
	chain[2] = (struct virtio_desc){ (uint64_t)&disk_status, 1, DESC_WRITE, 0 };
	return 3;
}

/* ---- Attacks: one thing about a good chain is wrong ---- */

static uint64_t foreign_address(void)
{
	return canary_target_outside().at;
}

static void wrong_descriptor(unsigned int device, struct virtio_desc *chain, unsigned int count)
{
	struct virtio_desc *data = &chain[count / 2];

	switch (canary_any(8)) {
	case 0:
		chain[canary_any(count)].addr = foreign_address();
		break;
	case 1: /* across the end of RAM */
		data->addr = CANARY_RAM_END - canary_any(SECTOR);
		break;
	case 2:
		data->addr = CANARY_EDGE;
		data->len = SECTOR << (4 + canary_any(device == CANARY_DEVICE_DISK ? 4 : 19));
		break;
	case 3: /* the device would write there */
		data->addr = foreign_address();
		data->flags = DESC_WRITE;
		header[0] = 0;
		break;
	default:
		data->addr = foreign_address();
	}
}

/* The table of the ring ends with RAM: of a chain that goes on, the rest is somebody else's. */
static void behind_the_table(unsigned int device, const struct virtio_desc *chain,
			     unsigned int count)
{
	struct virtio_ring ring = ring_of(device, queue_of(device));
	unsigned int first = canary_any(2) ? ENTRIES - 1 : ENTRIES + (unsigned int)canary_any(512);

	ring.desc = CANARY_RAM_END - ENTRIES * sizeof(struct virtio_desc);
	begin_with(device, &ring);
	write_chain(ring.desc, ENTRIES - 1, chain, 1);
	virtio_desc_at(ring.desc, ENTRIES - 1)->flags |= count > 1 || canary_any(2) ? DESC_NEXT : 0;
	virtio_desc_at(ring.desc, ENTRIES - 1)->next = (uint16_t)(ENTRIES + canary_any(512));
	send(device, first);
}

static void foreign_ring(unsigned int device)
{
	struct virtio_ring ring = ring_of(device, queue_of(device));
	uint64_t *const part[] = { &ring.desc, &ring.avail, &ring.used };

	*part[canary_any(3)] = foreign_address() & ~UINT64_C(15);
	begin_with(device, &ring);
	send(device, 0);
}

/* A table somewhere else, or, in its place, with an entry that is wrong. */
static void indirect_table(unsigned int device, struct virtio_desc *chain, unsigned int count)
{
	struct virtio_desc d = { (uint64_t)indirect, 16 * count, DESC_INDIRECT, 0 };

	if (canary_any(2))
		wrong_descriptor(device, chain, count);
	else if (canary_any(4))
		d.addr = foreign_address();
	else
		d.addr = CANARY_RAM_END - 16 * canary_any(count);
	write_chain((uint64_t)indirect, 0, chain, count);
	write_chain((uint64_t)queues[device][queue_of(device)], 0, &d, 1);
	send(device, 0);
}

/* A device that was refused something, or whose queue is elsewhere, is brought up again. */
static void attack(unsigned int device, uint64_t sector)
{
	struct virtio_desc chain[3];
	unsigned int count = make_chain(device, true, sector, chain),
		     kind = (unsigned int)canary_any(8);

	if (kind == 0) {
		behind_the_table(device, chain, count);
	} else if (kind == 1) {
		foreign_ring(device);
	} else if (kind < 4) {
		indirect_table(device, chain, count);
	} else {
		wrong_descriptor(device, chain, count);
		write_chain((uint64_t)queues[device][queue_of(device)], 0, chain, count);
		send(device, 0);
	}
	if (!is_done(device, MOMENT) || kind < 2)
		begin(device);
}

/* ---- Tries ---- */

/* Something that must work, so that an attack is on a device that is in use. */
static void use(unsigned int device, bool write, uint64_t sector)
{
	struct virtio_desc chain[3];
	unsigned int count = make_chain(device, write, sector, chain);

	if (!made[device])
		begin(device);
	write_chain((uint64_t)queues[device][queue_of(device)], 0, chain, count);
	send(device, 0);
	virtio_need(is_done(device, PATIENCE), VIRTIO_NO_ANSWER, device);
}

/* Nothing of what was read is written again: each byte is counted once. */
void canary_try_disk(void)
{
	uint64_t sector = canary_any(CANARY_SECTORS - 256);

	for (unsigned int i = 0; i < SECTOR; i++)
		buffers[CANARY_DEVICE_DISK][i] = 0;
	use(CANARY_DEVICE_DISK, true, sector);
	attack(CANARY_DEVICE_DISK, sector);
	use(CANARY_DEVICE_DISK, false, sector);
	canary_log_bytes(buffers[CANARY_DEVICE_DISK], SECTOR);
}

void canary_try_serial(void)
{
	use(CANARY_DEVICE_SERIAL, true, 0);
	attack(CANARY_DEVICE_SERIAL, 0);
}
