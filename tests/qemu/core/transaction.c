/* SPDX-License-Identifier: MIT */
/*
 * Transactions: a run that comes to nothing leaves nothing behind.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/clone.h>
#include <hatch/csr.h>

#include "world.h"

#define DATA	 "0x80080000"
#define DATA_END (WORLD_DATA + 32 * HATCH_PAGE_SIZE)
#define ABORTS	 10000

enum { ASK_UNWIND = 1, ASK_HOST_WRITE, ASK_CAPTURE, ASK_BREAK, ASK_NOBODY = 99 };

/*
 * Changes what it can: a0 stores (a1: seed) at random into 32 pages, all registers, FP, CSRs, the
 * device; then asks what a2 says and quits with the seed.
 */
GUEST(vandal, "	li t0, 0x6000\n"
	      "	csrs sstatus, t0\n"
	      "	mv s0, a0\n"
	      "	mv s1, a1\n"
	      "	mv s4, a2\n"
	      "	li s2, " DATA "\n"
	      "	li s3, 0x5851f42d4c957f2d\n"
	      "	li s5, 0x1fff8\n"
	      "	li s6, 0x10000000\n"
	      "1:	mul s1, s1, s3\n"
	      "	addi s1, s1, 1442\n"
	      "	srli t0, s1, 40\n"
	      "	and t0, t0, s5\n"
	      "	add t0, t0, s2\n"
	      "	sd s1, 0(t0)\n"
	      "	addi s0, s0, -1\n"
	      "	bnez s0, 1b\n"
	      "	sw s1, 0(s6)\n"
	      "	fmv.d.x ft0, s1\n"
	      "	fmv.d.x fs11, s1\n"
	      "	csrw sscratch, s1\n"
	      "	csrw sepc, s1\n"
	      "	csrw stval, s1\n"
	      "	mv gp, s1\n"
	      "	mv tp, s1\n"
	      "	mv sp, s1\n"
	      "	mv t6, s1\n"
	      "	mv a6, s4\n"
	      "	li a7, 0x08544553\n"
	      "	ecall\n"
	      "	li a0, 77\n"
	      "	quit\n");

static struct world w;
static struct hatch_captured held;
static struct hatch_catch on_ask, on_device;
static uint64_t device;

static void device_save(void *arg, void *to)
{
	memcpy(to, &device, sizeof(device));
}

static int device_restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	memcpy(&device, from, sizeof(device));
	return 0;
}

static struct hatch_state state = {
	.name = "device",
	.version = 1,
	.size = sizeof(device),
	.save = device_save,
	.restore = device_restore,
};

static enum hatch_verdict answer_ask(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	switch (ev->hypercall.function) {
	case ASK_UNWIND:
		return hatch_unwind(k, 9);
	case ASK_HOST_WRITE:
		world_write(&w, WORLD_DATA + 8, &device, sizeof(device));
		world_write(&w, DATA_END - 8, &device, sizeof(device));
		return hatch_unwind(k, 9);
	case ASK_CAPTURE:
		return hatch_cont_capture(k, &held);
	case ASK_BREAK:
		return HATCH_RESUME; /* without an answer */
	case ASK_NOBODY:
		return HATCH_PASS;
	default:
		return hatch_resume(k, 0);
	}
}

static enum hatch_verdict answer_device(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	device = device * 31 + ev->mmio.value;
	return hatch_resume(k, 0);
}

static void begin(void)
{
	device = 12345;
	world_of(&w, vandal);
	on_ask = HATCH_ON_HYPERCALL(WORLD_EID, answer_ask, NULL);
	on_device = HATCH_ON_MMIO(WORLD_DEVICE, 0x1000, answer_device, NULL);
	world_catch(&w, &on_ask);
	world_catch(&w, &on_device);
	expect_equal(hatch_state_add(&w.t.scope, &state), 0);
	w.t.transactional = true;
	for (unsigned int i = 0; i < 32; i++)
		w.vcpu.fp[i] = check_random();
	for (uint64_t at = WORLD_DATA; at < DATA_END; at += 8) {
		uint64_t value = check_random();

		world_write(&w, at, &value, sizeof(value));
	}
}

static void set_arguments(uint64_t stores, uint64_t seed, uint64_t ask)
{
	w.vcpu.frame.x[10] = stores;
	w.vcpu.frame.x[11] = seed;
	w.vcpu.frame.x[12] = ask;
}

/* ---- Everything, as one number ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static uint64_t mix_words(uint64_t hash, const void *from, size_t size)
{
	const uint64_t *words = from;

	for (size_t i = 0; i < size / 8; i++)
		hash = mix(hash, words[i]);
	return hash;
}

/* Of the code's page and the 32 that the guest writes to; nothing else is ever written. */
static uint64_t hash_ram(struct hatch_guest *guest)
{
	uint64_t hash = 1;

	for (uint64_t at = WORLD_DATA; at < DATA_END;) {
		size_t size = DATA_END - at;
		const void *p =
			hatch_guest_pointer(guest, hatch_gpa_of(at), &size, HATCH_PROT_READ);

		if (!expect(p != NULL))
			return 0;
		hash = mix_words(hash, p, size);
		at += size;
	}
	return mix(hash, world_read(&w, WORLD_RAM));
}

static uint64_t hash_registers(const struct hatch_vcpu *vcpu)
{
	uint64_t hash = mix_words(2, vcpu->frame.x, sizeof(vcpu->frame.x));

	hash = mix_words(hash, vcpu->fp, sizeof(vcpu->fp));
	hash = mix_words(hash, &vcpu->vs, offsetof(struct hatch_vs_csrs, scounteren));
	return mix(mix(mix(hash, vcpu->frame.pc), vcpu->fcsr), vcpu->hvip);
}

static uint64_t hash_all(void)
{
	return mix(mix(hash_ram(&w.guest), hash_registers(&w.vcpu)), device);
}

/* ---- The checks ---- */

static void ten_thousand_aborts(void)
{
	uint64_t before;

	check_seed(7);
	begin();
	for (unsigned int i = 0; i < ABORTS; i++) {
		uint64_t ask = check_random() % 2 ? ASK_UNWIND : ASK_HOST_WRITE;

		set_arguments(1 + check_random() % 100, check_random(), ask);
		before = hash_all();
		world_run(&w);
		if (!expect_outcome(&w, HATCH_UNWOUND) || !expect_equal(hash_all(), before))
			break;
		expect_equal(w.t.status, 9);
	}
	world_end(&w);
}

static void done_keeps_everything(void)
{
	uint64_t before;

	begin();
	before = hash_ram(&w.guest);
	set_arguments(50, 3, 0);
	expect_equal(world_run(&w), HATCH_DONE);
	expect_equal(w.t.status, 77);
	expect(hash_ram(&w.guest) != before);
	expect(device != 12345);
	world_end(&w);
}

static void every_bad_end_undoes(void)
{
	static const struct {
		uint64_t ask;
		enum hatch_outcome outcome;
	} ends[] = { { ASK_NOBODY, HATCH_UNCAUGHT }, { ASK_BREAK, HATCH_FAILED } };

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t before;

		begin();
		set_arguments(40, 5, ends[i].ask);
		before = hash_all();
		world_run(&w);
		expect_outcome(&w, ends[i].outcome);
		expect_equal(w.t.event.kind, HATCH_HYPERCALL);
		expect_equal(w.t.event.hypercall.arg[6], ends[i].ask); /* still to be read */
		expect_equal(hash_all(), before);
		world_end(&w);
	}
}

static uint64_t hash_after_done(bool undo_first)
{
	uint64_t hash;

	check_seed(7);
	begin();
	set_arguments(60, 11, ASK_UNWIND);
	if (undo_first)
		expect_equal(world_run(&w), HATCH_UNWOUND);
	set_arguments(60, 11, 0);
	expect_equal(world_run(&w), HATCH_DONE);
	hash = hash_all();
	world_end(&w);
	return hash;
}

/* What was undone can be done again, and it shows nowhere that it was. */
static void again_after_undo(void)
{
	expect_equal(hash_after_done(true), hash_after_done(false));
}

static void suspended_then_dropped(void)
{
	uint64_t before;

	begin();
	set_arguments(40, 5, ASK_CAPTURE);
	before = hash_all();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	expect(hash_ram(&w.guest) != before);
	expect_equal(hatch_cont_drop(&held), 0);
	expect_equal(hash_all(), before);
	world_end(&w);
}

static void suspended_then_done(void)
{
	begin();
	set_arguments(40, 5, ASK_CAPTURE);
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	expect_equal(hatch_cont_resume(&held, 0), HATCH_DONE);
	expect_equal(w.t.status, 77);
	expect(device != 12345);
	world_end(&w);
}

/* The clone has what was there when it was made, whatever becomes of the original. */
static void clone_in_the_middle(void)
{
	static struct hatch_clone clone;
	uint64_t before, middle;

	begin();
	set_arguments(40, 5, ASK_CAPTURE);
	before = hash_all();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	middle = hash_ram(&w.guest);
	expect_equal(hatch_cont_clone(&held, &clone), 0);
	expect_equal(hatch_cont_drop(&held), 0);
	expect_equal(hash_all(), before);
	expect_equal(hash_ram(&clone.guest), middle);
	expect_equal(hatch_cont_resume(&clone.captured, 0), HATCH_DONE);
	expect_equal(clone.t.status, 77);
	expect_equal(hatch_clone_fini(&clone), 0);
	world_end(&w);
}

/* A guest has one transaction at a time. */
static void one_at_a_time(void)
{
	begin();
	expect_equal(hatch_guest_begin(&w.guest), 0);
	set_arguments(40, 5, ASK_UNWIND);
	expect_equal(hatch_try_run(&w.t), HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EBUSY);
	hatch_guest_commit(&w.guest);
	expect_equal(world_run(&w), HATCH_UNWOUND);
	world_end(&w);
}

/* Suspended for ever: hatch_try_fini gives back what it holds. */
static void suspended_then_forgotten(void)
{
	uint64_t before;

	begin();
	set_arguments(40, 5, ASK_CAPTURE);
	before = hash_all();
	expect_equal(world_run(&w), HATCH_SUSPENDED);
	hatch_try_fini(&w.t);
	expect_equal(hash_all(), before);
	expect_equal(hatch_cont_resume(&held, 0), HATCH_FAILED);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(ten_thousand_aborts),	 CHECK(done_keeps_everything),
		CHECK(every_bad_end_undoes),	 CHECK(again_after_undo),
		CHECK(suspended_then_dropped),	 CHECK(suspended_then_done),
		CHECK(clone_in_the_middle),	 CHECK(one_at_a_time),
		CHECK(suspended_then_forgotten),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
