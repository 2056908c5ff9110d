/* SPDX-License-Identifier: MIT */
/* For tests of the virtio proxy: what it saved, and a device with three requests in flight. */
#ifndef VIRTIO_IMAGE_H
#define VIRTIO_IMAGE_H

#include "virtio_driver.h"

enum { ROOM = 1024 };

/* Where things are in the bytes. */
enum {
	AT_DEVICE_ID = 0,
	AT_QUEUES = 4,
	AT_STATUS = 8,
	AT_INTERRUPTS = 12,
	AT_BEYOND = 28,
	AT_ACCEPTED = 32,
	AT_QUEUE = 40,
	QUEUE_SIZE = 40 + 2 * 64,
	AT_TABLE = AT_QUEUE,
	AT_NUM = AT_QUEUE + 24,
	AT_ENTRIES = AT_QUEUE + 32,
	AT_IN_FLIGHT = AT_QUEUE + 34,
	AT_READY = AT_QUEUE + 36,
	AT_STOPPED = AT_QUEUE + 37,
	AT_RESERVED = AT_QUEUE + 38,
	AT_HEAD = AT_QUEUE + 40,
};

struct image {
	_Alignas(8) uint8_t bytes[ROOM];
};

/* Rubbish first: every byte must be written, also those that mean nothing. */
static inline struct image save(void)
{
	struct image a, b;

	assert_true(proxy.state.size <= ROOM);
	memset(&a, 0xa5, sizeof(a));
	memset(&b, 0x5a, sizeof(b));
	proxy.state.save(proxy.state.arg, &a);
	proxy.state.save(proxy.state.arg, &b);
	assert_memory_equal(&a, &b, proxy.state.size);
	assert_int_equal(a.bytes[proxy.state.size], 0xa5);
	return a;
}

static inline int restore(const struct image *image)
{
	return proxy.state.restore(proxy.state.arg, image, &vcpu);
}

static inline void put_three_in_flight(void)
{
	start_driver(V1 | EVENTS, 8);
	for (uint16_t i = 0; i < 5; i++)
		ask(0, 4 - i, 16 + i);
	kick(0);
	fake_use(0, 1, 1, 0); /* 3, used before; then 0 stands at its place */
	fake_use(0, 1, 2, 0);
	device_interrupts();
	expect_used(0, 3, 1);
	expect_used(0, 0, 2);
}

static inline void expect_three_in_flight(void)
{
	assert_int_equal(fake.queue[0].requests, 3);
	for (unsigned int i = 0; i < 3; i++) /* in the order of the guest: 4, 2, 1 */
		assert_int_equal(fake.queue[0].request[i].writable, i ? 17 + i : 16);
	fake_use(0, 2, 1, 0x11);
	device_interrupts();
	expect_used(0, 1, 1);
	fake_use(0, 0, 2, 0x44);
	device_interrupts();
	expect_used(0, 4, 2);
	fake_use(0, 0, 3, 0x22);
	device_interrupts();
	expect_used(0, 2, 3);
	expect_no_more(0);
	assert_int_equal(proxy.count.broken, 0);
}

#endif
