/* SPDX-License-Identifier: MIT */
#include <hatch/board.h>

#include "arena.h"

/* Nothing of the host may come out of the guest's console. */
static void console_write(void *arg, const void *bytes, size_t size)
{
	struct arena *a = arg;
	const uint8_t *p = bytes;

	a->console_bytes += size;
	while (size--) {
		a->console_last = a->console_last >> 8 | (uint64_t)*p++ << 56;
		if (a->console_last == CHECK_CANARY)
			check_that(false, __LINE__, "the console showed the host's canary");
	}
}

static int console_read(void *arg)
{
	(void)arg;
	return 'x';
}

static void console_interrupt(void *arg, bool on)
{
	(void)arg;
	(void)on;
}

static uint64_t wall_ns(void *arg)
{
	(void)arg;
	return hatch_board_wall_ns();
}

/* The guest's alarm and ours share the host's timer: the earlier one is set. */
static void timer_set(struct arena *a)
{
	hatch_board_timer(a->alarm < a->deadline ? a->alarm : a->deadline);
}

static void on_alarm(void *arg, uint64_t ticks)
{
	struct arena *a = arg;

	a->alarm = ticks;
	timer_set(a);
}

static enum hatch_verdict on_deadline(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct arena *a = arg;

	(void)ev;
	return hatch_board_ticks() < a->deadline ? HATCH_PASS : hatch_unwind(k, ARENA_LATE);
}

static enum hatch_verdict on_quit(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct arena *a = arg;

	a->quit = true;
	return hatch_finish(k, (long)ev->hypercall.arg[0]);
}

void arena_begin(struct arena *a, const uint8_t *code, const uint8_t *end)
{
	*a = (struct arena){ .code = code, .code_end = end };
	world_bare(&a->w, code, end);
}

void arena_end(struct arena *a)
{
	check_say(
		"%u quit, %u switched off, %u ended by the deadline, %u wrong; %llu bytes printed",
		a->tally.quit, a->tally.reset, a->tally.late, a->tally.wrong,
		(unsigned long long)a->console_bytes);
	hatch_machine_fini(&a->machine);
	world_end(&a->w);
}

static void machine_begin(struct arena *a)
{
	const struct hatch_machine_host host = {
		.fdt = hatch_board_fdt(),
		.console_write = console_write,
		.console_read = console_read,
		.console_interrupt = console_interrupt,
		.timer = on_alarm,
		.wall_ns = wall_ns,
		.arg = a,
	};

	a->hart = (struct hatch_sbi_hart){ .vcpu = &a->w.vcpu };
	hatch_machine_fini(&a->machine);
	expect_equal(hatch_machine_init(&a->machine, &host, &a->hart, 1), 0);
	hatch_machine_use_windows(&a->machine);
	expect_equal(hatch_machine_set_slots(&a->machine, HATCH_MACHINE_VIRTIO_SLOTS), 0);
	expect_equal(hatch_try_init(&a->w.t, &a->w.vcpu), 0);
	expect_equal(hatch_machine_enter(&a->machine, &a->w.t), 0);
}

void arena_again(struct arena *a, uint64_t a0, uint64_t a1)
{
	world_write(&a->w, WORLD_RAM, a->code, (size_t)(a->code_end - a->code));
	hatch_vcpu_reset(&a->w.vcpu, hatch_gpa_of(WORLD_RAM), 0, a1);
	a->w.vcpu.frame.x[10] = a0;
	machine_begin(a);
	hatch_scope_init(&a->guard, "guard", NULL);
	a->on_quit = HATCH_ON_HYPERCALL_FUNCTION(HATCH_EID, HATCH_EXIT, on_quit, a);
	a->on_deadline = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_deadline, a);
	expect_equal(hatch_catch_add(&a->guard, &a->on_quit), 0);
	expect_equal(hatch_catch_add(&a->guard, &a->on_deadline), 0);
	expect_equal(hatch_scope_enter(&a->w.t, &a->guard), 0);
}

static void tally_up(struct arena *a, enum hatch_outcome outcome)
{
	char line[200];

	if (outcome == HATCH_DONE && a->quit)
		a->tally.quit++;
	else if (outcome == HATCH_DONE)
		a->tally.reset++;
	else if (outcome == HATCH_UNWOUND && a->w.t.status == ARENA_LATE)
		a->tally.late++;
	else
		a->tally.wrong++;
	check_that(outcome <= HATCH_UNWOUND, __LINE__, "the try %s",
		   hatch_try_format(&a->w.t, line, sizeof(line)));
}

void arena_run(struct arena *a, uint64_t ticks)
{
	enum hatch_outcome outcome;

	a->quit = false;
	a->alarm = UINT64_MAX;
	a->deadline = hatch_board_ticks() + ticks;
	timer_set(a);
	outcome = hatch_try_run(&a->w.t);
	hatch_board_timer(UINT64_MAX);
	tally_up(a, outcome);
}

uint64_t arena_bait(void)
{
	static const uint64_t places[] = {
		0,
		1,
		UINT64_MAX,
		UINT64_C(1) << 63,
		WORLD_RAM,
		WORLD_RAM + 1,
		WORLD_DATA,
		WORLD_RAM + WORLD_RAM_SIZE - 1,
		WORLD_RAM + WORLD_RAM_SIZE,
		0x80200000, /* where the host's own program begins */
		HATCH_MACHINE_PLIC,
		HATCH_MACHINE_UART,
		HATCH_MACHINE_FINISHER,
		4096,
	};
	uint64_t n = check_random();

	switch (n >> 60) {
	case 0:
	case 1:
		return (uintptr_t)check_canary();
	case 2:
		return check_random();
	case 3:
		return n & 0xffff;
	default:
		return places[n % (sizeof(places) / sizeof(places[0]))];
	}
}
