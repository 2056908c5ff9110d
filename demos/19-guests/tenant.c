/* SPDX-License-Identifier: MIT */
#include "tenant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <hatch/board.h>

#include "user.h"
#include "console.h"

struct guest guests[GUESTS_MOST];
unsigned int guests_count;

/* ---- Where its machine ends ---- */

static void on_write(void *arg, const void *bytes, size_t size)
{
	console_write(arg, bytes, size);
}

static int on_read(void *arg)
{
	return console_read(arg);
}

static void on_listen(void *arg, bool on)
{
	console_listen(arg, on);
}

static void on_timer(void *arg, uint64_t ticks)
{
	hatch_board_timer(ticks);
}

static uint64_t on_clock(void *arg)
{
	return hatch_board_wall_ns();
}

/* Its harts have turns: who gives them waits. */
static void on_wait(void *arg)
{
}

/* The hart was started, or is to see that the machine has ended. */
static void on_wake(void *arg, unsigned int hart)
{
	struct guest *guest = arg;

	hatch_sched_wake(&guest->task[hart]);
}

/* ---- What it was given ---- */

/* `kernel` of guest 2 is "kernel.2", or else, for all of them, "kernel". */
static char *name_of(const struct guest *guest, const char *what)
{
	static char names[8][32];
	static unsigned int used;
	char *name = names[used++ % 8];

	snprintf(name, sizeof(names[0]), "%s.%u", what, guest->number);
	if (hatch_board_blob_size(name) < 0)
		snprintf(name, sizeof(names[0]), "%s", what);
	return name;
}

static uint64_t number_of(const struct guest *guest, const char *what, uint64_t otherwise)
{
	return find_number(name_of(guest, what), otherwise);
}

/* The board's devices go to the guests one after the other, each as many as it has. */
static void plug(struct guest *guest)
{
	struct hatch_board_virtio device;

	for (unsigned int i = 0; i < guest->devices; i++) {
		struct hatch_virtio_real real = { hatch_board_virtio_load, hatch_board_virtio_store,
						  NULL };

		if (!hatch_board_virtio(guest->first + i, &device))
			give_up(guest->name, "the machine has fewer devices than it was promised");
		real.arg = device.registers;
		check(hatch_machine_add_virtio(&guest->machine, &real), guest->name);
	}
}

void guests_interrupt(unsigned int device)
{
	for (unsigned int i = 0; i < guests_count; i++)
		if (device - guests[i].first < guests[i].devices)
			hatch_machine_virtio_interrupt(&guests[i].machine,
						       device - guests[i].first);
}

static void boot(struct guest *guest)
{
	struct hatch_source kernel, initrd;
	const struct hatch_boot given = {
		.kernel = find_file(&kernel, name_of(guest, "kernel")),
		.initrd = find_file(&initrd, name_of(guest, "initrd")),
		.append = guest->append,
	};

	if (hatch_machine_boot(&guest->machine, &given))
		give_up(guest->name, guest->machine.load.problem);
}

/* ---- Its turns ---- */

static struct guest *guest_of(struct hatch_task *task)
{
	return task->arg;
}

static unsigned int hart_of(const struct hatch_task *task)
{
	return (unsigned int)task->t->vcpu->hart_id;
}

static enum hatch_turn on_begin(struct hatch_task *task)
{
	struct guest *guest = guest_of(task);

	if (hatch_machine_has_ended(&guest->machine))
		return HATCH_TURN_END;
	return hatch_machine_begin(&guest->machine, hart_of(task), task->t) ? HATCH_TURN_TAKE
									    : HATCH_TURN_WAIT;
}

static void make_machine(struct guest *guest);

/* Its last task is over. Returns whether it begins again. */
static bool finish(struct guest *guest)
{
	const struct hatch_try *last = guest->machine.ended;
	char line[200];

	if (last->outcome == HATCH_DONE && hatch_machine_reboots(&guest->machine)) {
		hatch_machine_fini(&guest->machine);
		make_machine(guest);
		return true;
	}
	guest->status = last->outcome == HATCH_DONE ? (int)last->status : 125;
	console_say("hatch: %s: %s", guest->name, hatch_try_format(last, line, sizeof(line)));
	hatch_machine_fini(&guest->machine);
	hatch_guest_fini(&guest->memory);
	guest->over = true;
	return false;
}

static bool on_end(struct hatch_task *task, bool over)
{
	struct guest *guest = guest_of(task);
	struct hatch_sched *sched = task->sched;

	if (!hatch_machine_has_ended(&guest->machine) || !over)
		hatch_machine_turned(&guest->machine, hart_of(task), task->t, over);
	if (!over || !hatch_machine_has_ended(&guest->machine))
		return true;
	if (__atomic_sub_fetch(&guest->alive, 1, __ATOMIC_ACQ_REL) || !finish(guest))
		return false;
	for (unsigned int i = 0; i < guest->harts; i++)
		if (&guest->task[i] != task)
			check(hatch_sched_add(sched, &guest->task[i]), guest->name);
	return true;
}

/* ---- To begin ---- */

static void make_machine(struct guest *guest)
{
	const struct hatch_machine_host host = {
		.fdt = hatch_board_fdt(),
		.console_write = on_write,
		.console_read = on_read,
		.console_interrupt = on_listen,
		.timer = on_timer,
		.wall_ns = on_clock,
		.wait = on_wait,
		.wake = on_wake,
		.arg = guest,
	};

	for (unsigned int i = 0; i < guest->harts; i++)
		guest->hart[i] = (struct hatch_sbi_hart){ .vcpu = &guest->vcpu[i] };
	check(hatch_machine_init(&guest->machine, &host, guest->hart, guest->harts), guest->name);
	hatch_machine_use_windows(&guest->machine);
	for (unsigned int i = 0; i < guest->harts; i++) {
		check(hatch_try_init(&guest->t[i], &guest->vcpu[i]), guest->name);
		check(hatch_machine_enter(&guest->machine, &guest->t[i]), guest->name);
	}
	guest->alive = guest->harts;
	plug(guest);
	boot(guest);
}

static void make_memory(struct guest *guest)
{
	check(hatch_guest_init(&guest->memory, hatch_board_memory()), guest->name);
	check(hatch_guest_add_ram(&guest->memory, hatch_gpa_of(HATCH_MACHINE_RAM),
				  number_of(guest, "memory", 512 << 20)),
	      guest->name);
	for (unsigned int i = 0; i < guest->harts; i++)
		check(hatch_vcpu_init(&guest->vcpu[i], &guest->memory), guest->name);
}

void guest_start(struct guest *guest, struct hatch_sched *sched)
{
	unsigned int number = (unsigned int)(guest - guests);
	const char *name;

	guest->number = number;
	name = find_text(name_of(guest, "name"));
	snprintf(guest->name, sizeof(guest->name), "%s", name ? name : "guest");
	guest->harts = (unsigned int)number_of(guest, "cpus", 1);
	guest->share = (struct hatch_share){
		.name = guest->name,
		.weight = (unsigned int)number_of(guest, "weight", 100),
	};
	guest->append = find_text(name_of(guest, "append"));
	guest->devices = (unsigned int)number_of(guest, "devices", 0);
	if (number)
		guest->first = guests[number - 1].first + guests[number - 1].devices;
	make_memory(guest);
	make_machine(guest);
	for (unsigned int i = 0; i < guest->harts; i++) {
		guest->task[i] = (struct hatch_task){ .t = &guest->t[i],
						      .share = &guest->share,
						      .harts = number_of(guest, "pin", 0),
						      .begin = on_begin,
						      .end = on_end,
						      .arg = guest };
		check(hatch_sched_add(sched, &guest->task[i]), guest->name);
	}
}

/* ---- What it had ---- */

static const char *state_of(const struct guest *guest)
{
	if (guest->over)
		return "over";
	return guest->share.awake ? "runs" : "idle";
}

void guests_print_status(void)
{
	uint64_t all = 0, frequency = hatch_board_frequency();

	for (unsigned int i = 0; i < guests_count; i++)
		all += guests[i].share.ticks;
	console_say("hatch: %-12s %6s %4s %-5s %8s %6s %8s", "guest", "weight", "cpus", "state",
		    "seconds", "share", "turns");
	for (unsigned int i = 0; i < guests_count; i++) {
		const struct guest *guest = &guests[i];
		uint64_t turns = 0, tenths = guest->share.ticks * 10 / frequency;

		for (unsigned int j = 0; j < guest->harts; j++)
			turns += guest->task[j].turns;
		console_say("hatch: %-12s %6u %4u %-5s %6" PRIu64 ".%" PRIu64 " %5" PRIu64
			    "%% %8" PRIu64,
			    guest->name, guest->share.weight, guest->harts, state_of(guest),
			    tenths / 10, tenths % 10,
			    all ? (guest->share.ticks * 100 + all / 2) / all : 0, turns);
	}
}
