/* SPDX-License-Identifier: MIT */
/* For tests of the virtio proxy: the guest's driver, and the world around it. */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include "virtio_fake.h"

/* Where the driver has its things in the guest's RAM. */
#define RINGS(queue) (RAM + 0x2000 + (queue)*0x4000ULL)
#define BUFFER(n)    (RAM + 0x10000 + (n)*0x1000ULL)
#define TABLE	     (RAM + 0x3c000)

#define BASE	     0x10001000ULL

static struct driver {
	uint64_t table, avail, used;
	uint16_t num, idx, seen;
} driver[FAKE_QUEUES];

static bool line_level;
static unsigned int line_changes;

static inline void on_line(void *arg, bool level)
{
	assert_ptr_equal(arg, &line_level);
	line_level = level;
	line_changes++;
}

static inline uint32_t in(uint64_t reg)
{
	return (uint32_t)bus_load(&proxy.clause, reg, 4);
}

static inline void out(uint64_t reg, uint32_t value)
{
	bus_store(&proxy.clause, reg, 4, value);
}

static inline void out64(uint64_t reg, uint64_t value)
{
	out(reg, (uint32_t)value);
	out(reg + 4, (uint32_t)(value >> 32));
}

static inline void guest_write(uint64_t gpa, const void *from, size_t size)
{
	assert_int_equal(hatch_guest_write(proxy.guest, hatch_gpa_of(gpa), from, size), HATCH_OK);
}

static inline void guest_read(uint64_t gpa, void *to, size_t size)
{
	assert_int_equal(hatch_guest_read(proxy.guest, hatch_gpa_of(gpa), to, size), HATCH_OK);
}

static inline void write16(uint64_t gpa, uint16_t value)
{
	guest_write(gpa, &value, sizeof(value));
}

static inline uint16_t read16(uint64_t gpa)
{
	uint16_t value;

	guest_read(gpa, &value, sizeof(value));
	return value;
}

/* ---- The driver ---- */

static inline void accept_features(uint64_t features)
{
	out(STATUS, 0);
	assert_int_equal(in(STATUS), 0);
	out(STATUS, 1);
	out(STATUS, 3);
	out(DRIVER_FEATURES_SEL, 0);
	out(DRIVER_FEATURES, (uint32_t)features);
	out(DRIVER_FEATURES_SEL, 1);
	out(DRIVER_FEATURES, (uint32_t)(features >> 32));
	out(STATUS, 11);
}

static inline void place_queue(unsigned int queue, uint16_t num)
{
	struct driver *d = &driver[queue];

	*d = (struct driver){ .num = num, .table = RINGS(queue) };
	d->avail = d->table + 0x1000;
	d->used = d->table + 0x2004; /* its elements are not aligned to their size */
	write16(d->avail, 0);
	write16(d->avail + 2, 0);
	write16(d->used, 0);
	write16(d->used + 2, 0);
	write16(d->avail + 4 + 2 * num, 0);
	write16(d->used + 4 + 8 * num, 0);
	out(SEL, queue);
	out(NUM, num);
	out64(DESC, d->table);
	out64(DRIVER, d->avail);
	out64(DEVICE, d->used);
	out(READY, 1);
}

static inline void start_driver(uint64_t features, uint16_t num)
{
	accept_features(features);
	assert_int_equal(in(STATUS), 11);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++) {
		place_queue(i, num);
		assert_int_equal(in(READY), 1);
	}
	out(STATUS, 15);
	assert_int_equal(in(STATUS), 15);
}

static inline void put_desc(unsigned int queue, uint16_t index, uint64_t addr, uint32_t len,
			    uint16_t flags, uint16_t next)
{
	struct desc d = { addr, len, flags, next };

	guest_write(driver[queue].table + 16 * index, &d, sizeof(d));
}

/* An entry of an indirect table. */
static inline void put_entry(uint64_t table, unsigned int index, uint64_t addr, uint32_t len,
			     uint16_t flags, uint16_t next)
{
	struct desc d = { addr, len, flags, next };

	guest_write(table + 16 * index, &d, sizeof(d));
}

static inline void offer(unsigned int queue, uint16_t head)
{
	struct driver *d = &driver[queue];

	write16(d->avail + 4 + 2 * (d->idx % d->num), head);
	write16(d->avail + 2, ++d->idx);
}

static inline void kick(unsigned int queue)
{
	out(NOTIFY, queue);
}

/* The smallest request: a buffer of the guest to be written to. */
static inline void ask(unsigned int queue, uint16_t head, uint32_t len)
{
	put_desc(queue, head, BUFFER(head), len, WRITE, 0);
	offer(queue, head);
}

static inline void expect_used(unsigned int queue, uint32_t id, uint32_t len)
{
	struct driver *d = &driver[queue];
	uint32_t element[2];

	assert_int_not_equal(read16(d->used + 2), d->seen);
	guest_read(d->used + 4 + 8 * (d->seen++ % d->num), element, sizeof(element));
	assert_int_equal(element[0], id);
	assert_int_equal(element[1], len);
}

static inline void expect_no_more(unsigned int queue)
{
	assert_int_equal(read16(driver[queue].used + 2), driver[queue].seen);
}

/* The guest's handler of the interrupt. Returns InterruptStatus. */
static inline uint32_t handle_interrupt(void)
{
	uint32_t isr = in(ISR);

	assert_int_equal(line_level, isr != 0);
	out(ACK, isr);
	assert_false(line_level);
	assert_int_equal(in(ISR), 0);
	return isr;
}

static inline void device_interrupts(void)
{
	hatch_virtio_proxy_interrupt(&proxy);
	assert_int_equal(fake.isr, 0);
}

static inline void expect_stopped(void)
{
	assert_int_equal(in(STATUS)&64, 64);
	assert_int_equal(fake.status, 0); /* the real device was reset */
	assert_non_null(proxy.problem);
	assert_int_equal(handle_interrupt() & 2, 2);
}

/* That the device is as good as new: one request, there and back. */
static inline void expect_works(uint64_t features)
{
	const unsigned int queue = fake.device_id != 1; /* net's second one only sends */
	uint8_t byte;

	start_driver(features, 8);
	ask(queue, 3, 100);
	kick(queue);
	assert_int_equal(fake.queue[queue].requests, 1);
	fake_use(queue, 0, 60, 0x77);
	device_interrupts();
	assert_int_equal(handle_interrupt(), 1);
	expect_used(queue, 3, 60);
	expect_no_more(queue);
	guest_read(BUFFER(3) + 99, &byte, 1);
	assert_int_equal(byte, 0x77);
}

/* ---- The world ---- */

static inline void make_fake(uint32_t device_id, uint32_t max)
{
	fake = (struct fake){ .magic = 0x74726976, .version = 2, .device_id = device_id };
	fake.features = ~(uint64_t)0;
	fake.queues = FAKE_QUEUES;
	for (unsigned int i = 0; i < FAKE_QUEUES; i++) {
		fake.queue[i].max = max;
		fake.queue[i].request = NULL;
	}
}

static inline void take_device(void)
{
	assert_int_equal(hatch_virtio_proxy_init(&proxy, &guest, hatch_gpa_of(BASE), &fake_real),
			 0);
	assert_null(proxy.problem);
	proxy.line = on_line;
	proxy.line_arg = &line_level;
	line_level = false;
	line_changes = 0;
}

static inline int set_up_with(uint32_t device_id, uint32_t max)
{
	guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(RAM), RAM_PAGES * PAGE), 0);
	vcpu = (struct hatch_vcpu){ .guest = &guest };
	make_fake(device_id, max);
	take_device();
	return 0;
}

static inline int set_up(void **state)
{
	(void)state;
	return set_up_with(2, 64);
}

static inline int tear_down(void **state)
{
	(void)state;
	hatch_virtio_proxy_fini(&proxy);
	assert_int_equal(fake.status, 0);
	hatch_virtio_proxy_fini(&proxy);
	fake_reset();
	for (unsigned int i = 0; i < fake.queues; i++)
		free(fake.queue[i].request);
	hatch_guest_fini(&guest);
	assert_int_equal(arena.bytes, 0);
	return 0;
}

#endif
