/* SPDX-License-Identifier: MIT */
/*
 * The guest's timer, with Sstc and without.
 */
#include "sbi_fake.h"

static uint64_t host_ticks(uint64_t delta, uint64_t guest_ticks)
{
	vcpu[0].confine.htimedelta = delta;
	return hatch_vcpu_host_ticks(&vcpu[0], guest_ticks);
}

/* No guest time, however odd, may become an alarm at the wrong host time. */
static void test_host_ticks(void **state)
{
	(void)state;
	assert_int_equal(host_ticks(0, 5), 5);
	assert_int_equal(host_ticks(0, UINT64_MAX - 1), UINT64_MAX - 1);
	assert_int_equal(host_ticks(-UINT64_C(100), 0), 100);
	assert_int_equal(host_ticks(-UINT64_C(100), UINT64_MAX - 101), UINT64_MAX - 1);
	assert_int_equal(host_ticks(-UINT64_C(100), UINT64_MAX - 100), HATCH_TIMER_NEVER);
	assert_int_equal(host_ticks(-UINT64_C(100), UINT64_MAX - 99), HATCH_TIMER_NEVER);
	assert_int_equal(host_ticks(-UINT64_C(100), UINT64_MAX), HATCH_TIMER_NEVER);
	assert_int_equal(host_ticks(100, 99), 0);
	assert_int_equal(host_ticks(100, 100), 0);
	assert_int_equal(host_ticks(100, 101), 1);
	assert_int_equal(host_ticks(100, UINT64_MAX), UINT64_MAX - 100);
}

static void test_sstc(void **state)
{
	(void)state;
	vcpu[0].confine.henvcfg = HENVCFG_STCE;
	vcpu[0].confine.htimedelta = -UINT64_C(100);
	vcpu[0].hvip = HVIP_VSTIP | HVIP_VSSIP; /* of a hart without Sstc, where it came from */
	hatch_timer_set(&timer, &vcpu[0], 7);
	assert_int_equal(vcpu[0].vs.vstimecmp, 7); /* guest ticks: the hardware adds htimedelta */
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	assert_int_equal(armed, 0);
}

static void test_without_sstc(void **state)
{
	(void)state;
	vcpu[0].hvip = HVIP_VSTIP | HVIP_VSEIP;
	vcpu[0].vs.vstimecmp = 1;
	hatch_timer_set(&timer, &vcpu[0], 7);
	assert_int_equal(armed, 7);
	assert_int_equal(vcpu[0].hvip, HVIP_VSEIP);
	assert_int_equal(vcpu[0].vs.vstimecmp, 7); /* so that the alarm goes with the registers */
}

static enum hatch_verdict expire(void)
{
	struct hatch_event ev = { .kind = HATCH_INTERRUPT };

	ev.interrupt.irq = IRQ_S_TIMER;
	k = (struct hatch_cont){ .vcpu = &vcpu[0] };
	return timer.expiry.handler(timer.expiry.arg, &ev, &k);
}

static void test_expiry(void **state)
{
	(void)state;
	assert_int_equal(timer.expiry.kind, HATCH_INTERRUPT);
	assert_int_equal(timer.expiry.first, IRQ_S_TIMER);
	vcpu[0].vs.vstimecmp = 7;
	assert_int_equal(expire(), HATCH_RESUME);
	assert_int_equal(vcpu[0].hvip, HVIP_VSTIP);
	assert_int_equal(vcpu[0].vs.vstimecmp, HATCH_TIMER_NEVER);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
}

/* Another vcpu's alarm was armed meanwhile. */
static void test_rearm(void **state)
{
	(void)state;
	vcpu[0].confine.htimedelta = -UINT64_C(100);
	vcpu[0].hvip = HVIP_VSTIP;
	hatch_timer_set(&timer, &vcpu[1], 5);
	vcpu[0].vs.vstimecmp = 7;
	hatch_timer_rearm(&timer, &vcpu[0]);
	assert_int_equal(armed, 107);
	assert_int_equal(vcpu[0].hvip, HVIP_VSTIP);
	vcpu[0].vs.vstimecmp = HATCH_TIMER_NEVER;
	hatch_timer_rearm(&timer, &vcpu[0]);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
	vcpu[0].confine.henvcfg = HENVCFG_STCE;
	armed = 3;
	hatch_timer_rearm(&timer, &vcpu[0]);
	assert_int_equal(armed, 3);
}

/* With Sstc the host's timer is not the guest's: its expiry must not reach the guest. */
static void test_expiry_with_sstc(void **state)
{
	(void)state;
	vcpu[0].confine.henvcfg = HENVCFG_STCE;
	assert_int_equal(expire(), HATCH_RESUME);
	assert_int_equal(vcpu[0].hvip, 0);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
}

/* A hart with Sstc needs no host timer at all. */
static void test_no_host_timer(void **state)
{
	(void)state;
	hatch_timer_init(&timer, NULL, NULL);
	hatch_timer_set(&timer, &vcpu[0], 7);
	assert_int_equal(expire(), HATCH_RESUME);
	assert_int_equal(armed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_host_ticks, set_up),
		cmocka_unit_test_setup(test_sstc, set_up),
		cmocka_unit_test_setup(test_without_sstc, set_up),
		cmocka_unit_test_setup(test_expiry, set_up),
		cmocka_unit_test_setup(test_rearm, set_up),
		cmocka_unit_test_setup(test_expiry_with_sstc, set_up),
		cmocka_unit_test_setup(test_no_host_timer, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
