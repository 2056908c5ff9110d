/* SPDX-License-Identifier: MIT */
/*
 * What the files of the virtio proxy share. Numbers and names are those of VIRTIO 1.2. Every
 * function here is called with the proxy's lock held.
 */
#ifndef HATCH_SRC_VIRTIO_INTERNAL_H
#define HATCH_SRC_VIRTIO_INTERNAL_H

#include <hatch/handlers/virtio_proxy.h>

/* 4.2.2 */
enum virtio_reg {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_DESC_HIGH = 0x084,
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DRIVER_HIGH = 0x094,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_QUEUE_DEVICE_HIGH = 0x0a4,
	REG_SHM_LEN = 0x0b0, /* low, high, and the base likewise */
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define VIRTIO_MAGIC	    0x74726976 /* "virt" */
#define VIRTIO_MMIO_VERSION 2

enum { INTERRUPT_USED = 1, INTERRUPT_CONFIG = 2, INTERRUPT_ALL = 3 };

/* 2.1 */
enum virtio_status {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64,
	STATUS_FAILED = 128,
	STATUS_BY_DRIVER = 143, /* all but NEEDS_RESET */
};

#define VIRTIO_FEATURE(n) (UINT64_C(1) << (n))
#define F_INDIRECT_DESC	  VIRTIO_FEATURE(28)
#define F_EVENT_IDX	  VIRTIO_FEATURE(29)
#define F_VERSION_1	  VIRTIO_FEATURE(32)

/* 2.7.5 */
struct virtio_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

enum virtio_desc_flags { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

enum {
	NO_INTERRUPT = 1, /* available ring's flags */
	NO_NOTIFY = 1,	  /* used ring's flags */
	NO_SLOT = 0xffff,
};

/* Bytes of the rings with n entries; the last two are used_event and avail_event. */
#define VIRTIO_AVAIL_SIZE(n) (6 + 2 * (size_t)(n))
#define VIRTIO_USED_SIZE(n)  (6 + 8 * (size_t)(n))

/*
 * One part of the guest's queue, and the piece of it that the host has a pointer to, [at, at +
 * have). The pointer is good for one batch only: mappings may change between two. It is asked for
 * with the right to write, also where nothing is written: the page is the guest's own then, and
 * no store of another hart can move it meanwhile.
 */
struct virtio_area {
	uint64_t base; /* guest-physical: the register as it was written */
	size_t size;
	size_t at, have;
	uint8_t *host;
};

/*
 * An entry of the shadow's descriptor table, as the host knows it: what is in the table itself is
 * never read back. `link` leads to the next free one, or within a chain to its next. The rest is
 * for the first one of a chain that is in flight; `count` is 0 in all others.
 */
struct virtio_slot {
	uint16_t link;
	uint16_t count; /* slots of the chain */
	uint16_t last;	/* its last slot */
	uint16_t head;	/* the guest's number of the chain */
	uint16_t older, newer;
	uint32_t writable; /* bytes */
};

/*
 * Invariants: `room` slots are free, linked from `free`; `in_flight` chains are linked from
 * `oldest` to `newest`, in the order in which the guest made them available; `held` is true only
 * while at least one is, for the next interrupt goes on with taking.
 */
struct hatch_virtio_queue {
	/* The guest's side. */
	uint32_t num; /* as it was written; a power of two up to `entries` while `ready` */
	bool ready;
	bool stopped; /* the guest took it back: until a reset it cannot be used again */
	bool held;
	uint16_t next_avail, next_used;
	struct virtio_area table, avail, used;

	/* The device's side. */
	uint16_t entries;
	uint16_t free, room, in_flight, oldest, newest;
	uint16_t submitted; /* the shadow's avail.idx */
	uint16_t seen;	    /* its used.idx up to where it was looked at */
	size_t size;	    /* bytes at `shadow` */
	struct virtio_desc *shadow;
	uint16_t *shadow_avail, *shadow_used;
	struct virtio_slot *slot;
};

/* ---- virtio_types.c ---- */

bool hatch_virtio_type_is_known(uint32_t device_id);
/* Entries of a queue that a guest is shown at most, a power of two. */
uint16_t hatch_virtio_ring(uint32_t device_id);
/* Of the features that the device offers, those that the guest is shown. */
uint64_t hatch_virtio_features(uint32_t device_id, uint64_t offered);
/* Whether all that the device knows, once these features are accepted, is in its queues. */
bool hatch_virtio_type_is_stateless(uint32_t device_id, uint64_t accepted);
/*
 * Why a request with so many bytes for the device to read, and to write, is too short for queue
 * `index`; NULL: it is not.
 */
const char *hatch_virtio_too_short(const struct hatch_virtio_proxy *p, uint32_t index,
				   uint64_t readable, uint64_t writable);

/* ---- virtio_device.c ---- */

/* Registers have 4 bytes; the configuration has fields of any width (4.2.2.2). */
static inline bool virtio_is_access(const struct hatch_event *ev)
{
	return ev->mmio.offset % ev->mmio.width == 0 &&
	       (ev->mmio.width == 4 || ev->mmio.offset >= REG_CONFIG);
}

static inline uint32_t virtio_load(const struct hatch_virtio_proxy *p, uint64_t reg)
{
	return (uint32_t)p->real.load(p->real.arg, reg, 4);
}

static inline void virtio_store(const struct hatch_virtio_proxy *p, uint64_t reg, uint32_t value)
{
	p->real.store(p->real.arg, reg, 4, value);
}

/* Resets the real device. False, from then on for ever: it does not obey. */
bool hatch_virtio_reset_real(struct hatch_virtio_proxy *p);
/* Takes the device, or tells in p->problem why not. */
int hatch_virtio_identify(struct hatch_virtio_proxy *p);
/* Agrees with the real device, after its reset, on p->accepted. */
bool hatch_virtio_negotiate(struct hatch_virtio_proxy *p);
/* Gives the real device the shadow of a queue, empty. */
void hatch_virtio_start_queue(struct hatch_virtio_proxy *p, uint32_t index);
/* Memory for the shadows. Errors: HATCH_ENOMEM, HATCH_ENOTSUP. */
int hatch_virtio_make_queues(struct hatch_virtio_proxy *p);
void hatch_virtio_free_queues(struct hatch_virtio_proxy *p);
/* No chain is in flight: what was, is forgotten. */
void hatch_virtio_clear_queue(struct hatch_virtio_queue *q);

/* ---- virtio_chain.c ---- */

enum virtio_taken { VIRTIO_TAKEN, VIRTIO_NO_ROOM, VIRTIO_WRONG };

/*
 * As hatch_guest_pointer, for RAM only, and a page of a lazy region is made present. *size is not
 * 0. NULL: the guest has no such memory, or not with these rights.
 */
void *hatch_virtio_pointer(struct hatch_virtio_proxy *p, uint64_t gpa, size_t *size,
			   unsigned int prot);

/* The `size` bytes at `offset` of the area, which are aligned to that size. NULL: not there. */
void *hatch_virtio_area(struct hatch_virtio_proxy *p, struct virtio_area *area, size_t offset,
			size_t size);

/*
 * Reads the guest's chain that begins at `head` and writes it to the shadow, available to the
 * device as soon as the index is. *budget, in steps of work, is what is left for the batch.
 * WRONG: *why tells what is. NO_ROOM: nothing was changed.
 */
enum virtio_taken hatch_virtio_take_chain(struct hatch_virtio_proxy *p,
					  struct hatch_virtio_queue *q, uint16_t head,
					  uint32_t *budget, const char **why);

/* ---- virtio_queue.c ---- */

static inline bool virtio_is_live(const struct hatch_virtio_proxy *p)
{
	return (p->status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK;
}

/* Whether the registers describe a queue in the guest's RAM; sets the areas' sizes. */
bool hatch_virtio_place_queue(const struct hatch_guest *guest, struct hatch_virtio_queue *q);
/* Takes what the guest has made available. */
void hatch_virtio_take(struct hatch_virtio_proxy *p, uint32_t index);
/* Tells the guest what the device has used, in all queues, and goes on with what was held. */
void hatch_virtio_give_all(struct hatch_virtio_proxy *p);
/* The same, but takes nothing new. Returns how many chains are in flight. */
uint32_t hatch_virtio_drain(struct hatch_virtio_proxy *p);
/* Gives the real device chains that were in flight before it was reset. */
void hatch_virtio_replay(struct hatch_virtio_proxy *p, uint32_t index, const uint16_t *heads,
			 uint16_t count);

/* ---- virtio_proxy.c ---- */

/* Sets bits of InterruptStatus; 0: tells the line what it is, also when it knows. */
void hatch_virtio_raise(struct hatch_virtio_proxy *p, uint32_t interrupts);
/* Clears bits of it. */
void hatch_virtio_acknowledge(struct hatch_virtio_proxy *p, uint32_t interrupts);
/* As after power-on, the real device included. */
void hatch_virtio_reset(struct hatch_virtio_proxy *p);
/* The guest loses the device until it resets it. `why` is static. */
void hatch_virtio_break(struct hatch_virtio_proxy *p, const char *why);

/* ---- virtio_registers.c ---- */

/* The guest's access, aligned and of a width that the register has. Returns what a load gets. */
uint64_t hatch_virtio_access(struct hatch_virtio_proxy *p, const struct hatch_event *ev);
/* At an interrupt: opens the window, if there is one and the registers are such that it can be. */
void hatch_virtio_show(struct hatch_virtio_proxy *p);

/* ---- virtio_state.c ---- */

/* Fills p->state, when the queues are known. */
void hatch_virtio_state_init(struct hatch_virtio_proxy *p);

#endif
