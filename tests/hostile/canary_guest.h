/* SPDX-License-Identifier: MIT */
/* The parts of the guest that looks for canaries. */
#ifndef CANARY_GUEST_H
#define CANARY_GUEST_H

#include "canary_world.h"
#include "guest.h"

/* An address to try. */
struct canary_target {
	uint64_t at;
	bool foreign; /* nothing is there: a try gets zeros, or nothing */
};

/* canary_guest.c */
uint64_t canary_any_bits(void);
uint64_t canary_any(uint64_t below);
struct canary_target canary_target(void);
struct canary_target canary_target_outside(void); /* of the guest's RAM, but for its edge */
void canary_log_bytes(const volatile void *bytes, uint64_t size);
void canary_log_value(uint64_t value);
void canary_got(uint64_t value, bool foreign);

/* canary_touch.c: what the instruction got; 0 when it got nothing. */
uint64_t canary_load(uint64_t at);
uint64_t canary_atomic(uint64_t at);
uint64_t canary_fetch(uint64_t at);
uint64_t canary_hypervisor(uint64_t at); /* ~0 when the instruction was there */

/* One try each. */
void canary_try_leaf(void); /* canary_pages.c */
void canary_try_walk(void);
void canary_try_root(void);
void canary_try_console(void); /* canary_calls.c */
void canary_try_call(void);
void canary_try_disk(void); /* canary_virtio.c */
void canary_try_serial(void);

#endif
