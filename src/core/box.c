/* SPDX-License-Identifier: MIT */
/*
 * A box: what a called function may touch. Everything is mapped where the program has it, so
 * that pointers mean the same on both sides.
 */
#include <string.h>

#include <hatch/csr.h>
#include "apply.h"
#include "call.h"
#include "fast.h"
#include "hart.h"

static bool is_page_aligned(uint64_t n)
{
	return (n & (HATCH_PAGE_SIZE - 1)) == 0;
}

static uint64_t page_up(uint64_t size)
{
	return (size + HATCH_PAGE_SIZE - 1) & ~(HATCH_PAGE_SIZE - 1);
}

static bool is_range(const void *start, const void *end)
{
	return start && is_page_aligned((uintptr_t)start | (uintptr_t)end) && start < end;
}

static bool is_image(const struct hatch_box_image *image)
{
	const uint8_t *text = image->text, *text_end = image->text_end;
	size_t tls = (size_t)((uintptr_t)image->tls_end - (uintptr_t)image->tls);

	return is_range(text, text_end) && is_range(image->rodata, image->rodata_end) &&
	       hatch_call_return >= text && hatch_call_return < text_end &&
	       tls <= image->tls_size && image->tls_size <= HATCH_BOX_STACK_ROOM;
}

static int check_sizes(size_t stack_size, size_t heap_size)
{
	if (!stack_size || !is_page_aligned(stack_size | heap_size))
		return HATCH_EINVAL;
	if (stack_size > HATCH_BOX_STACK_ROOM || heap_size > HATCH_BOX_STACK_ROOM)
		return HATCH_E2BIG;
	return 0;
}

/* Maps [start, start + size) to itself; nothing when size is 0. */
static int map(struct hatch_box *box, const void *start, uint64_t size, unsigned int prot)
{
	return size ? hatch_guest_lend(&box->guest, hatch_gpa_of((uintptr_t)start), (void *)start,
				       size, prot)
		    : 0;
}

static int map_image(struct hatch_box *box)
{
	const struct hatch_box_image *image = &box->image;
	const unsigned int execute = HATCH_PROT_READ | HATCH_PROT_EXEC;
	uint64_t text_size = (uintptr_t)image->text_end - (uintptr_t)image->text;
	uint64_t rodata_size = (uintptr_t)image->rodata_end - (uintptr_t)image->rodata;
	int error = map(box, image->text, text_size, execute);

	return error ? error : map(box, image->rodata, rodata_size, HATCH_PROT_READ);
}

static int map_block(struct hatch_box *box)
{
	const unsigned int data = HATCH_PROT_READ | HATCH_PROT_WRITE;
	uint64_t tls_size = page_up(box->image.tls_size);
	int error = map(box, box->stack_top - box->stack_size, box->stack_size, data);

	if (!error)
		error = map(box, box->tls, tls_size, data);
	return error ? error : map(box, box->heap, box->heap_size, data);
}

/* The block is its own proof that the memory's addresses are the machine's. */
static int take_block(struct hatch_box *box, const struct hatch_memory *memory)
{
	uint64_t tls_size = page_up(box->image.tls_size);

	box->block_size = BOX_STACK_GUARD + box->stack_size + BOX_GUARD + tls_size + BOX_GUARD +
			  box->heap_size + BOX_GUARD;
	box->block = memory->alloc(memory->arg, box->block_size, HATCH_PAGE_SIZE);
	if (!box->block)
		return HATCH_ENOMEM;
	box->stack_top = box->block + BOX_STACK_GUARD + box->stack_size;
	box->tls = box->stack_top + BOX_GUARD;
	box->heap = box->tls + tls_size + BOX_GUARD;
	if (memory->physical(memory->arg, box->block).addr != (uintptr_t)box->block)
		return HATCH_ENOTSUP;
	return 0;
}

static int map_all(struct hatch_box *box, const struct hatch_memory *memory)
{
	int error = map_image(box);

	if (!error)
		error = take_block(box, memory);
	return error ? error : map_block(box);
}

static void give_back(struct hatch_box *box)
{
	const struct hatch_memory *memory = box->guest.stage.memory;

	hatch_guest_fini(&box->guest);
	if (box->block)
		memory->free(memory->arg, box->block, box->block_size);
	box->block = NULL;
	box->state = HATCH_BOX_GONE;
}

/* What the boxed function finds in its registers: nothing of the host. All exits are ours. */
static void reset_registers(struct hatch_box *box)
{
	struct hatch_vcpu *vcpu = &box->vcpu;

	box->resumable = false;
	hatch_vcpu_reset_user(vcpu, hatch_gpa_of(0), 0);
	vcpu->vs.scounteren = 0;
	vcpu->confine.hedeleg = 0;
	vcpu->confine.hcounteren = 0;
	vcpu->confine.henvcfg = 0;
}

/* The heap's books, at its start. */
struct heap {
	uint64_t used, size; /* bytes, this header included */
};

static void reset_memory(struct hatch_box *box)
{
	const struct hatch_box_image *image = &box->image;
	size_t first = (uintptr_t)image->tls_end - (uintptr_t)image->tls;

	memset(box->stack_top - box->stack_size, 0, box->stack_size);
	memset(box->tls, 0, page_up(image->tls_size));
	if (first)
		memcpy(box->tls, image->tls, first);
	if (box->heap_size) {
		memset(box->heap, 0, box->heap_size);
		*(struct heap *)box->heap = (struct heap){ sizeof(struct heap), box->heap_size };
	}
}

int hatch_box_init(struct hatch_box *box, const struct hatch_memory *memory,
		   const struct hatch_box_image *image, size_t stack_size, size_t heap_size)
{
	int error;

	if (!box || !memory || !image || !is_image(image))
		return HATCH_EINVAL;
	error = check_sizes(stack_size, heap_size);
	if (error)
		return error;
	*box = (struct hatch_box){
		.state = HATCH_BOX_GONE,
		.image = *image,
		.stack_size = stack_size,
		.heap_size = heap_size,
	};
	error = hatch_guest_init(&box->guest, memory);
	if (error)
		return error;
	error = map_all(box, memory);
	if (!error)
		error = hatch_vcpu_init(&box->vcpu, &box->guest);
	if (!error)
		error = hatch_try_init(&box->t, &box->vcpu);
	if (error) {
		give_back(box);
		return error;
	}
	hatch_fast_forget(&box->t);
	box->running = &box->t;
	reset_registers(box);
	reset_memory(box);
	box->state = HATCH_BOX_READY;
	return 0;
}

int hatch_box_park(struct hatch_box *box)
{
	if (!box)
		return HATCH_EINVAL;
	if (box->state == HATCH_BOX_GONE)
		return HATCH_ESTALE;
	if (box->state == HATCH_BOX_RUNNING)
		return HATCH_EBUSY;
	hatch_hart_forget(&box->vcpu);
	if (hatch_hart_this()->current == &box->vcpu)
		hatch_vcpu_put(&box->vcpu);
	return box->vcpu.live ? HATCH_EBUSY : 0;
}

int hatch_box_fini(struct hatch_box *box)
{
	int error = hatch_box_park(box);

	if (!error)
		give_back(box);
	return error;
}

int hatch_box_reset(struct hatch_box *box)
{
	int error = hatch_box_park(box);

	if (error)
		return error;
	reset_registers(box);
	reset_memory(box);
	box->state = HATCH_BOX_READY;
	return 0;
}

int hatch_box_limit(struct hatch_box *box, uint64_t ticks)
{
	if (!box)
		return HATCH_EINVAL;
	if (box->state == HATCH_BOX_GONE)
		return HATCH_ESTALE;
	if (box->state == HATCH_BOX_RUNNING)
		return HATCH_EBUSY;
	box->ticks = ticks;
	return 0;
}

void *hatch_box_heap(const struct hatch_box *box)
{
	return box && box->heap_size ? box->heap : NULL;
}

/* Runs in the box, or it would trust what the box wrote. */
void *hatch_heap_alloc(void *heap, size_t size)
{
	struct heap *books = heap;
	uint64_t need = (size + 15) & ~UINT64_C(15);
	void *found = (uint8_t *)heap + books->used;

	if (need < size || need > books->size - books->used)
		return NULL;
	books->used += need;
	return found;
}
