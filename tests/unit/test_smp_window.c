/* SPDX-License-Identifier: MIT */
/*
 * Windows under four harts at once. A load is what it is on a hart: by the tables, or an event; and
 * the fence waits until no hart is in the middle of one.
 */
#include "smp_threads.h"

#include "virtio_driver.h"

#include <hatch/handlers/plic.h>

enum { ROUNDS = 10000, CALM = 32 };

static pthread_rwlock_t loads = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t by_memory, by_event;

static void await_loads(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size)
{
	(void)stage;
	(void)gpa;
	(void)size;
	pthread_rwlock_wrlock(&loads);
	pthread_rwlock_unlock(&loads);
}

static bool load_by_tables(uint64_t gpa, uint32_t *value)
{
	unsigned int prot;
	uint64_t hpa;

	if (!walk(&guest.stage, gpa, &hpa, &prot))
		return false;
	CHECK(prot == HATCH_PROT_READ);
	*value = __atomic_load_n((const uint32_t *)arena_pointer(NULL, hatch_hpa_of(hpa)),
				 __ATOMIC_ACQUIRE);
	return true;
}

static uint32_t load(const struct hatch_catch *clause, uint64_t offset)
{
	uint32_t value;
	bool found;

	pthread_rwlock_rdlock(&loads);
	found = load_by_tables(clause->first + offset, &value);
	pthread_rwlock_unlock(&loads);
	__atomic_fetch_add(found ? &by_memory : &by_event, 1, __ATOMIC_RELAXED);
	return found ? value : (uint32_t)smp_load(clause, offset, 4);
}

/* ---- The PLIC: a hart has two contexts ---- */

static struct hatch_plic plic;

static void use_enables(struct smp_thread *self)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t at = 0x2000 + 0x80 * (2 * self->number + smp_random(self) % 2);
		uint32_t value = smp_random(self) & ~1u;

		smp_store(&plic.clause, at, 4, value);
		CHECK(load(&plic.clause, at) == value);
		if (self->number == 0 && i % 8 == 0) { /* somebody looks at the state meanwhile */
			struct hatch_state *state = &plic.state;
			void *image = malloc(state->size);

			state->save(state->arg, image);
			free(image);
		}
	}
}

static void test_plic(void **state)
{
	(void)state;
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(0xc000000), 63, 2 * THREADS), 0);
	hatch_plic_add_windows(&plic, &guest);
	smp_run(use_enables, 1);
	assert_in_range(by_memory, ROUNDS, UINT64_MAX);
	hatch_plic_fini(&plic);
}

/* ---- A virtio device: each hart has registers that no other one stores to ---- */

static bool level;
static unsigned int accesses;

static void on_level(void *arg, bool now)
{
	(void)arg;
	__atomic_store_n(&level, now, __ATOMIC_RELEASE);
}

/* The device's own doing, whenever it is accessed. */
static void device_lives(void)
{
	if (++accesses % 331 == 0) {
		fake.generation++;
		memset(fake.config, (int)fake.generation, sizeof(fake.config));
		fake.isr |= 2;
	}
	fake.isr |= accesses % 3 == 0;
}

/* The handler of the interrupt: there is a reason whenever the line is high. */
static void serve(void)
{
	uint32_t isr;

	if (!__atomic_load_n(&level, __ATOMIC_ACQUIRE))
		return;
	isr = load(&proxy.clause, ISR);
	CHECK(isr == 2);
	smp_store(&proxy.clause, ACK, 4, isr);
}

static void select_queues(uint32_t index)
{
	smp_store(&proxy.clause, SEL, 4, index);
	CHECK(load(&proxy.clause, NUM_MAX) == (index < FAKE_QUEUES ? 64 : 0));
	CHECK(load(&proxy.clause, READY) == (index < FAKE_QUEUES));
}

static void read_config(void)
{
	uint32_t generation = load(&proxy.clause, GENERATION);
	uint32_t first = load(&proxy.clause, CONFIG), last = load(&proxy.clause, CONFIG + 0xfc);

	if (load(&proxy.clause, GENERATION) == generation)
		CHECK(first == last && (first & 0xff) == (generation & 0xff));
}

static void use_device(struct smp_thread *self)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (self->number == 0)
			serve();
		else if (self->number == 1 && smp_random(self) % 512 == 0)
			select_queues(smp_random(self) % 5);
		else if (self->number == 2)
			read_config();
		else
			hatch_virtio_proxy_interrupt(&proxy);
	}
}

static void test_virtio(void **state)
{
	(void)state;
	by_memory = by_event = 0;
	hatch_virtio_proxy_add_window(&proxy);
	start_driver(V1, 8);
	proxy.line = on_level;
	for (unsigned int i = 0; i <= CALM; i++) {
		fake_interrupt(1);
		hatch_virtio_proxy_interrupt(&proxy);
	}
	fake.hook = device_lives;
	smp_run(use_device, 2);
	fake.hook = NULL;
	assert_in_range(by_memory, 1000, UINT64_MAX);
	assert_in_range(by_event, 10, UINT64_MAX);
	assert_int_equal(proxy.count.broken, 0);
}

static int set_up_harts(void **state)
{
	set_up(state);
	guest.stage.fence = await_loads;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plic, set_up_harts, tear_down),
		cmocka_unit_test_setup_teardown(test_virtio, set_up_harts, tear_down),
	};

	return cmocka_run_group_tests_name("smp_window", tests, NULL, NULL);
}
