/* SPDX-License-Identifier: MIT */
/*
 * Memory on demand, with a write barrier: a page comes when it is touched, read-only, and turns
 * writable when it is written. So the host knows which pages changed since the last checkpoint.
 */
#include "demo.h"

#define HEAP_BASE  0x90000000 /* guest-physical */
#define HEAP_PAGES 16

static struct demo demo;
static void *heap[HEAP_PAGES]; /* NULL: not there yet */

static void page_protect(unsigned int n, unsigned int prot)
{
	hatch_gpa gpa = hatch_gpa_of(HEAP_BASE + n * HATCH_PAGE_SIZE);

	demo_need(hatch_gstage_protect(&demo.guest.stage, gpa, HATCH_PAGE_SIZE, prot), "protect");
}

static void page_bring(unsigned int n)
{
	const struct hatch_memory *memory = hatch_board_memory();
	hatch_gpa gpa = hatch_gpa_of(HEAP_BASE + n * HATCH_PAGE_SIZE);

	heap[n] = memory->alloc(memory->arg, HATCH_PAGE_SIZE, HATCH_PAGE_SIZE);
	demo_need(heap[n] ? HATCH_OK : HATCH_ENOMEM, "page");
	demo_need(hatch_gstage_map(&demo.guest.stage, gpa, memory->physical(memory->arg, heap[n]),
				   HATCH_PAGE_SIZE, HATCH_PROT_READ),
		  "map");
}

/* When the page is as the guest needs it, the same instruction runs again: RETRY. */
static enum hatch_verdict on_page(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	unsigned int n = (ev->page.gpa.addr - HEAP_BASE) / HATCH_PAGE_SIZE;

	(void)arg;
	if (!heap[n]) {
		page_bring(n);
		printf("page %u: brought, read-only\n", n);
	} else {
		page_protect(n, HATCH_PROT_READ | HATCH_PROT_WRITE);
		printf("page %u: written, dirty from now on\n", n);
	}
	return hatch_retry(k);
}

/* All pages are clean again: the next store to each of them is caught. */
static enum hatch_verdict on_checkpoint(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	(void)arg;
	printf("checkpoint %llu\n", demo_number(ev->hypercall.arg[0]));
	for (unsigned int n = 0; n < HEAP_PAGES; n++)
		if (heap[n])
			page_protect(n, HATCH_PROT_READ);
	return hatch_resume(k, 0);
}

int main(void)
{
	const struct hatch_memory *memory = hatch_board_memory();
	const uint64_t size = HEAP_PAGES * HATCH_PAGE_SIZE;
	struct hatch_catch on_heap = HATCH_ON_PAGE(HEAP_BASE, size, on_page, NULL);
	struct hatch_catch on_call = HATCH_ON_HYPERCALL(HATCH_DEMO_EID, on_checkpoint, NULL);
	int status;

	demo_begin(&demo);
	demo_need(hatch_guest_add_lazy(&demo.guest, hatch_gpa_of(HEAP_BASE), size), "heap");
	demo_catch(&demo, &on_heap);
	demo_catch(&demo, &on_call);
	hatch_try_run(&demo.t);
	status = demo_end(&demo);
	for (unsigned int n = 0; n < HEAP_PAGES; n++)
		memory->free(memory->arg, heap[n], HATCH_PAGE_SIZE);
	return status;
}
