/* SPDX-License-Identifier: MIT */
/*
 * A guest that attacks through a forwarded virtio device: rings, tables and registers of any
 * content, changed while they are read. The device judges whatever reaches it (virtio_fake.h);
 * the sanitizers judge the host. After each attack the device must come back and work.
 *
 *	test_virtio_hostile [RINGS [SEED]]
 */
#include <stdio.h>

#include "virtio_driver.h"

enum { RINGS_DEFAULT = 200000, SCATTERED = 6, CANARY = 0x5c };

#define LAZY	 0xa0000000ULL
#define READONLY 0xb0000000ULL

static uint64_t seed = 1, rings = RINGS_DEFAULT;
static uint8_t *ram, *scattered[SCATTERED];
static uint8_t readonly[PAGE] __attribute__((aligned(PAGE)));
static bool meanwhile;
static uint64_t taken, lost, changed;

static uint32_t below(uint32_t n)
{
	return bus_random(&seed) % n;
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* How seldom a field is wrong, in this ring: all of them at once hide what only one would show. */
static uint32_t rarity;

static bool slip(uint32_t n)
{
	return one_in(n * rarity);
}

static uint64_t any(void)
{
	uint64_t high = bus_random(&seed);

	return (high << 32 | bus_random(&seed)) >> below(64);
}

/* ---- Numbers that are nearly right ---- */

static uint64_t any_address(void)
{
	switch (below(16 * rarity)) {
	case 0:
		return any();
	case 1:
		return RAM + RAM_PAGES * PAGE - below(64);
	case 2:
		return LAZY + below((SCATTERED + 2) * PAGE);
	case 3:
		return READONLY + below(PAGE + 8);
	case 4:
		return ~(uint64_t)below(64);
	case 5:
		return RAM - below(64);
	default:
		return RAM + below(RAM_PAGES * PAGE);
	}
}

static uint32_t any_length(void)
{
	switch (below(12 * rarity)) {
	case 0:
		return bus_random(&seed);
	case 1:
		return 0;
	case 2:
		return below(RAM_PAGES * PAGE);
	case 3:
		return UINT32_MAX - below(32);
	case 4:
		return below(3 * PAGE);
	default:
		return 16 * (1 + below(12));
	}
}

static uint16_t any_flags(void)
{
	if (slip(24))
		return (uint16_t)bus_random(&seed);
	if (one_in(10))
		return INDIRECT;
	return (one_in(2) ? 0 : NEXT) | (slip(1) ? WRITE : 0);
}

static void fill_table(uint8_t *at, unsigned int count, bool writes_last)
{
	for (unsigned int i = 0; i < count; i++) {
		struct desc d = { any_address(), any_length(), any_flags(), 0 };

		d.next = slip(12)  ? (uint16_t)bus_random(&seed)
			 : slip(4) ? below(count + 1)
				   : (uint16_t)(i + 1);
		if (d.next == count)
			d.flags &= ~(slip(4) ? 0 : NEXT);
		if (writes_last) /* in the right order */
			d.flags = (d.flags & ~WRITE) | (i >= count / 2 ? WRITE : 0);
		if (d.flags & INDIRECT && !slip(6))
			d = (struct desc){ TABLE, 16 * 64, INDIRECT, 0 };
		memcpy(at + i * sizeof(d), &d, sizeof(d));
	}
}

/* ---- Another hart of the guest ---- */

/* Wherever the host asks for memory, the guest may have changed what it has there. */
static void change_something(void)
{
	static const unsigned int widths[] = { 1, 2, 4, 8 };
	uint64_t value = any();

	if (!meanwhile || !one_in(6))
		return;
	changed++;
	memcpy(ram + below(6 * 0x1000) + (one_in(4) ? 0x3a000 : 0x2000) - 8, &value,
	       widths[below(4)]);
}

static void *pointer_meanwhile(void *arg, hatch_hpa hpa)
{
	change_something();
	return arena_pointer(arg, hpa);
}

static hatch_hpa physical_meanwhile(void *arg, const void *p)
{
	change_something();
	return arena_physical(arg, p);
}

/* ---- The world ---- */

static void add_range(uint8_t *at, size_t size, bool writable)
{
	fake.range[fake.ranges++] = (struct fake_range){ at, size, writable };
}

static int set_up_world(void **state)
{
	(void)state;
	set_up_with(4, 64);
	ram = guest.region[0].host;
	memset(readonly, CANARY, sizeof(readonly));
	assert_int_equal(
		hatch_guest_lend(&guest, hatch_gpa_of(READONLY), readonly, PAGE, HATCH_PROT_READ),
		0);
	assert_int_equal(hatch_guest_add_lazy(&guest, hatch_gpa_of(LAZY), 64 * PAGE), 0);
	add_range(ram, RAM_PAGES * PAGE, true);
	add_range(readonly, PAGE, false);
	for (unsigned int i = 0; i < SCATTERED; i++) {
		scattered[i] = arena_alloc(&arena, PAGE, PAGE);
		add_range(scattered[i], PAGE, true);
		assert_int_equal(map(&guest.stage, LAZY + i * PAGE,
				     arena_physical(&arena, scattered[i]).addr, PAGE, 7),
				 0);
	}
	arena.memory.pointer = pointer_meanwhile;
	arena.memory.physical = physical_meanwhile;
	fake.hook = change_something;
	return 0;
}

static int tear_down_world(void **state)
{
	hatch_virtio_proxy_reset(&proxy);
	for (unsigned int i = 0; i < SCATTERED; i++)
		arena_free(&arena, scattered[i], PAGE);
	return tear_down(state);
}

/* ---- One attack ---- */

static uint16_t num_of(unsigned int queue)
{
	return (uint16_t)(1 << (queue + below(6)));
}

/* Mostly queues that the proxy takes; the parts may lie over each other. */
static void place_hostile(unsigned int queue)
{
	struct driver *d = &driver[queue];

	*d = (struct driver){ .num = num_of(queue) % 65 };
	d->table = slip(40) ? any_address() : RINGS(queue);
	d->avail = slip(12) ? d->table : RINGS(queue) + 0x1000;
	d->used = slip(12) ? d->table : RINGS(queue) + 0x2004;
	out(SEL, queue);
	out(NUM, slip(40) ? below(100) : d->num);
	out64(DESC, d->table);
	out64(DRIVER, d->avail);
	out64(DEVICE, d->used);
	out(READY, 1);
}

static void fill_rings(unsigned int queue)
{
	struct driver *d = &driver[queue];
	uint16_t avail[2 + 64 + 1];

	fill_table(ram + (RINGS(queue) - RAM), d->num, !one_in(3));
	for (int i = 0; i < 3 + d->num; i++)
		avail[i] = slip(40) ? (uint16_t)bus_random(&seed) : below(d->num);
	d->idx = slip(30) ? (uint16_t)bus_random(&seed) : d->idx + below(d->num + 1);
	avail[1] = d->idx;
	memcpy(ram + (RINGS(queue) + 0x1000 - RAM), avail, 2 * (3 + d->num));
}

static void access_anything(void)
{
	static const uint8_t regs[] = { 0x10, 0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64,
					0x70, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4, 0xc0, 0xfc };
	uint64_t offset = one_in(3) ? below(HATCH_VIRTIO_SIZE) : regs[below(sizeof(regs))];
	unsigned int width = one_in(8) ? 1 << below(4) : 4;

	if (offset + width <= HATCH_VIRTIO_SIZE)
		bus_access(&proxy.clause, offset, width, one_in(2), one_in(2) ? below(16) : any());
}

static void save_and_restore(void)
{
	static _Alignas(8) uint8_t image[4096];

	assert_true(proxy.state.size <= sizeof(image));
	proxy.state.save(proxy.state.arg, image);
	if (one_in(2))
		proxy.state.restore(proxy.state.arg, image, &vcpu);
}

static void device_works(void)
{
	for (unsigned int i = 0; i < FAKE_QUEUES; i++) {
		if (one_in(4) && fake.status & 4)
			fake_fetch(i);
		while (fake.queue[i].requests > below(12))
			fake_use(i, below(fake.queue[i].requests), any_length(), 0x33);
	}
	if (one_in(30))
		fake.isr |= 2;
	hatch_virtio_proxy_interrupt(&proxy);
}

static void step(void)
{
	unsigned int queue = below(FAKE_QUEUES);

	switch (below(12)) {
	case 0:
		access_anything();
		break;
	case 1:
		if (one_in(4))
			save_and_restore();
		break;
	case 2:
		in(ISR);
		out(ACK, below(4));
		break;
	case 3:
	case 4:
	case 5:
		device_works();
		break;
	default:
		fill_rings(queue);
		kick(queue);
	}
}

static void start_attack(void)
{
	uint64_t features = V1 | (one_in(2) ? EVENTS : 0) | (one_in(3) ? 0 : TABLES);

	meanwhile = false;
	rarity = 1u << below(8);
	fake.no_kicks = one_in(4);
	accept_features(features);
	meanwhile = one_in(2);
	for (unsigned int i = 0; i < FAKE_QUEUES; i++) {
		place_hostile(i);
		fill_table(ram + (TABLE - RAM), 64, one_in(2));
		memset(ram + (RINGS(i) + 0x1000 - RAM), 0, 4);
	}
	out(STATUS, 15);
}

/* Eight rings, and what comes of them. */
static void attack(size_t bytes)
{
	start_attack();
	for (unsigned int i = 0; i < 8; i++) {
		if (proxy.status & 64)
			start_attack();
		fill_rings(i % FAKE_QUEUES);
		kick(i % FAKE_QUEUES);
		step();
	}
	for (unsigned int i = 0; i < 3; i++)
		device_works();
	taken += proxy.count.chains;
	lost += proxy.count.broken;
	proxy.count = (struct hatch_virtio_counts){ 0 };
	assert_int_equal(arena.bytes, bytes);
	assert_int_equal(line_level, proxy.interrupts != 0);
}

static void test_attacks(void **state)
{
	size_t bytes = arena.bytes;

	(void)state;
	for (uint64_t done = 0; done < rings; done += 8) {
		attack(bytes);
		meanwhile = false;
		fake.no_kicks = false;
		expect_works(V1);
	}
	for (unsigned int i = 0; i < PAGE; i++)
		assert_int_equal(readonly[i], CANARY);
	printf("%llu rings: %llu requests reached the device, %llu times the guest lost it; memory "
	       "changed %llu times meanwhile\n",
	       (unsigned long long)rings, (unsigned long long)taken, (unsigned long long)lost,
	       (unsigned long long)changed);
	/* An attack that never gets anywhere, or is never noticed, tests nothing. */
	assert_in_range(taken, rings / 2, UINT64_MAX);
	assert_in_range(lost, rings / 40, rings);
	assert_in_range(changed, rings / 8, UINT64_MAX);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attacks, set_up_world, tear_down_world),
	};

	if (argc > 1)
		rings = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
