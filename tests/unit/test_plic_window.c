/* SPDX-License-Identifier: MIT */
/* The PLIC's enable bits as memory: they are what the clause says, whatever happens. */
#include "guest_pair.h"
#include "window_world.h"

#include <hatch/handlers/plic.h>

enum { SOURCES = 70, STEPS = 4000 };

#define BASE	       0xc000000ULL
#define ENABLE(number) (0x2000u + 0x80u * (number))
#define CLAIM(number)  (0x200004u + 0x1000u * (number))

static struct hatch_plic plic;
static struct hatch_vcpu vcpu;
static uint64_t seed;

static void make(unsigned int contexts)
{
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(BASE), SOURCES, contexts), 0);
	hatch_plic_add_windows(&plic, &guest);
	vcpu.guest = &guest;
}

static void store(uint64_t offset, uint32_t value)
{
	bus_store(&plic.clause, offset, 4, value);
}

/* Both pages, or as many as there should be. */
static bool agrees(struct hatch_guest *g)
{
	bool second = window_agrees(g, &plic.clause, 0x3000, 0x4000);

	assert_false(second && plic.contexts <= 32);
	return window_agrees(g, &plic.clause, 0x2000, 0x3000) && second == (plic.contexts > 32);
}

static void test_pages(void **state)
{
	static const unsigned int contexts[] = { 1, 32, 33, 64 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		size_t bytes = arena.bytes;

		make(contexts[i]);
		assert_false(agrees(&guest));
		store(ENABLE(contexts[i] - 1), 0xfffffffe);
		assert_true(agrees(&guest));
		expect_nothing(&guest.stage, BASE);
		expect_nothing(&guest.stage, BASE + 0x1000);
		expect_nothing(&guest.stage, BASE + 0x4000);
		expect_nothing(&guest.stage, BASE + CLAIM(0));
		hatch_plic_fini(&plic);
		expect_nothing(&guest.stage, BASE + 0x2000);
		expect_nothing(&guest.stage, BASE + 0x3000);
		assert_int_equal(arena.bytes, bytes);
		hatch_plic_fini(&plic);
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	arena.fail_after = 0;
	make(64);
	arena.fail_after = NEVER;
	store(ENABLE(1), 2);
	assert_int_equal(bus_load(&plic.clause, ENABLE(1), 4), 2);
	assert_false(agrees(&guest));
	hatch_plic_fini(&plic);
}

static void any_store(void)
{
	unsigned int context = bus_random(&seed) % 64;
	uint32_t value = bus_random(&seed);

	if (value & 1)
		store(ENABLE(context) + value / 2 % 32 * 4, bus_random(&seed));
	else if (value & 2)
		store(CLAIM(context), value / 4 % 80);
	else
		store(value / 4 % 80 * 4, value >> 16);
}

static void *image_of(void)
{
	void *image = malloc(plic.state.size);

	plic.state.save(plic.state.arg, image);
	return image;
}

static void put_back(const void *image, struct hatch_guest *g)
{
	vcpu.guest = g;
	assert_int_equal(plic.state.restore(plic.state.arg, image, &vcpu), HATCH_OK);
	assert_false(agrees(g));
}

static void test_model(void **state)
{
	unsigned int open = 0;
	void *image;

	(void)state;
	seed = 3;
	make(64);
	image = image_of();
	for (unsigned int i = 0; i < STEPS; i++) {
		uint32_t what = bus_random(&seed) % 32;

		if (what == 0) {
			hatch_plic_reset(&plic);
		} else if (what == 1) {
			free(image);
			image = image_of();
		} else if (what == 2) {
			put_back(image, &guest);
		} else if (what < 8) {
			hatch_plic_set(&plic, bus_random(&seed) % 80, bus_random(&seed) & 1);
		} else {
			any_store();
		}
		open += agrees(&guest);
	}
	assert_in_range(open, STEPS / 2, STEPS);
	free(image);
	hatch_plic_fini(&plic);
}

static void test_clone(void **state)
{
	void *first, *second;

	(void)state;
	make(4);
	store(ENABLE(1), 0xf0);
	make_clone();
	first = image_of();
	put_back(first, &clone);
	store(ENABLE(1), 0x0e);
	assert_true(agrees(&clone));
	second = image_of();
	put_back(first, &guest);
	store(CLAIM(1), 1);
	assert_true(agrees(&guest));
	assert_int_equal(bus_load(&plic.clause, ENABLE(1), 4), 0xf0);
	free(image_of()); /* it is left */
	put_back(second, &clone);
	store(CLAIM(1), 1);
	assert_true(agrees(&clone));
	assert_int_equal(bus_load(&plic.clause, ENABLE(1), 4), 0x0e);
	/* The clone has ended; its state was saved before. */
	free(image_of());
	hatch_guest_fini(&clone);
	hatch_plic_fini(&plic);
	free(first);
	free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
	};

	return cmocka_run_group_tests_name("plic_window", tests, NULL, NULL);
}
