/* SPDX-License-Identifier: MIT */
/*
 * Registers that a guest reads without an event: a page that is mapped without W, outside of all
 * regions. What it maps is no RAM, so that a store to it is an mmio event as it ever was.
 */
#include <hatch/handlers/window.h>

int hatch_window_init(struct hatch_window *window, struct hatch_guest *guest, hatch_gpa at)
{
	const struct hatch_memory *memory = guest->stage.memory;

	*window = (struct hatch_window){ .guest = guest, .memory = memory, .at = at };
	if (at.addr & (HATCH_PAGE_SIZE - 1) || hatch_guest_region(guest, at))
		return HATCH_EINVAL;
	window->page = memory->alloc(memory->arg, HATCH_PAGE_SIZE, HATCH_PAGE_SIZE);
	if (!window->page)
		return HATCH_ENOMEM;
	window->hpa = memory->physical(memory->arg, window->page);
	window->state = HATCH_WINDOW_SHUT;
	return HATCH_OK;
}

void hatch_window_fini(struct hatch_window *window)
{
	hatch_window_shut(window);
	if (window->page)
		window->memory->free(window->memory->arg, window->page, HATCH_PAGE_SIZE);
	window->page = NULL;
	window->state = HATCH_WINDOW_NONE;
}

void hatch_window_open(struct hatch_window *window)
{
	int error;

	if (window->state != HATCH_WINDOW_SHUT)
		return;
	error = hatch_gstage_map(&window->guest->stage, window->at, window->hpa, HATCH_PAGE_SIZE,
				 HATCH_PROT_READ);
	window->state = error ? HATCH_WINDOW_FAILED : HATCH_WINDOW_OPEN;
}

/* It cannot fail: a leaf of one page need not be split. */
void hatch_window_shut(struct hatch_window *window)
{
	if (window->state != HATCH_WINDOW_OPEN)
		return;
	hatch_gstage_unmap(&window->guest->stage, window->at, HATCH_PAGE_SIZE);
	window->state = HATCH_WINDOW_SHUT;
}

/*
 * A clone was made with whatever was mapped then. So it is taken out of the clone, even when there
 * is no page any more.
 */
void hatch_window_move(struct hatch_window *window, struct hatch_guest *guest)
{
	struct hatch_mapping m;

	if (!window->guest)
		return;
	hatch_window_shut(window);
	window->guest = guest;
	if (!hatch_gstage_lookup(&guest->stage, window->at, &m) && m.hpa.addr == window->hpa.addr)
		hatch_gstage_unmap(&guest->stage, window->at, HATCH_PAGE_SIZE);
	if (window->page)
		window->state = HATCH_WINDOW_SHUT;
}
