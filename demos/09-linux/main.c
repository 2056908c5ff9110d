/* SPDX-License-Identifier: MIT */
/*
 * Linux in a try block. A machine of stock clauses catches what the kernel throws; when the
 * kernel asks for a reboot the try is done, and we run another one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hatch/board.h>
#include <hatch/handlers/machine.h>

#include "snapshot.h"

static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_machine machine;
static struct hatch_try linux_try;
static char line[400]; /* of text, on its way out */

static _Noreturn void give_up(const char *what, const char *why)
{
	printf("hatch: %s: %s\n", what, why);
	exit(125); /* the host command's code for: not the guest's own */
}

static void check(int error, const char *what)
{
	if (error)
		give_up(what, hatch_error_text(error));
}

/* ---- the machine's side: its console, timer and clock are the board's ---- */

static void console_write(void *arg, const void *bytes, size_t size)
{
	hatch_board_console_write(bytes, size);
}

static int console_read(void *arg)
{
	return hatch_board_console_read();
}

static void console_interrupt(void *arg, bool on)
{
	hatch_board_console_interrupt(on);
}

static void timer(void *arg, uint64_t ticks)
{
	hatch_board_timer(ticks);
}

static uint64_t wall_ns(void *arg)
{
	return hatch_board_wall_ns();
}

/* ---- the user's side: blobs ---- */

static int read_blob(void *name, uint64_t offset, void *to, size_t size)
{
	return offset ? HATCH_ENOTSUP : hatch_board_blob_read(name, to, size);
}

static const struct hatch_source *find_file(struct hatch_source *source, char *name)
{
	int64_t size = hatch_board_blob_size(name);

	*source = (struct hatch_source){ read_blob, name, size < 0 ? 0 : (uint64_t)size, name };
	return size < 0 ? NULL : source;
}

/* A file, or with `end` a text, whole in memory. */
static char *read_whole(char *name, uint64_t size, size_t end)
{
	const struct hatch_memory *memory = hatch_board_memory();
	char *bytes = memory->alloc(memory->arg, size + end, HATCH_PAGE_SIZE);

	check(bytes ? hatch_board_blob_read(name, bytes, size) : HATCH_ENOMEM, name);
	return bytes;
}

static const char *find_text(char *name)
{
	int64_t size = hatch_board_blob_size(name);

	return size < 0 ? NULL : read_whole(name, (uint64_t)size, 1);
}

static enum hatch_verdict on_external(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	if (hatch_board_interrupt_claim() == HATCH_BOARD_IRQ_CONSOLE)
		hatch_machine_receive(&machine);
	return hatch_resume(k, 0);
}

static void show_event(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
		       const struct hatch_catch *clause)
{
	printf("[%s -> %s] 0x%" PRIx64 "\n", hatch_event_format(ev, line, sizeof(line)),
	       clause ? clause->name : "nobody", hatch_cont_pc(k).addr);
}

/* From reset, or from where it was saved. */
static enum hatch_outcome run(const struct hatch_boot *boot)
{
	int error;

	if (!snapshot_is_given()) {
		if (hatch_machine_boot(&machine, boot))
			give_up("cannot boot", machine.load.problem);
		return hatch_try_run(&linux_try);
	}
	error = snapshot_load(&linux_try);
	if (error == HATCH_ENOTSUP)
		give_up("the snapshot", "its guest has seen a CPU that can do more than this one: "
					"give the same --cpu and --emulate");
	check(error, "the snapshot");
	return snapshot_resume();
}

/* One life of the guest, to its last word. */
static enum hatch_outcome live(const struct hatch_machine_host *host, const struct hatch_boot *boot)
{
	static struct hatch_sbi_hart hart;
	static struct hatch_catch external;

	hart = (struct hatch_sbi_hart){ .vcpu = &vcpu };
	external = HATCH_ON_INTERRUPT(IRQ_S_EXT, on_external, NULL);
	check(hatch_machine_init(&machine, host, &hart, 1), "the machine");
	check(hatch_machine_emulate(&machine, find_text("emulate")), "--emulate");
	check(hatch_try_init(&linux_try, &vcpu), "the try");
	check(hatch_machine_enter(&machine, &linux_try), "the machine's clauses");
	check(hatch_catch_add(&machine.scope, &external), "the console's clause");
	linux_try.observer = find_text("verbose") ? show_event : NULL;
	check(snapshot_watch(&linux_try), "the clause that saves");
	run(boot);
	if (find_text("stats"))
		printf("hatch: %s\n", hatch_emulator_format(&machine.emulator, line, sizeof(line)));
	return linux_try.outcome;
}

static int save(void)
{
	const char *problem = snapshot_save(&linux_try);

	if (problem)
		give_up("cannot save", problem);
	return 0;
}

int main(void)
{
	const struct hatch_machine_host host = {
		hatch_board_fdt(), console_write, console_read, console_interrupt, timer,
		wall_ns,	   NULL
	};
	struct hatch_source kernel, payload, initrd;
	const struct hatch_boot boot = { find_file(&kernel, "kernel"),
					 find_file(&payload, "payload"),
					 find_file(&initrd, "initrd"), find_text("append") };
	const char *memory = find_text("memory");

	if (boot.payload) /* an ELF file is read here and there, a blob only from its start */
		payload = hatch_source_memory(read_whole("payload", payload.size, 0), payload.size,
					      "payload");
	check(hatch_guest_init(&guest, hatch_board_memory()), "the guest");
	if (!snapshot_is_given()) /* that brings its RAM */
		check(hatch_guest_add_ram(&guest, hatch_gpa_of(HATCH_MACHINE_RAM),
					  memory ? strtoull(memory, NULL, 0) : 512 << 20),
		      "the guest's memory, a multiple of 4096 bytes that the machine can spare");
	check(hatch_vcpu_init(&vcpu, &guest), "the vcpu");
	do
		if (live(&host, &boot) == HATCH_SUSPENDED)
			return save();
		else if (linux_try.outcome != HATCH_DONE)
			give_up("Linux", hatch_try_format(&linux_try, line, sizeof(line)));
	while (hatch_machine_reboots(&machine) && !find_text("once"));
	if (hatch_machine_reboots(&machine))
		give_up("Linux restarted", "it was to run only once");
	return (int)linux_try.status;
}
