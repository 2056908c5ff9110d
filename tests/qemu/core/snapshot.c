/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: saved here, loaded into a try that was made anew; and what is no snapshot.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/csr.h>
#include <hatch/snapshot.h>

#include "world.h"

#define DAMAGES 3000

/* Leaves its mark everywhere, asks, and quits with 1000 * the answer if all is as it left it. */
GUEST(marker, "	li t0, 0x6000\n"
	      "	csrs sstatus, t0\n"
	      "	li s0, 0x80080000\n"
	      "	li s1, 0x1234567\n"
	      "	sd s1, 0(s0)\n"
	      "	li t1, 0x40000\n"
	      "	add s2, s0, t1\n"
	      "	sd s1, 8(s2)\n"
	      "	fmv.d.x fs1, s1\n"
	      "	csrw sscratch, s1\n"
	      "	li s3, 0x10000000\n"
	      "	sw s1, 0(s3)\n"
	      "	mv tp, s1\n"
	      "	lw a1, 4(s3)\n"
	      "	li a0, -1\n"
	      "	bne tp, s1, 1f\n"
	      "	ld t0, 0(s0)\n"
	      "	bne t0, s1, 1f\n"
	      "	ld t0, 8(s2)\n"
	      "	bne t0, s1, 1f\n"
	      "	fmv.x.d t0, fs1\n"
	      "	bne t0, s1, 1f\n"
	      "	csrr t0, sscratch\n"
	      "	bne t0, s1, 1f\n"
	      "	lwu t0, 0(s3)\n"
	      "	bne t0, s1, 1f\n"
	      "	li t0, 1000\n"
	      "	mul a0, a1, t0\n"
	      "1:	quit\n");

static struct world w;
static struct hatch_captured held;
static struct hatch_catch on_device;
static uint64_t device;

static void device_save(void *arg, void *to)
{
	memcpy(to, &device, sizeof(device));
}

static int device_restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	if (value > UINT32_MAX)
		return HATCH_EFORMAT;
	device = value;
	return 0;
}

static bool alone = true;

static bool device_is_alone(void *arg, const struct hatch_vcpu *vcpu)
{
	return alone && vcpu == &w.vcpu;
}

static struct hatch_state state = {
	.name = "device",
	.version = 3,
	.size = sizeof(device),
	.save = device_save,
	.restore = device_restore,
	.is_alone = device_is_alone,
};

/* Register 0 keeps a value; a load of register 1 is captured. */
static enum hatch_verdict answer_device(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	if (ev->mmio.write)
		device = ev->mmio.value;
	else if (ev->mmio.offset == 4)
		return hatch_cont_capture(k, &held);
	return hatch_resume(k, device);
}

/* A buffer that is written and read as a file would be. */
static struct {
	uint8_t *bytes;
	size_t size, used, at; /* `used`: written; `at`: read */
} file;

#define FILE_SIZE (2UL << 20)

static int write_file(void *arg, const void *bytes, size_t size)
{
	if (size > file.size - file.used)
		return HATCH_E2BIG;
	memcpy(file.bytes + file.used, bytes, size);
	file.used += size;
	return 0;
}

static int read_file(void *arg, void *bytes, size_t size)
{
	if (size > file.used - file.at)
		return HATCH_EFORMAT;
	memcpy(bytes, file.bytes + file.at, size);
	file.at += size;
	return 0;
}

static void file_open(void)
{
	const struct hatch_memory *memory = hatch_board_memory();

	file.size = FILE_SIZE;
	file.used = file.at = 0;
	file.bytes = memory->alloc(memory->arg, FILE_SIZE, HATCH_PAGE_SIZE);
	expect(file.bytes != NULL);
}

static void file_close(void)
{
	const struct hatch_memory *memory = hatch_board_memory();

	memory->free(memory->arg, file.bytes, FILE_SIZE);
}

static void add_clauses(void)
{
	on_device = HATCH_ON_MMIO(WORLD_DEVICE, 0x1000, answer_device, NULL);
	world_catch(&w, &on_device);
	expect_equal(hatch_state_add(&w.t.scope, &state), 0);
}

/* A guest that waits for its answer, saved. */
static void save(void)
{
	device = 0;
	world_of(&w, marker);
	add_clauses();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), 0);
}

/* The same try again, with nothing in it. */
static void make_empty(void)
{
	device = 7;
	world_of(&w, marker);
	memset(&held, 0, sizeof(held));
	add_clauses();
	file.at = 0;
}

static int load(void)
{
	return hatch_snapshot_load(&w.t, read_file, NULL, &held);
}

static void saved_and_loaded(void)
{
	file_open();
	save();
	expect_equal(hatch_cont_resume(&held, 4), HATCH_DONE); /* the original goes on */
	expect_equal(w.t.status, 4000);
	world_end(&w);
	for (uint64_t answer = 1; answer < 4; answer++) {
		make_empty();
		expect_equal(load(), 0);
		expect_equal(file.at, file.used);
		expect_equal(w.t.event.kind, HATCH_MMIO);
		expect_equal(w.t.event.mmio.offset, 4);
		expect_equal(device, 0x1234567);
		expect_equal(hatch_cont_resume(&held, answer), HATCH_DONE);
		expect_equal(w.t.status, 1000 * answer);
		world_end(&w);
	}
	check_say("%zu bytes for a guest of %u KiB", file.used, (unsigned int)WORLD_RAM_SIZE >> 10);
	expect(file.used < WORLD_RAM_SIZE / 8); /* what is zero is not there */
	file_close();
}

/* RAM that the guest does not have yet is made. */
static void into_an_empty_guest(void)
{
	file_open();
	save();
	hatch_cont_drop(&held);
	world_end(&w);
	expect_equal(hatch_guest_init(&w.guest, hatch_board_memory()), 0);
	expect_equal(hatch_vcpu_init(&w.vcpu, &w.guest), 0);
	world_again(&w, 0, 0);
	add_clauses();
	expect_equal(load(), 0);
	expect_equal(w.guest.region[0].size, WORLD_RAM_SIZE);
	expect_equal(hatch_cont_resume(&held, 2), HATCH_DONE);
	expect_equal(w.t.status, 2000);
	world_end(&w);
	file_close();
}

/* The clock of the guest goes on where it stood, not where the machine's is. */
static void time_stands_still(void)
{
	uint64_t before, after;

	file_open();
	save();
	before = hatch_vcpu_time(&w.vcpu);
	hatch_cont_drop(&held);
	world_end(&w);
	make_empty();
	w.vcpu.confine.htimedelta += UINT64_C(1) << 40;
	expect_equal(load(), 0);
	after = hatch_vcpu_time(&w.vcpu);
	expect(after - before + (UINT64_C(1) << 39) < UINT64_C(1) << 40); /* not 2^40 apart */
	hatch_cont_drop(&held);
	world_end(&w);
	file_close();
}

/* Whatever is changed or missing: refused, by name, and the host's side is as it was. */
static void damage_is_refused(void)
{
	size_t whole;

	check_seed(11);
	file_open();
	save();
	hatch_cont_drop(&held);
	world_end(&w);
	whole = file.used;
	for (unsigned int i = 0; i < DAMAGES; i++) {
		size_t at = check_random() % whole;
		uint8_t old = file.bytes[at];
		int error;

		make_empty();
		if (i % 4 == 0)
			file.used = at;
		else
			file.bytes[at] ^= (uint8_t)(1 + check_random() % 255);
		error = load();
		file.bytes[at] = old;
		file.used = whole;
		if (!expect(error == HATCH_EFORMAT || error == HATCH_ENOMEM ||
			    error == HATCH_ENOTSUP))
			check_say("damage at %zu: %s", at, hatch_error_name(error));
		expect_equal(device, 7);
		expect(!w.t.suspended);
		world_end(&w);
	}
	make_empty();
	expect_equal(load(), 0); /* and whole again it works */
	hatch_cont_drop(&held);
	world_end(&w);
	file_close();
}

static void set_state(struct hatch_state *other)
{
	make_empty();
	w.t.scope.states = NULL;
	if (other)
		expect_equal(hatch_state_add(&w.t.scope, other), 0);
}

/* Sound, but of another machine. */
static void foreign_is_refused(void)
{
	struct hatch_state other = state;

	file_open();
	save();
	hatch_cont_drop(&held);
	world_end(&w);

	set_state(NULL); /* a state that nobody has here */
	expect_equal(load(), HATCH_EFORMAT);
	world_end(&w);
	other.version = 4;
	set_state(&other);
	expect_equal(load(), HATCH_EFORMAT);
	world_end(&w);
	other = state;
	other.name = "gadget";
	set_state(&other);
	expect_equal(load(), HATCH_EFORMAT);
	world_end(&w);
	make_empty(); /* a region that was not there */
	expect_equal(hatch_guest_add_ram(&w.guest, hatch_gpa_of(0x90000000), HATCH_PAGE_SIZE), 0);
	expect_equal(load(), HATCH_EFORMAT);
	world_end(&w);
	make_empty(); /* another hart */
	w.vcpu.hart_id = 5;
	expect_equal(load(), HATCH_EFORMAT);
	world_end(&w);
	file_close();
}

/* What a state's hook refuses, at the very end, changes nothing. */
static void expect_refused(void)
{
	struct hatch_vcpu before;

	hatch_cont_drop(&held);
	world_end(&w);
	make_empty();
	before = w.vcpu;
	expect_equal(load(), HATCH_EFORMAT);
	expect(!memcmp(&before, &w.vcpu, sizeof(before)));
	expect_equal(device, 7);
	world_end(&w);
	file_close();
}

static void refused_by_a_state(void)
{
	file_open();
	device = 0;
	world_of(&w, marker);
	add_clauses();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	device = UINT64_MAX;
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), 0);
	expect_refused();
}

/* A guest with more registers than those of one vcpu: neither saved nor loaded. */
static void refused_with_others(void)
{
	file_open();
	save();
	alone = false;
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), HATCH_EBUSY);
	expect_refused();
	alone = true;
}

static void errors(void)
{
	struct hatch_captured none = { 0 };

	file_open();
	save();
	expect_equal(hatch_snapshot_save(NULL, write_file, NULL), HATCH_EINVAL);
	expect_equal(hatch_snapshot_save(&none, write_file, NULL), HATCH_EINVAL);
	expect_equal(hatch_snapshot_save(&held, NULL, NULL), HATCH_EINVAL);
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), 0); /* behind the first */
	file.size = file.used + 100;
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), HATCH_E2BIG);
	file.size = FILE_SIZE;
	expect_equal(load(), HATCH_EINVAL); /* it is suspended */
	none = held;
	hatch_cont_drop(&held);
	expect_equal(hatch_snapshot_save(&none, write_file, NULL), HATCH_ESTALE);
	expect_equal(load(), HATCH_EINVAL); /* it has ended */
	world_end(&w);
	make_empty();
	expect_equal(hatch_snapshot_load(NULL, read_file, NULL, &held), HATCH_EINVAL);
	expect_equal(hatch_snapshot_load(&w.t, NULL, NULL, &held), HATCH_EINVAL);
	expect_equal(hatch_snapshot_load(&w.t, read_file, NULL, NULL), HATCH_EINVAL);
	world_end(&w);
	file_close();
}

static void open_transaction(void)
{
	file_open();
	world_of(&w, marker);
	add_clauses();
	w.t.transactional = true;
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	expect_equal(hatch_snapshot_save(&held, write_file, NULL), HATCH_EBUSY);
	hatch_cont_drop(&held);
	world_end(&w);
	file_close();
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(saved_and_loaded),    CHECK(into_an_empty_guest),
		CHECK(time_stands_still),   CHECK(damage_is_refused),
		CHECK(foreign_is_refused),  CHECK(refused_by_a_state),
		CHECK(refused_with_others), CHECK(errors),
		CHECK(open_transaction),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
