/* SPDX-License-Identifier: MIT */
/*
 * Bad input to the call form: each function refuses it by name and keeps nothing.
 */
#include <hatch/board.h>
#include <hatch/call.h>

#include "check.h"

#define STACK_SIZE HATCH_PAGE_SIZE
#define READ_WRITE (HATCH_PROT_READ | HATCH_PROT_WRITE)
#define GRANTS_MAX 32

static __attribute__((aligned(4096))) uint8_t pages[GRANTS_MAX][4096];
static struct hatch_box box;

static uint64_t answer(void)
{
	return 42;
}

static int offered(void *arg, struct hatch_box *from, const uint64_t args[7], uint64_t *value)
{
	return 0;
}

static int init(const struct hatch_box_image *image, size_t stack_size, size_t heap_size)
{
	return hatch_box_init(&box, hatch_board_memory(), image, stack_size, heap_size);
}

static void begin(void)
{
	expect_equal(init(hatch_board_image(), STACK_SIZE, 0), 0);
}

static void end(void)
{
	expect_equal(hatch_call(&box, answer).value, 42);
	expect_equal(hatch_box_fini(&box), 0);
}

static void bad_sizes(void)
{
	const struct hatch_box_image *image = hatch_board_image();

	expect_equal(init(image, 0, 0), HATCH_EINVAL);
	expect_equal(init(image, 4095, 0), HATCH_EINVAL);
	expect_equal(init(image, 4096, 16), HATCH_EINVAL);
	expect_equal(init(image, HATCH_BOX_STACK_ROOM + 4096, 0), HATCH_E2BIG);
	expect_equal(init(image, 4096, HATCH_BOX_STACK_ROOM + 4096), HATCH_E2BIG);
	expect_equal(init(image, (size_t)-4096, 0), HATCH_E2BIG);
	expect_equal(hatch_box_init(NULL, hatch_board_memory(), image, 4096, 0), HATCH_EINVAL);
	expect_equal(hatch_box_init(&box, NULL, image, 4096, 0), HATCH_EINVAL);
	expect_equal(init(NULL, 4096, 0), HATCH_EINVAL);
}

static const uint8_t *moved(const void *p, ptrdiff_t by)
{
	return (const uint8_t *)p + by;
}

static void bad_images(void)
{
	const struct hatch_box_image good = *hatch_board_image();
	struct hatch_box_image image = good;

	image.text = moved(good.text, 2);
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
	image = good;
	image.text_end = good.text;
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
	image = good;
	image.text = good.rodata, image.text_end = good.rodata_end; /* without the door's end */
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
	image = good;
	image.rodata = NULL;
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
	image = good;
	image.rodata = moved(good.text_end, -4096);
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EOVERLAP);
	image = good;
	image.tls_size = 0;
	image.tls_end = moved(good.tls, 8);
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
	image = good;
	image.tls_end = moved(good.tls, -8);
	expect_equal(init(&image, STACK_SIZE, 0), HATCH_EINVAL);
}

/* Gives out only so many pieces of memory. */
static unsigned int pieces;

static void *alloc_some(void *arg, size_t size, size_t align)
{
	const struct hatch_memory *memory = hatch_board_memory();

	if (!pieces)
		return NULL;
	pieces--;
	return memory->alloc(memory->arg, size, align);
}

static void no_memory(void)
{
	struct hatch_memory memory = *hatch_board_memory();
	unsigned int enough;
	int error = HATCH_ENOMEM;

	memory.alloc = alloc_some;
	for (enough = 0; error == HATCH_ENOMEM && enough < 20; enough++) {
		pieces = enough;
		error = hatch_box_init(&box, &memory, hatch_board_image(), STACK_SIZE, 4096);
	}
	expect_equal(error, 0);
	expect(enough > 3);
	end();
}

/* As of a host that runs with translation: its pointers are not the machine's addresses. */
static hatch_hpa physical_elsewhere(void *arg, const void *p)
{
	return hatch_hpa_of((uintptr_t)p + (1UL << 40));
}

static void *pointer_elsewhere(void *arg, hatch_hpa at)
{
	return (void *)(uintptr_t)(at.addr - (1UL << 40));
}

static void memory_elsewhere(void)
{
	struct hatch_memory memory = *hatch_board_memory();

	memory.physical = physical_elsewhere;
	memory.pointer = pointer_elsewhere;
	expect_equal(hatch_box_init(&box, &memory, hatch_board_image(), STACK_SIZE, 0),
		     HATCH_ENOTSUP);
}

static void bad_grants(void)
{
	const struct hatch_box_image *image = hatch_board_image();

	begin();
	expect_equal(hatch_box_grant(NULL, pages, 4096, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, NULL, 4096, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 0, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 100, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, &pages[0][8], 4096, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, (size_t)-4096, READ_WRITE), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 4096, HATCH_PROT_NONE), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 4096, HATCH_PROT_WRITE), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 4096, HATCH_PROT_ALL), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, (void *)image->text, 4096, READ_WRITE), HATCH_EOVERLAP);
	expect_equal(hatch_box_grant(&box, (void *)image->rodata, 4096, READ_WRITE),
		     HATCH_EOVERLAP);
	expect_equal(hatch_box_grant(&box, box.block, 4096, READ_WRITE), HATCH_EOVERLAP);
	expect_equal(hatch_box_grant(&box, box.stack_top, 4096, READ_WRITE), HATCH_EOVERLAP);
	expect_equal(hatch_box_grant(&box, pages, 8192, READ_WRITE), 0);
	expect_equal(hatch_box_grant(&box, pages, 8192, READ_WRITE), HATCH_EOVERLAP);
	expect_equal(hatch_box_grant(&box, pages[1], 4096, HATCH_PROT_READ), HATCH_EOVERLAP);
	expect_equal(hatch_box_revoke(&box, pages[1]), HATCH_ENOENT);
	expect_equal(hatch_box_revoke(&box, (void *)image->text), HATCH_ENOENT);
	expect_equal(hatch_box_revoke(&box, box.tls), HATCH_ENOENT);
	expect_equal(hatch_box_revoke(NULL, pages), HATCH_EINVAL);
	expect_equal(hatch_box_revoke(&box, pages), 0);
	expect_equal(hatch_box_revoke(&box, pages), HATCH_ENOENT);
	end();
}

static void too_many_grants(void)
{
	unsigned int granted = 0;

	begin();
	while (granted < GRANTS_MAX &&
	       !hatch_box_grant(&box, pages[granted], 4096, HATCH_PROT_READ))
		granted++;
	expect(granted >= HATCH_GUEST_REGIONS - 5);
	expect(granted < HATCH_GUEST_REGIONS);
	expect_equal(hatch_box_grant(&box, pages[granted], 4096, HATCH_PROT_READ), HATCH_E2BIG);
	for (unsigned int i = 0; i < granted; i++)
		expect_equal(hatch_box_revoke(&box, pages[i]), 0);
	expect_equal(hatch_box_grant(&box, pages, sizeof(pages), HATCH_PROT_READ), 0);
	end();
}

static void bad_offers(void)
{
	static char names[HATCH_BOX_OFFERS][4];

	begin();
	expect_equal(hatch_box_offer(NULL, "log", offered, NULL), HATCH_EINVAL);
	expect_equal(hatch_box_offer(&box, NULL, offered, NULL), HATCH_EINVAL);
	expect_equal(hatch_box_offer(&box, "", offered, NULL), HATCH_EINVAL);
	expect_equal(hatch_box_offer(&box, "log", NULL, NULL), HATCH_EINVAL);
	expect_equal(hatch_box_offer(&box, "a-name-of-thirty-two-characters!", offered, NULL),
		     HATCH_E2BIG);
	for (unsigned int i = 0; i < HATCH_BOX_OFFERS; i++) {
		names[i][0] = (char)('a' + i);
		expect_equal(hatch_box_offer(&box, names[i], offered, NULL), 0);
		if (i < HATCH_BOX_OFFERS - 1)
			expect_equal(hatch_box_offer(&box, names[i], offered, NULL),
				     HATCH_EOVERLAP);
	}
	expect_equal(hatch_box_offer(&box, "one more", offered, NULL), HATCH_E2BIG);
	end();
}

static void bad_copies(void)
{
	uint64_t number = 0;

	begin();
	expect_equal(hatch_box_check(NULL, box.tls, 8, HATCH_PROT_READ), HATCH_EINVAL);
	expect_equal(hatch_box_check(&box, box.tls, 8, HATCH_PROT_NONE), HATCH_EINVAL);
	expect_equal(hatch_box_copy_in(NULL, box.tls, &number, 8), HATCH_EINVAL);
	expect_equal(hatch_box_copy_in(&box, box.tls, NULL, 8), HATCH_EINVAL);
	expect_equal(hatch_box_copy_out(NULL, &number, box.tls, 8), HATCH_EINVAL);
	expect_equal(hatch_box_copy_out(&box, NULL, box.tls, 8), HATCH_EINVAL);
	expect_equal(hatch_box_copy_text(NULL, "text", (char *)&number, 8), HATCH_EINVAL);
	expect_equal(hatch_box_copy_text(&box, "text", NULL, 8), HATCH_EINVAL);
	expect_equal(hatch_box_limit(NULL, 1), HATCH_EINVAL);
	end();
}

static void calls_without_a_box(void)
{
	struct hatch_box *none = NULL;

	expect_equal(hatch_call(none, answer).error, HATCH_EINVAL);
	begin();
	end();
	expect_equal(hatch_call(&box, answer).error, HATCH_ESTALE);
	expect_equal(hatch_box_reset(&box), HATCH_ESTALE);
	expect_equal(hatch_box_park(&box), HATCH_ESTALE);
	expect_equal(hatch_box_limit(&box, 0), HATCH_ESTALE);
	expect_equal(hatch_box_fini(&box), HATCH_ESTALE);
	expect_equal(hatch_box_fini(NULL), HATCH_EINVAL);
	expect_equal(hatch_box_grant(&box, pages, 4096, HATCH_PROT_READ), HATCH_ESTALE);
	expect_equal(hatch_box_check(&box, answer, 4, HATCH_PROT_READ), HATCH_EFAULT);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(bad_sizes),	 CHECK(bad_images), CHECK(no_memory),
		CHECK(memory_elsewhere), CHECK(bad_grants), CHECK(too_many_grants),
		CHECK(bad_offers),	 CHECK(bad_copies), CHECK(calls_without_a_box),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
