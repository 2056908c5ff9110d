/* SPDX-License-Identifier: MIT */
/* A unikernel's disk, beside a model of it and of the guest's memory. */
#include "unikernel_fake.h"

/* ---- disk --------------------------------------------------------------------------------- */

static void test_disk_init(void **state)
{
	static const uint32_t bad[] = { 0, 1, 256, 511, 513, 1000, 1536, 8192, 1U << 31 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hatch_unikernel_disk(&u, disk, bad[i], 1), HATCH_EINVAL);
	for (uint32_t size = 512; size <= 4096; size *= 2)
		assert_int_equal(hatch_unikernel_disk(&u, disk, size, 1), 0);
	assert_int_equal(hatch_unikernel_disk(&u, NULL, 512, 1), HATCH_EINVAL);
	assert_int_equal(hatch_unikernel_disk(&u, disk, 512, 0), HATCH_EINVAL);
	assert_int_equal(hatch_unikernel_disk(&u, disk, 512, UINT64_MAX / 512 + 1), HATCH_EINVAL);
}

static void test_disk_absent(void **state)
{
	(void)state;
	hatch_unikernel_init(&u, wall_ns, &u);
	expect(HATCH_UNIKERNEL_BLOCK_READ, 0, RAM, SECTOR, HATCH_UNIKERNEL_NODEVICE);
	expect(HATCH_UNIKERNEL_BLOCK_WRITE, 0, RAM, SECTOR, HATCH_UNIKERNEL_NODEVICE);
}

static void test_disk_read_only(void **state)
{
	uint8_t before[DISK_SIZE];

	(void)state;
	u.disk.read_only = true;
	memcpy(before, disk, DISK_SIZE);
	expect(HATCH_UNIKERNEL_BLOCK_WRITE, 0, RAM, SECTOR, HATCH_UNIKERNEL_READONLY);
	assert_memory_equal(disk, before, DISK_SIZE);
	expect(HATCH_UNIKERNEL_BLOCK_READ, 1, RAM, SECTOR, 0);
	assert_memory_equal(ram, disk + SECTOR, SECTOR);
}

/* A number that is right, nearly right, or quite wrong. */
static uint64_t bait(uint64_t usual)
{
	static const uint64_t special[] = {
		0,
		1,
		SECTOR - 1,
		SECTOR + 1,
		SECTORS,
		SECTORS - 1,
		SECTORS + 1,
		1ULL << 32,
		1ULL << 55,
		1ULL << 63,
		UINT64_MAX,
		UINT64_MAX / SECTOR,
		UINT64_MAX / SECTOR + 1,
		RAM - 1,
		ROM - SECTOR,
		ROM - 1,
		ROM,
		END - 1,
		END,
		HATCH_UNIKERNEL_TRANSFER + SECTOR,
	};
	uint64_t random = random_bits();

	switch (random % 8) {
	case 0:
		return special[random / 8 % (sizeof(special) / sizeof(special[0]))];
	case 1:
		return random_bits() >> random / 8 % 64;
	case 2:
		return usual + random / 8 % 3 - 1;
	default:
		return usual;
	}
}

/* What must come of a transfer, told another way than the code does it. */
static int wanted(uint64_t sector, uint64_t at, uint64_t size, bool write)
{
	const __uint128_t end = (__uint128_t)sector * SECTOR + size;
	const __uint128_t top = write ? END : ROM;

	if (size == 0 || size > HATCH_UNIKERNEL_TRANSFER || size % SECTOR)
		return HATCH_UNIKERNEL_SIZE;
	if (end > DISK_SIZE)
		return HATCH_UNIKERNEL_RANGE;
	return at < RAM || (__uint128_t)at + size > top ? HATCH_UNIKERNEL_MEMORY : 0;
}

/* Random transfers beside a model of disk and memory. */
static void test_disk_model(void **state)
{
	static uint8_t model_disk[DISK_SIZE], model[RAM_SIZE + ROM_SIZE];
	unsigned int count[8] = { 0 };

	(void)state;
	memcpy(model_disk, disk, DISK_SIZE);
	memcpy(model, ram, RAM_SIZE);
	memcpy(model + RAM_SIZE, rom, ROM_SIZE);
	for (unsigned int i = 0; i < OPERATIONS; i++) {
		uint64_t size = bait(random_bits() % 12 * SECTOR);
		uint64_t sector = bait(random_bits() % SECTORS);
		uint64_t at = bait(RAM + random_bits() % RAM_SIZE);
		bool write = random_bits() >> 63;
		int error = wanted(sector, at, size, write);

		expect(write ? HATCH_UNIKERNEL_BLOCK_WRITE : HATCH_UNIKERNEL_BLOCK_READ, sector, at,
		       size, error);
		assert_int_equal(k.second, 0);
		count[-error]++;
		if (!error && write)
			memcpy(model_disk + sector * SECTOR, model + (at - RAM), size);
		else if (!error)
			memcpy(model + (at - RAM), model_disk + sector * SECTOR, size);
		if (i % 1000)
			continue;
		assert_memory_equal(disk, model_disk, DISK_SIZE);
		assert_memory_equal(ram, model, RAM_SIZE);
		assert_memory_equal(rom, model + RAM_SIZE, ROM_SIZE);
		fill(ram, RAM_SIZE);
		memcpy(model, ram, RAM_SIZE);
	}
	assert_true(count[0] > OPERATIONS / 10);
	assert_true(count[-HATCH_UNIKERNEL_SIZE] > 1000);
	assert_true(count[-HATCH_UNIKERNEL_RANGE] > 1000);
	assert_true(count[-HATCH_UNIKERNEL_MEMORY] > 1000);
}

static void test_disk_largest(void **state)
{
	(void)state;
	expect(HATCH_UNIKERNEL_BLOCK_READ, 0, RAM + 1, HATCH_UNIKERNEL_TRANSFER, 0);
	assert_memory_equal(ram + 1, disk, HATCH_UNIKERNEL_TRANSFER);
}

/*
 * The guest shares its pages, and the host has none left to give it one of its own: that is not the
 * guest's mistake. The call waits until there is one.
 */
static void test_no_page_left(void **state)
{
	static struct hatch_guest clone;
	const uint64_t at = 0x90000000;
	const uint8_t frame[64] = "frame";
	uint8_t got[SECTOR];

	(void)state;
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(at), 64 * KIB), 0);
	assert_int_equal(hatch_guest_clone(&clone, &guest), 0);
	assert_true(hatch_unikernel_receive(&u, frame, sizeof(frame)));
	vcpu.guest = &clone;
	arena.fail_after = 0;
	assert_int_equal(call(HATCH_UNIKERNEL_BLOCK_READ, 0, at, SECTOR), HATCH_UNWIND);
	assert_int_equal(k.status, HATCH_ENOMEM);
	assert_false(k.finished || hatch_unikernel_waits(&u));
	assert_int_equal(call(HATCH_UNIKERNEL_NET_READ, at, 64, 0), HATCH_UNWIND);
	assert_int_equal(k.status, HATCH_ENOMEM);
	assert_int_equal(u.state.count, 1);
	arena.fail_after = NEVER;
	expect(HATCH_UNIKERNEL_BLOCK_READ, 0, at, SECTOR, 0);
	assert_int_equal(hatch_guest_read(&clone, hatch_gpa_of(at), got, SECTOR), 0);
	assert_memory_equal(got, disk, SECTOR);
	expect(HATCH_UNIKERNEL_NET_READ, at, 64, 0, 0);
	assert_int_equal(hatch_guest_read(&guest, hatch_gpa_of(at), got, 1), 0);
	assert_int_equal(got[0], 0); /* the other's page is as it was */
	hatch_guest_fini(&clone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disk_init, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_largest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_page_left, setup, teardown),
	};

	return cmocka_run_group_tests_name("unikernel disk", tests, NULL, NULL);
}
