/* SPDX-License-Identifier: MIT */
/* Which virtio devices are forwarded, and the registers that are. */
#include "virtio_driver.h"

#include <libfdt.h>

/* ---- Which devices ---- */

static int init_again(void)
{
	struct hatch_virtio_proxy other;
	size_t bytes = arena.bytes;
	int error = hatch_virtio_proxy_init(&other, &guest, hatch_gpa_of(BASE), &fake_real);

	assert_int_equal(arena.bytes, bytes);
	assert_non_null(other.problem);
	hatch_virtio_proxy_fini(&other); /* harmless */
	return error;
}

static void test_refused(void **state)
{
	static const uint32_t unsafe[] = { 5, 13, 16, 23, 24, 27, 30, 63, 9999 };
	struct hatch_virtio_proxy other;

	(void)state;
	hatch_virtio_proxy_reset(&proxy);
	fake.magic++;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.magic--;
	fake.version = 1;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.version = 3;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.version = 2;
	fake.device_id = 0;
	assert_int_equal(init_again(), HATCH_ENOENT);
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		fake.device_id = unsafe[i];
		assert_int_equal(init_again(), HATCH_ENOTSUP);
	}
	fake.device_id = 2;
	fake.features &= ~V1;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.features |= V1;
	fake.busy_resets = UINT32_MAX;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.busy_resets = fake.busy = 0;
	assert_int_equal(hatch_virtio_proxy_init(NULL, &guest, hatch_gpa_of(BASE), &fake_real),
			 HATCH_EINVAL);
	assert_int_equal(hatch_virtio_proxy_init(&other, NULL, hatch_gpa_of(BASE), &fake_real),
			 HATCH_EINVAL);
	assert_int_equal(hatch_virtio_proxy_init(&other, &guest, hatch_gpa_of(BASE), NULL),
			 HATCH_EINVAL);
	assert_int_equal(
		hatch_virtio_proxy_init(&other, &guest, hatch_gpa_of(BASE + 4), &fake_real),
		HATCH_EINVAL);
	expect_works(V1);
}

static void test_no_memory(void **state)
{
	(void)state;
	hatch_virtio_proxy_reset(&proxy);
	for (int i = 0; i < FAKE_QUEUES + 1; i++) {
		arena.fail_after = i;
		assert_int_equal(init_again(), HATCH_ENOMEM);
	}
	arena.fail_after = NEVER;
}

/* As many queues as can be, of any size; one more is too many. */
static void test_many_queues(void **state)
{
	tear_down(state);
	guest = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(RAM), RAM_PAGES * PAGE), 0);
	make_fake(4, 32768);
	fake.queues = HATCH_VIRTIO_QUEUES + 1;
	for (unsigned int i = 3; i < fake.queues; i++)
		fake.queue[i].max = 1 + i % 5;
	assert_int_equal(init_again(), HATCH_ENOTSUP);
	fake.queues--;
	free(fake.queue[fake.queues].request);
	take_device();
	for (unsigned int i = 0; i < fake.queues + 3; i++) {
		static const uint32_t cut[] = { 1, 2, 2, 4, 4 };

		out(SEL, i);
		assert_int_equal(in(NUM_MAX), i < 3 ? 1024 : i < fake.queues ? cut[i % 5] : 0);
	}
}

/* A console's are small, whatever it offers. */
static void test_console_queues(void **state)
{
	tear_down(state);
	set_up_with(3, 1024);
	out(SEL, 0);
	assert_int_equal(in(NUM_MAX), 64);
	tear_down(state);
	set_up_with(3, 16);
	assert_int_equal(in(NUM_MAX), 16);
}

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(in(MAGIC), 0x74726976);
	assert_int_equal(in(VERSION), 2);
	assert_int_equal(in(DEVICE_ID), 2);
	assert_int_equal(in(VENDOR), 0x4b434148);
	for (uint64_t reg = SHM_LEN; reg < SHM_LEN + 16; reg += 4)
		assert_int_equal(in(reg), UINT32_MAX);
	out(SHM_SEL, 1);
	assert_int_equal(in(SHM_LEN), UINT32_MAX);
	out(QUEUE_RESET, 1);
	assert_int_equal(in(QUEUE_RESET), 0);
	for (unsigned int i = 0; i < 3; i++) {
		fake.generation = i * 77;
		assert_int_equal(in(GENERATION), i * 77);
	}
}

/* ---- Features ---- */

static void test_features(void **state)
{
	uint64_t shown;

	(void)state;
	out(FEATURES_SEL, 0);
	shown = in(FEATURES);
	out(FEATURES_SEL, 1);
	shown |= (uint64_t)in(FEATURES) << 32;
	/* All of the type's but CONFIG_WCE; of the transport's what is carried. */
	assert_int_equal(shown, ((FEATURE(24) - 1) & ~FEATURE(11)) | TABLES | EVENTS | V1 |
					FEATURE(36) | (~(uint64_t)0 << 50));
	for (uint32_t sel = 2; sel; sel <<= 1) {
		out(FEATURES_SEL, sel);
		assert_int_equal(in(FEATURES), 0);
	}
}

static void expect_refused(uint64_t features)
{
	accept_features(features);
	assert_int_equal(in(STATUS), 3);
	assert_int_equal(fake.status, 0);
	out(STATUS, 15); /* and nothing begins */
	assert_int_equal(in(STATUS), 3);
	place_queue(0, 8);
	assert_int_equal(in(READY), 0);
	kick(0);
}

static void test_negotiation(void **state)
{
	(void)state;
	expect_refused(0);
	expect_refused(TABLES);
	expect_refused(V1 | FEATURE(34));
	expect_refused(V1 | FEATURE(11));
	fake.refuses = true;
	expect_refused(V1);
	fake.refuses = false;
	accept_features(V1 | TABLES | 0x5);
	assert_int_equal(in(STATUS), 11);
	assert_int_equal(fake.status, 11);
	assert_int_equal(fake.driver, V1 | TABLES | 0x5);
	out(DRIVER_FEATURES, UINT32_MAX); /* too late */
	assert_int_equal(proxy.accepted, V1 | TABLES | 0x5);
	out(STATUS, 8); /* bits are not taken back, and nothing begins twice */
	assert_int_equal(in(STATUS), 11);
	assert_int_equal(fake.driver, V1 | TABLES | 0x5);
	/* A bit that does not even exist. */
	out(STATUS, 0);
	out(DRIVER_FEATURES_SEL, 1);
	out(DRIVER_FEATURES, 1);
	out(DRIVER_FEATURES_SEL, 2);
	out(DRIVER_FEATURES, 0);
	out(STATUS, 11);
	assert_int_equal(in(STATUS), 11);
	out(STATUS, 0);
	out(DRIVER_FEATURES_SEL, 1);
	out(DRIVER_FEATURES, 1);
	out(DRIVER_FEATURES_SEL, 3);
	out(DRIVER_FEATURES, 1);
	out(STATUS, 11);
	assert_int_equal(in(STATUS), 3);
	expect_works(V1);
}

/* ---- Configuration ---- */

static void test_config(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FAKE_CONFIG; i++)
		fake.config[i] = (uint8_t)(i * 7 + 1);
	for (unsigned int width = 1; width <= 8; width *= 2) {
		unsigned int real = width < 4 ? width : 4;
		uint64_t expected = 0;

		fake.widths[real] = 0;
		memcpy(&expected, fake.config + 0xf0, width);
		assert_int_equal(bus_load(&proxy.clause, 0x1f0, width), expected);
		assert_int_equal(fake.widths[real], width == 8 ? 2 : 1);
		bus_store(&proxy.clause, 0x1f8, width, 0x1122334455667788);
		memcpy(&expected, fake.config + 0xf8, width);
		assert_int_equal(expected ^ 0x1122334455667788ULL << (64 - 8 * width) >>
						    (64 - 8 * width),
				 0);
	}
}

static void test_widths(void **state)
{
	(void)state;
	bus_expect_width(&proxy.clause, 0x100, 4);
	for (uint64_t at = 0x100; at < HATCH_VIRTIO_SIZE; at++)
		for (unsigned int width = 1; width <= 8; width *= 2)
			if (at % width)
				bus_expect_fault(&proxy.clause, at, width, at & 1);
	assert_int_equal(proxy.clause.last - proxy.clause.first + 1, HATCH_VIRTIO_SIZE);
}

/* ---- The device tree ---- */

static void test_tree(void **state)
{
	char tree[1024];
	const void *reg;
	int node, size;

	(void)state;
	assert_int_equal(fdt_create(tree, sizeof(tree)), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	assert_int_equal(fdt_begin_node(tree, ""), 0);
	assert_int_equal(hatch_virtio_proxy_fdt(&proxy, tree, 7, 12), 0);
	assert_int_equal(fdt_end_node(tree), 0);
	assert_int_equal(fdt_finish(tree), 0);
	node = fdt_path_offset(tree, "/virtio_mmio@10001000");
	assert_true(node >= 0);
	assert_int_equal(fdt_node_check_compatible(tree, node, "virtio,mmio"), 0);
	reg = fdt_getprop(tree, node, "reg", &size);
	assert_int_equal(size, 16);
	assert_memory_equal(reg, "\0\0\0\0\x10\0\x10\0\0\0\0\0\0\0\2\0", 16);
	assert_int_equal(fdt32_ld(fdt_getprop(tree, node, "interrupt-parent", NULL)), 7);
	assert_int_equal(fdt32_ld(fdt_getprop(tree, node, "interrupts", NULL)), 12);
	assert_true(hatch_virtio_proxy_fdt(&proxy, tree, 7, 12) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_queues, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_console_queues, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_features, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_negotiation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_config, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_widths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tree, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
