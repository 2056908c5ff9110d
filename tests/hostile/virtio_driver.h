/* SPDX-License-Identifier: MIT */
/* As much of a driver as a guest needs that waits for each request: VIRTIO 1.2, 2.7 and 4.2. */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include "guest.h"

#include "virtio_world.h"

/* 4.2.2 */
enum {
	REG_MAGIC = 0x00,
	REG_DEVICE_FEATURES = 0x10,
	REG_DEVICE_FEATURES_SEL = 0x14,
	REG_DRIVER_FEATURES = 0x20,
	REG_DRIVER_FEATURES_SEL = 0x24,
	REG_QUEUE_SEL = 0x30,
	REG_QUEUE_NUM_MAX = 0x34,
	REG_QUEUE_NUM = 0x38,
	REG_QUEUE_READY = 0x44,
	REG_QUEUE_NOTIFY = 0x50,
	REG_INTERRUPT_ACK = 0x64,
	REG_STATUS = 0x70,
	REG_QUEUE_DESC = 0x80,
	REG_QUEUE_DRIVER = 0x90,
	REG_QUEUE_DEVICE = 0xa0,
	REG_CONFIG = 0x100,
};

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

enum { STATUS_READY = 11, STATUS_LIVE = 15, STATUS_NEEDS_RESET = 64 };

#define FEATURE_INDIRECT (1UL << 28)
#define FEATURE_EVENTS	 (1UL << 29)
#define FEATURE_VERSION	 (1UL << 32)

struct virtio_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* A queue where its driver has put it. */
struct virtio_ring {
	uint64_t desc, avail, used;
	uint32_t num;
};

static inline uint32_t virtio_read(unsigned int device, uint64_t reg)
{
	return *(volatile uint32_t *)(VIRTIO_REGISTERS + 0x1000UL * device + reg);
}

static inline void virtio_write(unsigned int device, uint64_t reg, uint32_t value)
{
	*(volatile uint32_t *)(VIRTIO_REGISTERS + 0x1000UL * device + reg) = value;
}

static inline volatile struct virtio_desc *virtio_desc_at(uint64_t table, uint64_t index)
{
	return (volatile struct virtio_desc *)table + index;
}

static inline volatile uint16_t *virtio_half_at(uint64_t address)
{
	return (volatile uint16_t *)address;
}

static inline uint64_t virtio_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

/* Resets the device and agrees on those of `features` that it offers. False: it does not. */
bool virtio_agree(unsigned int device, uint64_t features);

/* Writes where the queue is, and READY. */
void virtio_place(unsigned int device, uint32_t queue, const struct virtio_ring *ring);

/* Ends the guest with this fault, unless `good`. */
void virtio_need(bool good, enum virtio_fault fault, unsigned int device);

/* Whether this hart hears the device's interrupts. */
void virtio_listen(unsigned int device, bool on);

/* Brings the device up, two queues of it in steady memory, ready for virtio_try. */
void virtio_begin(unsigned int device, uint64_t features);

/* A request of the device's type that must work. */
void virtio_try(unsigned int device);

#endif
