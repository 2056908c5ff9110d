/* SPDX-License-Identifier: MIT */
/*
 * A window: a device's registers as a page that the guest may read. A load of a register is then a
 * load of memory, and no event: it costs nothing, where an exit costs some hundred instructions on a
 * chip and ten microseconds under an emulator. A store still faults, and comes to the device's
 * clause as before. For registers that are read often, without a side effect, and whose value is
 * known whenever it changes.
 *
 * The page is the host's, not the guest's RAM: no region contains it, no request of a virtio device
 * may name it, no snapshot has it. The device's clause stays the truth. While the window is shut
 * there is nothing at its address, and loads are events: so whoever cannot have a value right in
 * memory shuts the window, changes what has to be changed, and opens it with what is true then. The
 * host never reads the page: what stands there is for the guest alone.
 *
 * What is different for a guest: accesses of any width read what is there, also where the clause
 * would refuse them; so does the rest of the page, which is zero. And a scope further in does not
 * see the loads, nor does an observer.
 */
#ifndef HATCH_HANDLERS_WINDOW_H
#define HATCH_HANDLERS_WINDOW_H

#include <hatch/guest.h>

enum hatch_window_state {
	HATCH_WINDOW_NONE,   /* there was never one: all of the functions do nothing */
	HATCH_WINDOW_SHUT,   /* loads are events */
	HATCH_WINDOW_OPEN,   /* loads read the page */
	HATCH_WINDOW_FAILED, /* shut, and not to be tried again in this guest */
};

/*
 * Its device owns it; all zero is none. The device's lock guards it, and is held by whoever calls
 * the functions. They take the lock of the guest's memory.
 * Invariant: the page is mapped in `guest`, for reading, exactly while the state is OPEN. Clones of
 * that guest may have it mapped, too, which do not run before hatch_window_move was called for them.
 */
struct hatch_window {
	struct hatch_guest *guest;
	const struct hatch_memory *memory;
	hatch_gpa at;
	hatch_hpa hpa; /* of the page, also when that is gone */
	uint32_t *page;
	enum hatch_window_state state;
};

/*
 * A window, shut, at guest-physical `at`: a page that holds nothing but registers of its device, and
 * is in no region. `guest` is borrowed. Takes one page from its memory, until hatch_window_fini;
 * open, the window takes tables as well.
 *
 * Only for a guest that cannot choose the memory type of a page: HENVCFG_PBMTE (Svpbmt) is not in
 * the henvcfg of its vcpus. Else it could read around the caches in which the page is written.
 *
 * Whoever has a window shuts it when its state is saved, and moves it when that is put back:
 * without a state its guest must not be cloned.
 * Errors: HATCH_EINVAL (`at` not aligned to 4 KiB, or RAM), HATCH_ENOMEM. There is none then, which
 * does no harm: all loads are events.
 */
int hatch_window_init(struct hatch_window *window, struct hatch_guest *guest, hatch_gpa at);

/*
 * Shuts it and gives the page back. If it is open its guest must not have ended. A clone that waits
 * to be run may still have the page mapped: let hatch_window_move be called, as by the device's
 * state, before it runs.
 */
void hatch_window_fini(struct hatch_window *window);

/*
 * Has loads read the page, in which all registers have their values. Without memory for the tables,
 * or where something else is mapped there, they stay events.
 */
void hatch_window_open(struct hatch_window *window);

/* Has loads be events again: on return no hart reads the page any more. */
void hatch_window_shut(struct hatch_window *window);

/* The device is `guest`'s from now on, which does not run: the window is shut in both. */
void hatch_window_move(struct hatch_window *window, struct hatch_guest *guest);

/* Whether there is one, and it could be opened. */
static inline bool hatch_window_is_shut(const struct hatch_window *window)
{
	return window->state == HATCH_WINDOW_SHUT;
}

/*
 * The register at `offset` (bytes, a multiple of 4) has this value from now on. The guest sees it at
 * once, and before anything that the host does afterwards and the guest can see, for the way there
 * leads through a lock or through the guest's own hart.
 */
static inline void hatch_window_set(struct hatch_window *window, uint64_t offset, uint32_t value)
{
	if (window->state != HATCH_WINDOW_NONE)
		__atomic_store_n(&window->page[offset % HATCH_PAGE_SIZE / 4], value,
				 __ATOMIC_RELEASE);
}

#endif
