/* SPDX-License-Identifier: MIT */
/*
 * A whole machine, cloned and rolled back, on a hart in C: its wires lead to the vcpu that runs,
 * and to no other, however the continuations take turns.
 */
#include <stdlib.h>

#include "states_machine.h"

static struct hatch_captured run_to_first(void)
{
	assert_int_equal(hatch_try_run(&t), HATCH_SUSPENDED);
	assert_int_equal(vcpu.hvip, 0);
	assert_int_equal(armed, 1000);
	return held;
}

static struct hatch_clone *clone_of(const struct hatch_captured *captured)
{
	struct hatch_clone *made = malloc(sizeof(*made)); /* a use after its end shows */

	assert_int_equal(hatch_cont_clone(captured, made), 0);
	return made;
}

static void end_clone(struct hatch_clone *made)
{
	assert_int_equal(hatch_clone_fini(made), 0);
	memset(made, 0xdf, sizeof(*made));
	free(made);
}

/* From the first capture to the second one. */
static struct hatch_captured run_to_second(const struct hatch_captured *from)
{
	const struct hatch_vcpu *v = from->t->vcpu;

	assert_int_equal(v->hvip, 0);
	assert_int_equal(hatch_cont_resume(from, 0), HATCH_SUSPENDED);
	assert_int_equal(looked, 1000);
	assert_int_equal(armed, 2000);
	assert_int_equal(v->hvip, HVIP_VSEIP);
	assert_ptr_equal(machine.hart[0].vcpu, v);
	return held;
}

static void run_to_end(const struct hatch_captured *from)
{
	const struct hatch_vcpu *v = from->t->vcpu;

	assert_int_equal(v->hvip, HVIP_VSEIP);
	armed = 0;
	assert_int_equal(hatch_cont_resume(from, 0), HATCH_DONE);
	assert_int_equal(looked, 2000);
	assert_int_equal(v->hvip, 0); /* the claim took it */
}

/* ---- Tests ---- */

static void test_clones_take_turns(void **state)
{
	struct hatch_captured first = run_to_first(), second[3];
	struct hatch_clone *a = clone_of(&first), *b = clone_of(&first);

	(void)state;
	second[0] = run_to_second(&a->captured);
	assert_int_equal(vcpu.hvip | b->vcpu.hvip, 0);
	second[1] = run_to_second(&b->captured);
	run_to_end(&second[0]);
	assert_int_equal(b->vcpu.hvip, HVIP_VSEIP);
	end_clone(a);
	second[2] = run_to_second(&first);
	assert_int_equal(b->vcpu.hvip, HVIP_VSEIP);
	run_to_end(&second[1]);
	end_clone(b);
	assert_int_equal(vcpu.hvip, HVIP_VSEIP);
	run_to_end(&second[2]);
}

/* A clone of the second catch has the interrupt that is pending there; the first has it not. */
static void test_pending_is_cloned(void **state)
{
	struct hatch_captured first = run_to_first(), second;
	struct hatch_clone *early = clone_of(&first), *late;

	(void)state;
	second = run_to_second(&first);
	late = clone_of(&second);
	assert_int_equal(late->vcpu.hvip, HVIP_VSEIP);
	run_to_end(&second);
	assert_int_equal(late->vcpu.hvip, HVIP_VSEIP);
	assert_int_equal(early->vcpu.hvip, 0);
	run_to_end(&late->captured);
	end_clone(late);
	second = run_to_second(&early->captured);
	run_to_end(&second);
	end_clone(early);
}

/* A handler of the original runs the clone, and the original goes on with its own wires. */
static void test_clone_within(void **state)
{
	struct hatch_captured first = run_to_first(), inner, outer;
	struct hatch_clone *copy = clone_of(&first);

	(void)state;
	within = copy;
	assert_int_equal(hatch_cont_resume(&first, 0), HATCH_SUSPENDED);
	outer = held;
	assert_int_equal(vcpu.hvip, HVIP_VSEIP);
	assert_int_equal(copy->vcpu.hvip, HVIP_VSEIP);
	inner = (struct hatch_captured){ &copy->t, copy->t.serial };
	run_to_end(&inner);
	assert_int_equal(vcpu.hvip, HVIP_VSEIP);
	end_clone(copy);
	run_to_end(&outer);
}

/* Dropped behind the interrupt: neither line nor alarm nor register is left of it. */
static void test_rollback(void **state)
{
	struct hatch_captured first, second;
	uint64_t before[64], after[64];

	(void)state;
	assert_true(machine.plic.state.size <= sizeof(before));
	machine.plic.state.save(&machine.plic, before);
	t.transactional = true;
	first = run_to_first();
	second = run_to_second(&first);
	assert_int_equal(hatch_cont_drop(&second), 0);
	assert_int_equal(vcpu.hvip, 0);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
	assert_int_equal(machine.uart.mcr | machine.uart.count, 0);
	machine.plic.state.save(&machine.plic, after);
	assert_memory_equal(before, after, machine.plic.state.size);
}

/* With Sstc the host's timer is free for the clock and the beat. */
static void test_beat(void **state)
{
	struct hatch_captured first;
	struct hatch_clone *copy;

	(void)state;
	vcpu.henvcfg = HENVCFG_STCE;
	assert_int_equal(hatch_try_run(&t), HATCH_SUSPENDED);
	first = held;
	copy = clone_of(&first);
	armed = 0;
	fake.time = 500;
	assert_int_equal(hatch_cont_resume(&copy->captured, 0), HATCH_SUSPENDED);
	assert_int_equal(armed, 500 + FREQUENCY / 10);
	assert_int_equal(copy->vcpu.vs.vstimecmp, 2000);
	assert_int_equal(vcpu.vs.vstimecmp, 1000);
	end_clone(copy);
}

/* Whether the console interrupts goes along; its bytes are left where they are. */
static void test_console(void **state)
{
	struct hatch_captured first = run_to_first(), second;
	struct hatch_clone *copy;

	(void)state;
	machine.listening = true;
	copy = clone_of(&first);
	machine.listening = false;
	second = run_to_second(&copy->captured);
	assert_true(machine.listening && listening);
	assert_int_equal(listens, 1);
	run_to_end(&second);
	assert_int_equal(listens, 1);
	end_clone(copy);
}

static int restore_machine(const void *image)
{
	return machine.state.restore(machine.state.arg, image, &vcpu);
}

static void test_bad_machine(void **state)
{
	_Alignas(8) struct {
		uint32_t frequency, listening, slots;
		char emulated[HATCH_EMULATOR_LIST];
	} image, again;

	(void)state;
	assert_int_equal(machine.state.size, sizeof(image));
	memset(&image, 0xa5, sizeof(image));
	machine.state.save(machine.state.arg, &image);
	memset(&again, 0x5a, sizeof(again));
	assert_int_equal(restore_machine(&image), HATCH_OK);
	machine.state.save(machine.state.arg, &again);
	assert_memory_equal(&image, &again, sizeof(image));
	memset(image.emulated, 'z', sizeof(image.emulated)); /* without an end */
	assert_int_equal(restore_machine(&image), HATCH_ENOTSUP);
	memset(image.emulated, 0, sizeof(image.emulated));
	memcpy(image.emulated, "zbb", 3);
	assert_int_equal(restore_machine(&image), HATCH_ENOTSUP);
	machine.emulator.ops = 1;
	memcpy(machine.emulator.extensions, "zbb", 4);
	assert_int_equal(restore_machine(&image), HATCH_OK);
	image.slots = 1;
	assert_int_equal(restore_machine(&image), HATCH_EFORMAT);
	assert_int_equal(hatch_machine_set_slots(&machine, 1), HATCH_OK);
	assert_int_equal(restore_machine(&image), HATCH_OK);
	image.listening = 2;
	assert_int_equal(restore_machine(&image), HATCH_EFORMAT);
	image.listening = 1;
	image.frequency++;
	assert_int_equal(restore_machine(&image), HATCH_EFORMAT);
	image.frequency = 0;
	assert_int_equal(restore_machine(&image), HATCH_EFORMAT);
	assert_int_equal(listens, 0);
	assert_false(machine.listening);
}

/* The order in which they are put back: the wires are right before anything goes through them. */
static void test_order(void **state)
{
	static const char *const names[] = { "sbi", "plic", "uart", "rtc", "finisher", "machine" };
	const struct hatch_state *s = machine.scope.states;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++, s = s->next)
		assert_string_equal(s->name, names[i]);
	assert_null(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_machine, teardown_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clones_take_turns),
		TEST(test_pending_is_cloned),
		TEST(test_clone_within),
		TEST(test_rollback),
		TEST(test_beat),
		TEST(test_console),
		TEST(test_bad_machine),
		TEST(test_order),
	};

	return cmocka_run_group_tests_name("states_machine", tests, NULL, NULL);
}
