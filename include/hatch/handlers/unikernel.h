/* SPDX-License-Identifier: MIT */
/*
 * What a unikernel needs from its host, as one clause: eight hypercalls (abi.h) in place of devices.
 * A clock, a console, a disk, a network, a way to wait, and an end. There are no interrupts, no
 * queues in shared memory and nothing to discover: a guest knows its world from three registers.
 *
 *	hatch_unikernel_init(&u, wall_ns, NULL);
 *	hatch_unikernel_disk(&u, bytes, 512, 128);
 *	hatch_unikernel_add(&u, &t.scope);
 *	hatch_vcpu_reset(&vcpu, entry, 0, 0);
 *	hatch_unikernel_greet(&u, &vcpu);
 *	while (hatch_try_run(&t) == HATCH_UNWOUND && hatch_unikernel_waits(&u))
 *		do_something_else_until(hatch_unikernel_ready, &u);
 *
 * Waiting: a handler must not wait, and a guest that asks again and again burns a hart. So poll
 * leaves the try (HATCH_UNWOUND) when there is nothing to tell. The guest stands before its call.
 * When the try is run again the call is made again, and since it names a point in time, not a
 * distance, it means the same as before however often that happens. In the same way the try is left
 * with HATCH_ENOMEM when the guest shares its pages with a clone and the host has none left.
 */
#ifndef HATCH_HANDLERS_UNIKERNEL_H
#define HATCH_HANDLERS_UNIKERNEL_H

#include <hatch/abi.h>
#include <hatch/catch.h>

#define HATCH_UNIKERNEL_FRAMES	 8	    /* that wait for the guest at most */
#define HATCH_UNIKERNEL_PUTS_MAX 4096	    /* bytes of one call */
#define HATCH_UNIKERNEL_WAITS	 0x706f6c6c /* status of a try that poll has left */

struct hatch_unikernel_frame {
	uint16_t size; /* bytes */
	uint8_t bytes[HATCH_UNIKERNEL_FRAME_MAX];
};

/*
 * All that changes while the guest runs, in one piece without pointers: a copy of it, of the
 * guest's RAM and registers, and of its disk is all there is to a guest.
 * Invariants: `count` frames wait, from `first` on; `waits` is set exactly while the guest stands
 * before a poll that has left the try, and `until` is then the time that it named.
 */
struct hatch_unikernel_state {
	uint64_t until;	  /* nanoseconds since 1970 */
	uint64_t refused; /* frames for which there was no room */
	uint8_t waits;	  /* 0 or 1 */
	uint8_t first, count;
	struct hatch_unikernel_frame frame[HATCH_UNIKERNEL_FRAMES];
};

/*
 * The user owns it, and fills `write` and `net` after hatch_unikernel_init where wanted; NULL: the
 * guest's text is dropped, there is no network. One lock would guard all of it, taken by the
 * clause, by hatch_unikernel_receive and by hatch_unikernel_ready.
 */
struct hatch_unikernel {
	uint64_t (*wall_ns)(void *arg);				  /* nanoseconds since 1970 */
	void (*write)(void *arg, const void *bytes, size_t size); /* the guest says something */
	void *arg;
	struct {
		/* The guest sends a frame. False: nobody has room, the guest may try again. */
		bool (*send)(void *arg, const void *frame, size_t size);
		void *arg;
		uint64_t address; /* the guest's own, 48 bits; not 0 */
	} net;
	struct {
		uint8_t *bytes;
		uint64_t sectors;
		uint32_t sector_size; /* bytes */
		bool read_only;
	} disk;
	struct hatch_unikernel_state state;
	struct hatch_state saved; /* `state`, for clones, transactions and snapshots */
	struct hatch_catch clause;
};

/* A guest's world with a clock only. The clock is needed. */
void hatch_unikernel_init(struct hatch_unikernel *u, uint64_t (*wall_ns)(void *arg), void *arg);

/*
 * Adds the clause and the state to the scope, or neither. The state is what the guest waits for and
 * the frames on their way to it. Not what is outside: a frame that was sent stays sent, and a
 * sector that was written stays written, whatever becomes of the continuation that wrote it.
 * Errors: those of hatch_catch_add and hatch_state_add.
 */
int hatch_unikernel_add(struct hatch_unikernel *u, struct hatch_scope *scope);

/*
 * Gives the guest a disk of so many sectors in memory of the caller's, which must outlive u and
 * must not be the guest's own. sector_size: a power of two from 512 to 4096, bytes.
 * Errors: HATCH_EINVAL (NULL, no sectors, another sector size, more than the address space has).
 */
int hatch_unikernel_disk(struct hatch_unikernel *u, void *bytes, uint32_t sector_size,
			 uint64_t sectors);

/* As after power-on: no frame waits. What is on the disk stays. For a guest that is restarted. */
void hatch_unikernel_reset(struct hatch_unikernel *u);

/* Tells the guest its world, in a0 to a2 (abi.h). Call it behind hatch_vcpu_reset. */
void hatch_unikernel_greet(const struct hatch_unikernel *u, struct hatch_vcpu *vcpu);

/*
 * A frame arrives for the guest; it is copied. False, and `refused` counts it: no room, or no frame
 * by its size. The signature is that of net.send: with the other's address as net.arg two
 * unikernels are joined by a wire.
 */
bool hatch_unikernel_receive(void *unikernel, const void *frame, size_t size);

/* Whether the guest has left its try by a poll and not gone on since. */
bool hatch_unikernel_waits(const struct hatch_unikernel *u);

/* Whether it is worth running: it does not wait, a frame is there, or the time has come. */
bool hatch_unikernel_ready(const struct hatch_unikernel *u);

#endif
