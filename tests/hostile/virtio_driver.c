/* SPDX-License-Identifier: MIT */
/* Requests that must work, whatever happens to other devices or happened to this one before. */
#include "virtio_driver.h"

#define ENTRIES	    16
#define PATIENCE    200000000UL /* ticks: 20 s */
#define SBI_TIME    0x54494d45

/* Of the interrupt controller: priorities, and what belongs to the first hart's S-mode. */
#define PLIC	    0x0c000000UL
#define PLIC_ENABLE (PLIC + 0x2080)
#define PLIC_LIMIT  (PLIC + 0x201000)
#define PLIC_CLAIM  (PLIC + 0x201004)
#define SOURCE	    1 /* of slot 0, then one each */

/* Of each device's piece of steady memory: a page for each queue, and one for buffers. */
enum { AVAIL = 0x400, USED = 0x800, BUFFERS = 0x2000, PIECE = 0x4000 };

static uint16_t made[VIRTIO_DEVICES][2]; /* requests since virtio_begin */
static uint64_t turn;

void virtio_need(bool good, enum virtio_fault fault, unsigned int device)
{
	if (!good)
		hatch_guest_exit(fault * 16 + device);
}

bool virtio_agree(unsigned int device, uint64_t features)
{
	uint64_t offered;

	virtio_write(device, REG_STATUS, 0);
	virtio_write(device, REG_STATUS, 1);
	virtio_write(device, REG_STATUS, 3);
	virtio_write(device, REG_DEVICE_FEATURES_SEL, 1);
	offered = (uint64_t)virtio_read(device, REG_DEVICE_FEATURES) << 32;
	virtio_write(device, REG_DEVICE_FEATURES_SEL, 0);
	offered |= virtio_read(device, REG_DEVICE_FEATURES);
	features &= offered;
	virtio_write(device, REG_DRIVER_FEATURES_SEL, 1);
	virtio_write(device, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	virtio_write(device, REG_DRIVER_FEATURES_SEL, 0);
	virtio_write(device, REG_DRIVER_FEATURES, (uint32_t)features);
	virtio_write(device, REG_STATUS, STATUS_READY);
	return virtio_read(device, REG_STATUS) == STATUS_READY;
}

static void place_part(unsigned int device, uint64_t reg, uint64_t address)
{
	virtio_write(device, reg, (uint32_t)address);
	virtio_write(device, reg + 4, (uint32_t)(address >> 32));
}

void virtio_place(unsigned int device, uint32_t queue, const struct virtio_ring *ring)
{
	virtio_write(device, REG_QUEUE_SEL, queue);
	virtio_write(device, REG_QUEUE_NUM, ring->num);
	place_part(device, REG_QUEUE_DESC, ring->desc);
	place_part(device, REG_QUEUE_DRIVER, ring->avail);
	place_part(device, REG_QUEUE_DEVICE, ring->used);
	virtio_write(device, REG_QUEUE_READY, 1);
}

/* ---- Interrupts: looked for, never taken ---- */

static volatile uint32_t *word_at(uint64_t address)
{
	return (volatile uint32_t *)address;
}

void virtio_listen(unsigned int device, bool on)
{
	static uint32_t enabled;
	uint32_t bit = UINT32_C(1) << (SOURCE + device);

	enabled = on ? enabled | bit : enabled & ~bit;
	*word_at(PLIC + 4 * (SOURCE + device)) = 1;
	*word_at(PLIC_LIMIT) = 0;
	*word_at(PLIC_ENABLE) = enabled;
	__asm__ volatile("csrs sie, %0" ::"r"(1 << 5 | 1 << 9));
}

/* Sleeps until a device interrupts, and quiets it; or until it is too late. */
static void sleep(uint64_t late)
{
	static uint64_t alarm;
	uint32_t source;

	if (late > alarm + PATIENCE / 10) {
		alarm = late;
		hatch_guest_call(SBI_TIME, 0, alarm);
	}
	__asm__ volatile("wfi" ::: "memory");
	source = *word_at(PLIC_CLAIM);
	if (!source)
		return;
	virtio_write(source - SOURCE, REG_INTERRUPT_ACK, 3);
	*word_at(PLIC_CLAIM) = source;
}

/* ---- Steady memory ---- */

static uint64_t queue_at(unsigned int device, unsigned int queue)
{
	return VIRTIO_STEADY + device * PIECE + queue * 0x1000;
}

static uint8_t *buffer_at(unsigned int device, unsigned int offset)
{
	return (uint8_t *)(VIRTIO_STEADY + device * PIECE + BUFFERS + offset);
}

static bool has_queue(unsigned int device, unsigned int queue)
{
	return queue == 0 || device == VIRTIO_NET || device == VIRTIO_CONSOLE;
}

void virtio_begin(unsigned int device, uint64_t features)
{
	virtio_write(device, REG_STATUS, 0);
	virtio_need(!virtio_read(device, REG_STATUS), VIRTIO_NO_RESET, device);
	virtio_need(virtio_agree(device, features | FEATURE_VERSION), VIRTIO_NO_FEATURES, device);
	for (unsigned int queue = 0; queue < 2 && has_queue(device, queue); queue++) {
		uint64_t at = queue_at(device, queue);
		const struct virtio_ring ring = { at, at + AVAIL, at + USED, ENTRIES };

		for (unsigned int i = 0; i < 0x1000; i += 8)
			*(volatile uint64_t *)(at + i) = 0;
		made[device][queue] = 0;
		virtio_place(device, queue, &ring);
		virtio_need(virtio_read(device, REG_QUEUE_READY), VIRTIO_NO_QUEUE, device);
	}
	virtio_write(device, REG_STATUS, STATUS_LIVE);
	virtio_need(virtio_read(device, REG_STATUS) == STATUS_LIVE, VIRTIO_NO_QUEUE, device);
	virtio_listen(device, true);
}

/* ---- Requests of one to three buffers, from descriptor 0 on ---- */

static void put(unsigned int device, unsigned int queue, unsigned int index,
		const struct virtio_desc *d)
{
	volatile struct virtio_desc *to = virtio_desc_at(queue_at(device, queue), index);

	to->addr = d->addr;
	to->len = d->len;
	to->flags = d->flags;
	to->next = d->next;
}

/* With events the number at the end of the available ring says when to interrupt: at each. */
static void send(unsigned int device, unsigned int queue)
{
	volatile uint16_t *avail = virtio_half_at(queue_at(device, queue) + AVAIL);

	avail[2 + made[device][queue] % ENTRIES] = 0;
	avail[2 + ENTRIES] = made[device][queue];
	__atomic_store_n(&avail[1], ++made[device][queue], __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_write(device, REG_QUEUE_NOTIFY, queue);
}

/* Returns how many bytes the device has written. */
static uint32_t receive(unsigned int device, unsigned int queue)
{
	uint64_t used = queue_at(device, queue) + USED, since = virtio_ticks();
	uint16_t last = made[device][queue], place = (uint16_t)(last - 1) % ENTRIES;
	volatile uint32_t *element = (volatile uint32_t *)(used + 4 + 8 * place);

	while (__atomic_load_n(virtio_half_at(used + 2), __ATOMIC_ACQUIRE) != last) {
		virtio_need(virtio_ticks() - since < PATIENCE, VIRTIO_NO_ANSWER, device);
		sleep(since + PATIENCE);
	}
	virtio_need(element[0] == 0, VIRTIO_WRONG_ANSWER, device);
	return element[1];
}

/* ---- By type ---- */

static void try_entropy(void)
{
	uint64_t *bytes = (uint64_t *)buffer_at(VIRTIO_ENTROPY, 0);

	bytes[0] = 0;
	put(VIRTIO_ENTROPY, 0, 0, &(struct virtio_desc){ (uint64_t)bytes, 64, DESC_WRITE, 0 });
	send(VIRTIO_ENTROPY, 0);
	virtio_need(receive(VIRTIO_ENTROPY, 0) >= 8 && *(volatile uint64_t *)bytes,
		    VIRTIO_WRONG_ANSWER, VIRTIO_ENTROPY);
}

static void try_console(void)
{
	uint8_t *bytes = buffer_at(VIRTIO_CONSOLE, 0);

	put(VIRTIO_CONSOLE, 1, 0, &(struct virtio_desc){ (uint64_t)bytes, 40, 0, 0 });
	send(VIRTIO_CONSOLE, 1);
	virtio_need(!receive(VIRTIO_CONSOLE, 1), VIRTIO_WRONG_ANSWER, VIRTIO_CONSOLE);
}

/* 5.2.6: a header, a sector, a status. */
static void disk(unsigned int device, bool write, uint64_t sector)
{
	volatile uint64_t *header = (uint64_t *)buffer_at(device, 0);
	volatile uint8_t *status = buffer_at(device, 16);

	header[0] = write;
	header[1] = sector;
	*status = 0xff;
	put(device, 0, 0, &(struct virtio_desc){ (uint64_t)header, 16, DESC_NEXT, 1 });
	put(device, 0, 1,
	    &(struct virtio_desc){ (uint64_t)buffer_at(device, 512), 512,
				   write ? DESC_NEXT : DESC_NEXT | DESC_WRITE, 2 });
	put(device, 0, 2, &(struct virtio_desc){ (uint64_t)status, 1, DESC_WRITE, 0 });
	send(device, 0);
	virtio_need(receive(device, 0) == (write ? 1 : 513) && !*status, VIRTIO_WRONG_ANSWER,
		    device);
}

static bool is_number(const volatile uint8_t *digits, uint64_t number)
{
	for (unsigned int i = 511; i--; number /= 10)
		if (digits[i] != '0' + number % 10)
			return false;
	return digits[511] == '\n';
}

static void write_number(volatile uint8_t *digits, uint64_t number)
{
	for (unsigned int i = 511; i--; number /= 10)
		digits[i] = (uint8_t)('0' + number % 10);
	digits[511] = '\n';
}

static void try_disk(unsigned int device)
{
	uint64_t sector = turn++ * 7919 % VIRTIO_SECTORS;
	uint64_t number = device == VIRTIO_VICTIM ? turn * 1000003 : sector;
	volatile uint8_t *bytes = buffer_at(device, 512);

	if (device == VIRTIO_VICTIM) {
		write_number(bytes, number);
		disk(device, true, sector);
	}
	for (unsigned int i = 0; i < 512; i++)
		bytes[i] = 0;
	disk(device, false, sector);
	virtio_need(is_number(bytes, number), VIRTIO_WRONG_ANSWER, device);
}

/* Who has 10.0.2.2? The host of QEMU's network answers (RFC 826). Ahead of it the 12 of 5.1.6. */
static const uint8_t arp[12 + 42] = {
	0,    0,    0, 0,    0,	 0, 0, 0,  0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x52, 0x54, 0, 0x12, 1,	 2, 8, 6,  0, 1, 8, 0, 6,    4,	   0,	 1,    0x52, 0x54,
	0,    0x12, 1, 2,    10, 0, 2, 15, 0, 0, 0, 0, 0,    0,	   10,	 0,    2,    2,
};

static bool is_answer(const volatile uint8_t *frame)
{
	return frame[12 + 12] == 8 && frame[12 + 13] == 6 && frame[12 + 21] == 2;
}

/* What else is on the wire, an answer to an attack perhaps, is taken and forgotten. */
static void try_net(void)
{
	uint8_t *in = buffer_at(VIRTIO_NET, 0), *out = buffer_at(VIRTIO_NET, 0x800);
	unsigned int tries = 16;

	for (unsigned int i = 0; i < sizeof(arp); i++)
		out[i] = arp[i];
	in[12 + 21] = 0;
	put(VIRTIO_NET, 0, 0, &(struct virtio_desc){ (uint64_t)in, 0x800, DESC_WRITE, 0 });
	put(VIRTIO_NET, 1, 0, &(struct virtio_desc){ (uint64_t)out, sizeof(arp), 0, 0 });
	send(VIRTIO_NET, 0);
	send(VIRTIO_NET, 1);
	receive(VIRTIO_NET, 1);
	for (receive(VIRTIO_NET, 0); !is_answer(in) && tries--; receive(VIRTIO_NET, 0))
		send(VIRTIO_NET, 0);
	virtio_need(is_answer(in), VIRTIO_WRONG_ANSWER, VIRTIO_NET);
}

void virtio_try(unsigned int device)
{
	if (device == VIRTIO_ENTROPY)
		try_entropy();
	else if (device == VIRTIO_NET)
		try_net();
	else if (device == VIRTIO_CONSOLE)
		try_console();
	else
		try_disk(device);
}
