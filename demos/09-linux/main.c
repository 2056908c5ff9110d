/* SPDX-License-Identifier: MIT */
/*
 * Linux in a try block, or in one for each of its harts. A machine of stock clauses catches what
 * the kernel throws; when the kernel asks for a reboot the try is done, and we run another one.
 */
#include <inttypes.h>
#include <stdio.h>

#include <hatch/board.h>

#include "host.h"
#include "snapshot.h"
#include "user.h"

static struct hatch_guest guest;
static struct hatch_machine machine;
static unsigned int harts;
static struct hatch_vcpu vcpu[HATCH_MACHINE_HARTS];
static struct hatch_sbi_hart hart[HATCH_MACHINE_HARTS];
static struct hatch_try linux_try[HATCH_MACHINE_HARTS];

static char line[400]; /* of text, on its way out */

/* In one piece: other harts have events, too. */
static void show_event(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
		       const struct hatch_catch *clause)
{
	char text[400], event[300];
	int size = 0;

	if (harts > 1)
		size = snprintf(text, sizeof(text), "%" PRIu64 " ", k->vcpu->hart_id);
	size += snprintf(text + size, sizeof(text) - (size_t)size, "[%s -> %s] 0x%" PRIx64 "\r\n",
			 hatch_event_format(ev, event, sizeof(event)),
			 clause ? clause->name : "nobody", hatch_cont_pc(k).addr);
	hatch_board_console_write(text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text));
}

/* ---- One life of the guest ---- */

/* On each hart of the board: one of the guest's, whenever the guest has it started. */
static void serve(void *arg, unsigned int index)
{
	hatch_machine_serve(&machine, index, &linux_try[index]);
}

/* From reset. */
static void boot_guest(const struct hatch_boot *boot)
{
	host_plug(&machine);
	if (hatch_machine_boot(&machine, boot))
		give_up("cannot boot", machine.load.problem);
}

/* From where it was saved, when it had no devices: these begin as after reset. */
static void load_guest(void)
{
	unsigned int slots = machine.slots;
	const char *problem = snapshot_load(&linux_try[0]);

	if (problem)
		give_up("the snapshot", problem);
	host_plug(&machine);
	if (machine.virtios > slots)
		give_up("the snapshot", "its guest has fewer slots than there are devices: give "
					"it fewer");
}

static void run_guest(void)
{
	if (harts > 1)
		check(hatch_board_parallel(harts, serve, NULL), "the board's other harts");
	else
		hatch_try_run(&linux_try[0]);
}

static void enter(struct hatch_try *t, struct hatch_vcpu *runs)
{
	check(hatch_try_init(t, runs), "the try");
	check(hatch_machine_enter(&machine, t), "the machine's clauses");
	check(snapshot_watch(t), "the clause that saves");
	t->observer = find_text("verbose") ? show_event : NULL;
}

/* To its last word. Returns the try that had it. */
static struct hatch_try *live(const struct hatch_boot *boot)
{
	const struct hatch_machine_host host = host_of(&machine);

	for (unsigned int i = 0; i < harts; i++)
		hart[i] = (struct hatch_sbi_hart){ .vcpu = &vcpu[i] };
	check(hatch_machine_init(&machine, &host, hart, harts), "the machine");
	check(hatch_machine_emulate(&machine, find_text("emulate")), "--emulate");
	hatch_machine_use_windows(&machine);
	host_connect(&machine);
	for (unsigned int i = 0; i < harts; i++)
		enter(&linux_try[i], &vcpu[i]);
	if (snapshot_is_given())
		load_guest();
	else
		boot_guest(boot);
	run_guest();
	host_tell_lost(&machine);
	if (find_text("stats"))
		printf("hatch: %s\n", hatch_emulator_format(&machine.emulator, line, sizeof(line)));
	return harts > 1 ? machine.ended : &linux_try[0];
}

/* ---- From the first life to the last ---- */

static void choose_harts(void)
{
	uint64_t wanted = find_number("cpus", 1);

	snprintf(line, sizeof(line), "%u can be had: start the machine with more (QEMU: -smp)",
		 hatch_board_harts());
	if (!wanted || wanted > hatch_board_harts() || wanted > HATCH_MACHINE_HARTS)
		give_up("the number of harts", line);
	harts = (unsigned int)wanted;
}

static void make_guest(void)
{
	check(hatch_guest_init(&guest, hatch_board_memory()), "the guest");
	if (!snapshot_is_given()) /* that brings its RAM */
		check(hatch_guest_add_ram(&guest, hatch_gpa_of(HATCH_MACHINE_RAM),
					  find_number("memory", 512 << 20)),
		      "the guest's memory, a multiple of 4096 bytes that the machine can spare");
	for (unsigned int i = 0; i < harts; i++)
		check(hatch_vcpu_init(&vcpu[i], &guest), "the vcpu");
}

static int save(struct hatch_try *t)
{
	const char *problem = machine.virtios ? "a guest with devices: save it without, and give "
						"them to it when it is loaded"
					      : snapshot_save(t);

	if (problem)
		give_up("cannot save", problem);
	return 0;
}

/* As often as it wants to begin again. Returns the program's status. */
static int run(const struct hatch_boot *boot)
{
	struct hatch_try *last;

	do {
		last = live(boot);
		if (last->outcome == HATCH_SUSPENDED)
			return save(last);
		if (last->outcome != HATCH_DONE)
			give_up("Linux", hatch_try_format(last, line, sizeof(line)));
		hatch_machine_fini(&machine);
	} while (hatch_machine_reboots(&machine) && !find_text("once"));
	if (hatch_machine_reboots(&machine))
		give_up("Linux restarted", "it was to run only once");
	return (int)last->status;
}

int main(void)
{
	struct hatch_source kernel, payload, initrd;
	const struct hatch_boot boot = { find_file(&kernel, "kernel"),
					 find_file(&payload, "payload"),
					 find_file(&initrd, "initrd"), find_text("append") };

	if (boot.payload) /* an ELF file is read here and there, a blob only from its start */
		payload = hatch_source_memory(read_file("payload", payload.size), payload.size,
					      "payload");
	choose_harts();
	make_guest();
	return run(&boot);
}
