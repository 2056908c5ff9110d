/* SPDX-License-Identifier: MIT */
/*
 * A vcpu's post: first in one thread, each case by itself; then harts that are threads, which all
 * send to each other while their vcpus come and go. Built with ThreadSanitizer a second time.
 */
#include <pthread.h>
#include <sched.h>

#include "support.h"

#include "../../src/core/hart.h"
#include "../../src/core/post.h"

enum { HARTS = 4, ROUNDS = 30000 };

/* What the hardware of a hart would be. `guest` is what the guest has seen when it runs on. */
struct machine {
	struct hatch_hart hart;
	unsigned int soft; /* the software interrupt is pending; any hart sets it */
	uint64_t hvip, fences, fence_is;
	struct hatch_fence last;
};

static struct machine machine[HARTS];
static struct hatch_vcpu vcpu[HARTS];
static _Thread_local struct machine *self = &machine[0];

struct hatch_hart *hatch_hart_this(void)
{
	return &self->hart;
}

void hatch_hart_kick(const struct hatch_hart *hart)
{
	__atomic_store_n(&machine[hart->id].soft, 1, __ATOMIC_RELEASE);
}

void hatch_hart_hvip(uint64_t set, uint64_t clear)
{
	assert_int_equal(set & clear, 0);
	self->hvip = (self->hvip | set) & ~clear;
}

void hatch_hart_fence(const struct hatch_fence *fence)
{
	if (fence->kind == HATCH_FENCE_I)
		self->fence_is++;
	else
		self->fences++;
	self->last = *fence;
}

/* What hatch_vcpu_load and hatch_vcpu_put do about it. */
static void arrive(struct hatch_vcpu *v)
{
	self->hvip = hatch_post_arrive(v, &self->hart);
	self->hart.current = v;
	hatch_post_take(v);
}

static void depart(struct hatch_vcpu *v)
{
	self->hart.current = NULL;
	hatch_post_leave(v, self->hvip);
}

static int set_up(void **state)
{
	(void)state;
	memset(machine, 0, sizeof(machine));
	memset(vcpu, 0, sizeof(vcpu));
	for (uint64_t i = 0; i < HARTS; i++)
		machine[i].hart.id = i;
	self = &machine[0];
	return 0;
}

/* The test is hart 0; vcpu 1 is on hart 1. */
static void put_on_hart_1(void)
{
	self = &machine[1];
	arrive(&vcpu[1]);
	self = &machine[0];
}

static void fence_and_wait(struct hatch_vcpu *v, const struct hatch_fence *fence)
{
	hatch_vcpu_fence_await(v, hatch_vcpu_fence_send(v, fence));
}

static void test_to_oneself(void **state)
{
	const struct hatch_fence fence = { .kind = HATCH_FENCE_VMA, .size = 8 };

	(void)state;
	arrive(&vcpu[0]);
	hatch_vcpu_raise(&vcpu[0], HVIP_VSSIP);
	assert_int_equal(self->hvip, HVIP_VSSIP);
	fence_and_wait(&vcpu[0], &fence);
	assert_int_equal(self->fences, 1);
	assert_int_equal(self->soft, 0);
	depart(&vcpu[0]);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
}

static void test_to_nowhere(void **state)
{
	const struct hatch_fence fence = { .kind = HATCH_FENCE_I };

	(void)state;
	hatch_vcpu_raise(&vcpu[1], HVIP_VSEIP | HVIP_VSSIP);
	hatch_vcpu_lower(&vcpu[1], HVIP_VSSIP);
	fence_and_wait(&vcpu[1], &fence); /* does not wait */
	assert_int_equal(vcpu[1].hvip, HVIP_VSEIP);
	put_on_hart_1();
	assert_int_equal(machine[1].hvip, HVIP_VSEIP);
	assert_int_equal(machine[1].fence_is, 1);
	assert_int_equal(machine[1].soft, 0);
}

static void test_to_another(void **state)
{
	(void)state;
	put_on_hart_1();
	hatch_vcpu_raise(&vcpu[1], HVIP_VSSIP);
	assert_int_equal(machine[1].soft, 1);
	machine[1].soft = 0;
	hatch_vcpu_lower(&vcpu[1], HVIP_VSSIP);
	hatch_vcpu_raise(&vcpu[1], HVIP_VSEIP);
	assert_int_equal(machine[1].soft, 0); /* it was told, and has not looked yet */
	assert_int_equal(machine[1].hvip, 0);
	self = &machine[1];
	hatch_post_take(&vcpu[1]);
	assert_int_equal(self->hvip, HVIP_VSEIP);
	assert_false(vcpu[1].post.full);
}

/* What was sent before counts before what the hart does itself. */
static void test_order(void **state)
{
	(void)state;
	put_on_hart_1();
	hatch_vcpu_lower(&vcpu[1], HVIP_VSEIP);
	self = &machine[1];
	hatch_vcpu_raise(&vcpu[1], HVIP_VSEIP);
	hatch_post_take(&vcpu[1]);
	assert_int_equal(self->hvip, HVIP_VSEIP);
}

static void test_leaves_with_post(void **state)
{
	(void)state;
	put_on_hart_1();
	machine[1].hvip = HVIP_VSTIP;
	hatch_vcpu_raise(&vcpu[1], HVIP_VSSIP);
	hatch_vcpu_lower(&vcpu[1], HVIP_VSTIP);
	self = &machine[1];
	depart(&vcpu[1]);
	assert_int_equal(vcpu[1].hvip, HVIP_VSSIP);
	arrive(&vcpu[1]);
	assert_int_equal(self->hvip, HVIP_VSSIP);
}

/* Two fences that are the same are one; two that differ are one of everything. */
static void test_fences_join(void **state)
{
	struct hatch_fence fence = {
		.kind = HATCH_FENCE_ASID, .start = { 0x1000 }, .size = 16, .asid = 7
	};

	(void)state;
	put_on_hart_1();
	hatch_post_away(&vcpu[1], true); /* nobody waits for it */
	fence_and_wait(&vcpu[1], &fence);
	fence_and_wait(&vcpu[1], &fence);
	self = &machine[1];
	hatch_post_away(&vcpu[1], false);
	assert_int_equal(self->fences, 1);
	assert_int_equal(self->last.asid, 7);
	hatch_post_away(&vcpu[1], true);
	self = &machine[0];
	fence_and_wait(&vcpu[1], &fence);
	fence.asid = 8;
	fence_and_wait(&vcpu[1], &fence);
	self = &machine[1];
	hatch_post_away(&vcpu[1], false);
	assert_int_equal(self->fences, 2);
	assert_int_equal(self->last.kind, HATCH_FENCE_VMA);
	assert_true(self->last.size == UINT64_MAX);
}

static void test_kick(void **state)
{
	(void)state;
	hatch_vcpu_kick(&vcpu[1]); /* before it runs */
	assert_int_equal(machine[1].soft, 0);
	assert_true(hatch_post_is_kick(&vcpu[1]));
	assert_false(hatch_post_is_kick(&vcpu[1]));
	put_on_hart_1();
	hatch_vcpu_kick(&vcpu[1]);
	assert_int_equal(machine[1].soft, 1);
	assert_true(hatch_post_is_kick(&vcpu[1]));
}

/* ---- Harts that are threads ---- */

static unsigned int running; /* threads that still send */

/* The guest runs until its hart is interrupted, or for a while. */
static void run_guest(struct hatch_vcpu *v)
{
	for (int i = 0; i < 20; i++) {
		if (!__atomic_exchange_n(&self->soft, 0, __ATOMIC_ACQUIRE))
			continue;
		hatch_post_take(v);
		hatch_post_is_kick(v);
	}
}

static void send(int from, int round)
{
	struct hatch_vcpu *to = &vcpu[(from + 1 + round % (HARTS - 1)) % HARTS];
	const struct hatch_fence fence = { .kind = round % 2 ? HATCH_FENCE_I : HATCH_FENCE_VMA,
					   .size = (uint64_t)round };

	if (round % 3 == 0)
		fence_and_wait(to, &fence);
	else if (round % 31 == 1)
		hatch_vcpu_kick(to);
	else if (round % 2)
		hatch_vcpu_raise(to, UINT64_C(1) << from);
	else
		hatch_vcpu_lower(to, UINT64_C(1) << from);
}

static void *be_hart(void *arg)
{
	int id = (int)(intptr_t)arg;

	self = &machine[id];
	for (int round = 0; round < ROUNDS; round++) {
		arrive(&vcpu[id]);
		run_guest(&vcpu[id]);
		send(id, round);
		run_guest(&vcpu[id]);
		depart(&vcpu[id]);
		if (round % 16 == 0)
			sched_yield();
	}
	/* The last word of each to each: what has to be there in the end. */
	for (int to = 0; to < HARTS; to++)
		if (to != id)
			hatch_vcpu_raise(&vcpu[to], UINT64_C(1) << id);
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
		arrive(&vcpu[id]);
		run_guest(&vcpu[id]);
		depart(&vcpu[id]);
		sched_yield();
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[HARTS];

	(void)state;
	running = HARTS;
	for (int i = 0; i < HARTS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, be_hart, (void *)(intptr_t)i), 0);
	for (int i = 0; i < HARTS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < HARTS; i++) {
		assert_int_equal(vcpu[i].hvip, (1 << HARTS) - 1 - (1 << i));
		assert_false(vcpu[i].post.full && vcpu[i].post.raise);
		assert_int_not_equal(machine[i].fences + machine[i].fence_is, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_to_oneself, set_up),
		cmocka_unit_test_setup(test_to_nowhere, set_up),
		cmocka_unit_test_setup(test_to_another, set_up),
		cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_leaves_with_post, set_up),
		cmocka_unit_test_setup(test_fences_join, set_up),
		cmocka_unit_test_setup(test_kick, set_up),
		cmocka_unit_test_setup(test_threads, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
