/* SPDX-License-Identifier: MIT */
/*
 * The machine's slots for virtio devices: where they are, whose they are, and that what was taken
 * is given back. The devices themselves are a few lines of C.
 */
#include <libfdt.h>

#include "smp_machine.h"

static struct hatch_machine machine;
static struct hatch_guest guest;
static unsigned int alive, interrupted[HATCH_MACHINE_VIRTIO_SLOTS];
static int failure;

static unsigned int slot_of(const struct hatch_virtio_proxy *proxy)
{
	return (unsigned int)(proxy - machine.virtio);
}

/* No guest runs here. */
enum hatch_outcome hatch_try_run(struct hatch_try *t)
{
	fail_msg("asked to run vcpu %p", (void *)t->vcpu);
	return HATCH_FAILED;
}

static enum hatch_verdict on_access(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	return hatch_resume(k, 0x100 + slot_of(arg));
}

static void save(void *arg, void *to)
{
	(void)arg;
	memset(to, 0, 8);
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	(void)arg;
	(void)from;
	(void)vcpu;
	return HATCH_OK;
}

int hatch_virtio_proxy_init(struct hatch_virtio_proxy *proxy, struct hatch_guest *g, hatch_gpa base,
			    const struct hatch_virtio_real *real)
{
	assert_ptr_equal(g, &guest);
	assert_non_null(real);
	*proxy = (struct hatch_virtio_proxy){ .problem = failure ? "no such device" : NULL };
	if (failure)
		return failure;
	proxy->clause = HATCH_ON_MMIO(base.addr, HATCH_VIRTIO_SIZE, on_access, proxy);
	snprintf(proxy->name, sizeof(proxy->name), "virtio@%lx", (unsigned long)base.addr);
	proxy->state = (struct hatch_state){
		.name = proxy->name,
		.version = 1,
		.size = 8,
		.save = save,
		.restore = restore,
		.arg = proxy,
	};
	alive++;
	return HATCH_OK;
}

void hatch_virtio_proxy_add_window(struct hatch_virtio_proxy *proxy)
{
	fail_msg("nobody asked for windows: slot %u", slot_of(proxy));
}

void hatch_virtio_proxy_fini(struct hatch_virtio_proxy *proxy)
{
	assert_in_range(slot_of(proxy), 0, HATCH_MACHINE_VIRTIO_SLOTS - 1);
	alive--;
}

void hatch_virtio_proxy_interrupt(struct hatch_virtio_proxy *proxy)
{
	interrupted[slot_of(proxy)]++;
}

int hatch_virtio_proxy_fdt(const struct hatch_virtio_proxy *proxy, void *tree, uint32_t parent,
			   uint32_t source)
{
	(void)tree;
	fail_msg("no tree is written: slot %u, %u, %u", slot_of(proxy), parent, source);
	return 0;
}

static int set_up(void **state)
{
	const struct hatch_machine_host host = smp_host();

	(void)state;
	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	memset(interrupted, 0, sizeof(interrupted));
	alive = 0;
	failure = 0;
	for (unsigned int i = 0; i < THREADS; i++) {
		vcpus[i] = (struct hatch_vcpu){ .guest = &guest };
		harts[i].vcpu = &vcpus[i];
	}
	assert_int_equal(hatch_machine_init(&machine, &host, harts, THREADS), HATCH_OK);
	return 0;
}

static void test_slots(void **state)
{
	const struct hatch_virtio_real real = { .arg = NULL };

	(void)state;
	for (unsigned int i = 0; i < HATCH_MACHINE_VIRTIO_SLOTS; i++) {
		const struct hatch_virtio_proxy *proxy = &machine.virtio[i];

		hatch_machine_virtio_interrupt(&machine, i); /* nobody is there yet */
		assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_OK);
		assert_int_equal(proxy->clause.first, 0x10001000 + 0x1000 * i);
		assert_ptr_equal(proxy->clause.scope, &machine.scope);
		assert_int_equal(smp_load(&proxy->clause, 0, 4), 0x100 + i);
		hatch_machine_virtio_interrupt(&machine, i);
		assert_int_equal(interrupted[i], 1);
		proxy->line(proxy->line_arg, true);
		assert_int_equal(machine.plic.level[0], ((2u << i) - 1) << 1);
	}
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_E2BIG);
	hatch_machine_fini(&machine);
	assert_int_equal(alive + machine.virtios, 0);
	hatch_machine_fini(&machine);
	assert_int_equal(alive, 0);
}

/* What a driver finds in the slot: the DeviceID of nothing, or the device's answer. */
static uint64_t look(unsigned int slot)
{
	const struct hatch_catch *clause = slot < machine.virtios ? &machine.virtio[slot].clause
								  : &machine.empty[slot];

	assert_ptr_equal(clause->scope, &machine.scope);
	assert_int_equal(clause->first, 0x10001000 + 0x1000 * slot);
	return smp_load(clause, 8, 4);
}

/* Devices take empty slots from the first one on; a slot that a device leaves alone stays empty. */
static void test_empty_slots(void **state)
{
	const struct hatch_virtio_real real = { .arg = NULL };

	(void)state;
	assert_int_equal(hatch_machine_set_slots(&machine, HATCH_MACHINE_VIRTIO_SLOTS + 1),
			 HATCH_E2BIG);
	assert_int_equal(machine.slots, 0);
	assert_int_equal(hatch_machine_set_slots(&machine, 2), HATCH_OK);
	assert_int_equal(hatch_machine_set_slots(&machine, 3), HATCH_OK);
	assert_int_equal(hatch_machine_set_slots(&machine, 2), HATCH_EINVAL);
	for (unsigned int taken = 0; taken <= 3; taken++) {
		for (unsigned int i = 0; i < 3; i++)
			assert_int_equal(look(i), i < taken ? 0x100 + i : 0);
		assert_int_equal(machine.slots, 3);
		machine.plic.level[0] = ~0u; /* a snapshot said so */
		assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_OK);
		assert_int_equal(machine.plic.level[0], ~(2u << taken));
	}
	assert_int_equal(machine.slots, 4);
	assert_int_equal(hatch_machine_set_slots(&machine, 5), HATCH_OK);
	assert_int_equal(look(4), 0);
	hatch_machine_fini(&machine);
}

/* Put back behind all others: innermost scope first, and in each the last added first. */
static void test_state_is_last(void **state)
{
	const struct hatch_virtio_real real = { .arg = NULL };

	(void)state;
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_OK);
	assert_ptr_equal(machine.rest.states, &machine.virtio[0].state);
	assert_string_equal(machine.rest.states->name, "virtio@10001000");
	for (const struct hatch_state *s = machine.scope.states; s; s = s->next)
		assert_ptr_not_equal(s, &machine.virtio[0].state);
}

/* A device that is refused leaves its slot, and says why. */
static void test_refused(void **state)
{
	const struct hatch_virtio_real real = { .arg = NULL };
	struct hatch_catch other =
		HATCH_ON_MMIO(HATCH_MACHINE_VIRTIO, HATCH_VIRTIO_SIZE, on_access, NULL);

	(void)state;
	failure = HATCH_ENOTSUP;
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_ENOTSUP);
	assert_string_equal(machine.virtio[machine.virtios].problem, "no such device");
	failure = 0;
	assert_int_equal(hatch_catch_add(&machine.scope, &other), HATCH_OK);
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_EOVERLAP);
	assert_int_equal(hatch_catch_remove(&machine.scope, &other), HATCH_OK);
	assert_int_equal(alive + machine.virtios, 0);
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_OK);
	assert_int_equal(machine.virtios, 1);
}

static void test_refused_in_empty_slot(void **state)
{
	const struct hatch_virtio_real real = { .arg = NULL };

	(void)state;
	assert_int_equal(hatch_machine_set_slots(&machine, 1), HATCH_OK);
	failure = HATCH_ENOTSUP;
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_ENOTSUP);
	assert_int_equal(look(0), 0);
	failure = 0;
	machine.scope.sealed = 1; /* a try runs */
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_ESEALED);
	machine.scope.sealed = 0;
	assert_int_equal(look(0), 0);
	machine.rest.sealed = 1;
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_ESEALED);
	machine.rest.sealed = 0;
	assert_int_equal(look(0), 0);
	assert_int_equal(alive + machine.virtios, 0);
	assert_int_equal(hatch_machine_add_virtio(&machine, &real), HATCH_OK);
	assert_int_equal(look(0), 0x100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_slots, set_up),
		cmocka_unit_test_setup(test_state_is_last, set_up),
		cmocka_unit_test_setup(test_refused, set_up),
		cmocka_unit_test_setup(test_empty_slots, set_up),
		cmocka_unit_test_setup(test_refused_in_empty_slot, set_up),
	};

	return cmocka_run_group_tests_name("smp_virtio", tests, NULL, NULL);
}
