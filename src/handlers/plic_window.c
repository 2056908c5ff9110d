/* SPDX-License-Identifier: MIT */
/*
 * The enable bits as memory that the guest reads. They change with the guest's own stores, word by
 * word; where all of them change at once the windows are shut, until the next store of the guest.
 */
#include "plic_internal.h"

enum { CONTEXTS_OF_WINDOW = HATCH_PAGE_SIZE / ENABLE_STRIDE };

_Static_assert(HATCH_PLIC_WINDOWS *CONTEXTS_OF_WINDOW == HATCH_PLIC_CONTEXTS, "a window for each");

void hatch_plic_add_windows(struct hatch_plic *plic, struct hatch_guest *guest)
{
	uint64_t at = plic->clause.first + ENABLE_BASE;

	hatch_lock_acquire(&plic->lock);
	for (unsigned int i = 0; i * CONTEXTS_OF_WINDOW < plic->contexts; i++)
		hatch_window_init(&plic->window[i], guest, hatch_gpa_of(at + i * HATCH_PAGE_SIZE));
	hatch_lock_release(&plic->lock);
}

void hatch_plic_fini(struct hatch_plic *plic)
{
	hatch_lock_acquire(&plic->lock);
	for (unsigned int i = 0; i < HATCH_PLIC_WINDOWS; i++)
		hatch_window_fini(&plic->window[i]);
	hatch_lock_release(&plic->lock);
}

static void fill(struct hatch_plic *plic, unsigned int window)
{
	unsigned int first = window * CONTEXTS_OF_WINDOW, end = first + CONTEXTS_OF_WINDOW;

	for (unsigned int i = first; i < end && i < plic->contexts; i++)
		for (unsigned int word = 0; word < HATCH_PLIC_WORDS; word++)
			hatch_window_set(&plic->window[window],
					 (i - first) * ENABLE_STRIDE + word * 4,
					 plic->context[i].enable[word]);
}

void hatch_plic_show(struct hatch_plic *plic)
{
	for (unsigned int i = 0; i < HATCH_PLIC_WINDOWS; i++) {
		if (!hatch_window_is_shut(&plic->window[i]))
			continue;
		fill(plic, i);
		hatch_window_open(&plic->window[i]);
	}
}

void hatch_plic_hide(struct hatch_plic *plic)
{
	for (unsigned int i = 0; i < HATCH_PLIC_WINDOWS; i++)
		hatch_window_shut(&plic->window[i]);
}

void hatch_plic_move(struct hatch_plic *plic, const struct hatch_vcpu *vcpu)
{
	for (unsigned int i = 0; i < HATCH_PLIC_WINDOWS; i++)
		hatch_window_move(&plic->window[i], vcpu->guest);
}
