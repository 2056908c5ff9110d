/* SPDX-License-Identifier: MIT */
/*
 * A virtio device of the real machine, for a guest, as a clause.
 *
 * Virtual I/O Device (VIRTIO) 1.2, 4.2.2: the register block of virtio-mmio, version 2. Whatever
 * type the device has, its registers, features and configuration are forwarded. Its queues are
 * not: the device reads and writes memory by host-physical address, which the guest neither knows
 * nor may choose. So each queue is there twice. The guest's is in its RAM; the device's, the
 * shadow, is in the host's. A request is read once from the one, checked, translated, and written
 * to the other; when the device has used it, the guest is told in its own queue.
 *
 *	hatch_virtio_proxy_init(&proxy, &guest, hatch_gpa_of(0x10001000), &real);
 *	proxy.line = hatch_plic_line;
 *	proxy.line_arg = &line;
 *	hatch_catch_add(&scope, &proxy.clause);
 *	...
 *	hatch_virtio_proxy_interrupt(&proxy);    when the real device interrupts the host
 *
 * A guest whose queue makes no sense loses the device until it resets it: the real one is reset
 * at once, and the guest sees DEVICE_NEEDS_RESET (2.1.2). Nothing else happens to it or to others.
 *
 * Which types: those whose requests hold no addresses of memory themselves. Where the
 * specification puts such addresses inside a buffer (balloon, GPU, memory, IOMMU, ...) the device
 * would be told to use memory that is not the guest's. A type that is not known to be free of
 * that is refused; HATCH_VIRTIO_TYPES lists who is not.
 */
#ifndef HATCH_HANDLERS_VIRTIO_PROXY_H
#define HATCH_HANDLERS_VIRTIO_PROXY_H

#include <hatch/catch.h>
#include <hatch/handlers/window.h>
#include <hatch/lock.h>

#define HATCH_VIRTIO_SIZE   0x200 /* bytes of guest-physical address space */
#define HATCH_VIRTIO_QUEUES 64	  /* of one device, at most */
#define HATCH_VIRTIO_RING   1024  /* entries of one queue, at most: a device's own maximum is cut */

/* DeviceIDs that can be forwarded (chapter 5), for a message. */
#define HATCH_VIRTIO_TYPES                                                                         \
	"1 net, 2 block, 3 console, 4 entropy, 8 SCSI, 9 9P, 18 input, 19 socket, 20 crypto, "     \
	"25 sound, 26 file system, 34 I2C, 41 GPIO"

/*
 * The register block of a real device of version 2: offsets and widths as of 4.2.2, widths 1, 2
 * and 4, always aligned. A store comes behind, and a load before, every access to memory around
 * it, as the device sees them: on RISC-V `fence iorw, iorw` ahead of a store and behind a load.
 * Called with the proxy's lock held, on any hart.
 */
struct hatch_virtio_real {
	uint64_t (*load)(void *arg, uint64_t offset, unsigned int width);
	void (*store)(void *arg, uint64_t offset, unsigned int width, uint64_t value);
	void *arg;
};

/* What happened since hatch_virtio_proxy_init. Read without the lock: each number is true alone. */
struct hatch_virtio_counts {
	uint64_t kicks;	     /* the guest wrote QueueNotify */
	uint64_t chains;     /* requests that were handed to the device */
	uint64_t used;	     /* ... and that the guest was told about */
	uint64_t notified;   /* the device's QueueNotify was written */
	uint64_t interrupts; /* the device interrupted and had something to tell */
	uint64_t raised;     /* the guest was interrupted for used requests */
	uint64_t held;	     /* taking requests ended because the shadow was full */
	uint64_t resets;     /* by the guest */
	uint64_t broken;     /* the guest, or the device, did what it must not */
};

struct hatch_virtio_queue;

/*
 * The user owns it and fills the sinks after hatch_virtio_proxy_init; each may be NULL.
 * `lock` guards all of it but the sinks, and the real device's registers; it is taken by the
 * clause, by the state, by hatch_virtio_proxy_interrupt and by hatch_virtio_proxy_reset. With it
 * held the locks of the guest's memory and of whoever the sinks lead to are taken: never call in
 * here with one of those held.
 * Invariants: `level` is what `line` was told last, and high exactly if `interrupts` is not 0;
 * the device is given requests only while `status` has DRIVER_OK and not DEVICE_NEEDS_RESET;
 * what it may access is its shadow queues and the guest's RAM, of this RAM what a request in
 * flight named, to be written only where the guest may write.
 */
struct hatch_virtio_proxy {
	/* The interrupt line changes. */
	void (*line)(void *arg, bool level);
	void *line_arg;
	/*
	 * A request names a page of a lazy region that the guest has not touched yet, at `gpa`: map
	 * it as a first touch would. Returns whether it was done; else the request is refused.
	 */
	bool (*page)(void *arg, struct hatch_guest *guest, hatch_gpa gpa);
	void *page_arg;

	struct hatch_lock lock;
	struct hatch_virtio_real real;
	struct hatch_guest *guest;
	const struct hatch_memory *memory; /* whose the queues are */
	struct hatch_virtio_queue *queue;
	uint32_t queues;
	uint32_t device_id;
	uint64_t offered;  /* features that the guest is shown */
	uint64_t accepted; /* those that it wrote */
	bool beyond;	   /* it wrote one of those from 64 on, which are never offered */
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t status;     /* of the guest's device */
	uint32_t interrupts; /* InterruptStatus of the guest's device */
	bool level;
	struct hatch_window window; /* open only while the device is given requests */
	unsigned int calm;	    /* interrupts ahead of which the guest changed no register */
	bool dead; /* the real device did not obey a reset: it is never used again */
	struct hatch_virtio_counts count;
	/*
	 * Why hatch_virtio_proxy_init failed, or why the guest lost its device last: one line, or
	 * NULL. Never freed.
	 */
	const char *problem;
	struct hatch_catch clause;
	char name[32]; /* of the state: "virtio@" and the address */
	/*
	 * The registers, the places of the queues, and which requests are in flight; no contents of
	 * the device behind them (what was sent or written stays so) and no address of the host.
	 * When it is put back the real device is reset and set up anew for the guest, and what was
	 * in flight is given to it once more. That is right where a device knows nothing but its
	 * queues: net, block, entropy, console, I2C (virtio_types.c says under which features). Of
	 * other types, or when the requests in flight make no sense any more, the guest is told
	 * DEVICE_NEEDS_RESET. HATCH_ENOTSUP: the device here is not of the same type, or has other
	 * queues or fewer features.
	 */
	struct hatch_state state;
};

/*
 * Takes the real device, resets it, and makes it a device of `guest` at guest-physical `base`.
 * `guest` is borrowed; a clone's takes its place when the state is put back for that clone. Takes
 * memory for the queues from the guest's memory: about 50 bytes for each entry of each queue.
 * Add proxy->clause to a scope, and proxy->state if the guest may be cloned, rolled back or saved.
 *
 * The device reads and writes RAM of the guest at any time. So before RAM is unmapped or the guest
 * ended, call hatch_virtio_proxy_reset or hatch_virtio_proxy_fini.
 *
 * Errors, with proxy->problem as the sentence to print: HATCH_EINVAL (NULL, base not aligned to
 * 4 KiB); HATCH_ENOENT (DeviceID 0: no device is plugged in there); HATCH_ENOTSUP (a legacy device
 * of version 1: with QEMU say -global virtio-mmio.force-legacy=false; no virtio-mmio device at
 * all; a type whose requests can hold addresses; no VIRTIO_F_VERSION_1; too many queues; the
 * device does not obey a reset); HATCH_ENOMEM. On failure nothing is kept.
 */
int hatch_virtio_proxy_init(struct hatch_virtio_proxy *proxy, struct hatch_guest *guest,
			    hatch_gpa base, const struct hatch_virtio_real *real);

/*
 * Lets the guest read the registers without an event while its driver uses the device, and has
 * stored to no register but QueueNotify and InterruptACK for 32 interrupts: of the exits that a
 * request takes it saves that for InterruptStatus. The configuration is read by words of 4 bytes for
 * this, whatever its fields are. The page at the proxy's base must be the
 * proxy's alone. window.h says when a guest cannot have this, and how the state has to do with it.
 * Without memory there is no window. Call it once, behind hatch_virtio_proxy_init.
 */
void hatch_virtio_proxy_add_window(struct hatch_virtio_proxy *proxy);

/*
 * Resets the real device and gives all memory back. The clause must be out of force. Memory that
 * a device keeps using because it does not obey the reset is not given back.
 */
void hatch_virtio_proxy_fini(struct hatch_virtio_proxy *proxy);

/*
 * As after power-on, the real device included: requests in flight are dropped. On return the
 * device uses no memory of the guest. Call it when the guest is restarted.
 */
void hatch_virtio_proxy_reset(struct hatch_virtio_proxy *proxy);

/* The real device interrupts the host. From any hart; harmless when it does not. */
void hatch_virtio_proxy_interrupt(struct hatch_virtio_proxy *proxy);

/*
 * Writes the node into a tree that is being written with libfdt's sequential calls, within a bus
 * node of two address and two size cells. The device interrupts as `source` of the interrupt
 * controller with phandle `parent`. Errors: those of libfdt (negative).
 */
int hatch_virtio_proxy_fdt(const struct hatch_virtio_proxy *proxy, void *fdt, uint32_t parent,
			   uint32_t source);

#endif
