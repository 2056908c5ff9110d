/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory as the guest itself sees it: by guest-virtual address, through its own page
 * table, with its rights of the moment. For handlers that finish an instruction in its place.
 * Memory by guest-physical address: guest.h.
 */
#ifndef HATCH_ACCESS_H
#define HATCH_ACCESS_H

#include <hatch/cont.h>

/*
 * Loads `width` bytes (1, 2, 4 or 8; zero-extended into *value) from guest-virtual `at`, or
 * stores the low `width` bytes of `value` there, as the mode that trapped would: VS or VU, by
 * vsatp, vsstatus.SUM and MXR. Aligned accesses are single ones; a misaligned one goes byte by
 * byte, and a store that fails may have stored the bytes before. (Privileged ISA 20240411, 18.3.1)
 *
 * Errors: HATCH_EFAULT, and *trap is what the guest's own access would have met. Answer with
 * `return hatch_throw(k, &trap)`: a missing page is mapped, a device is asked, and the guest's
 * own mistakes go to the guest. HATCH_EINVAL: no such width. HATCH_ESTALE: the event is no longer
 * the one that this hart waits with: use it within its handler.
 */
int hatch_cont_load(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t *value,
		    struct hatch_trap *trap);
int hatch_cont_store(const struct hatch_cont *k, hatch_gva at, unsigned int width, uint64_t value,
		     struct hatch_trap *trap);

#endif
