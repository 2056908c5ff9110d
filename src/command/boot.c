/* SPDX-License-Identifier: MIT */
/* hatch boot: Linux, or another supervisor-mode program, inside a try block. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "verbs.h"
#include "cpio.h"
#include "devices.h"
#include "emulate.h"
#include "guests.h"
#include "linux.h"
#include "qemu.h"
#include "report.h"
#include "snapshot.h"
#include "session.h"
#include "tool.h"

enum {
	/* The host's own share: firmware, the board, page tables, the files on their way. */
	MEMORY_HOST = 64 << 20,
};

struct boot {
	struct hatch_machine machine;
	struct hatch_devices devices;
	struct hatch_run run;
	const char *kernel;
	const char *initrd;
	const char *append;
	const char *payload;
	const char *exec;
	const char *emulate;
	const char *save, *load;
	bool verbose;
	bool stats;
	const char *guests; /* a file; NULL: there is one, and it is ours */
	uint64_t memory;    /* of the guest, bytes */
};

static uint64_t file_size(const char *file)
{
	struct stat status;

	return stat(file, &status) ? 0 : (uint64_t)status.st_size;
}

static void append_file(FILE *to, const char *file)
{
	FILE *from = fopen(file, "re");
	char block[64 * 1024];
	size_t size;

	if (!from)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot read the initrd %s: %m; check the path", file);
	while ((size = fread(block, 1, sizeof(block), from)))
		fwrite(block, 1, size, to);
	if (ferror(from))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot read the initrd %s: %m; copy it again",
				  file);
	fclose(from);
}

/* The initrd with the command behind it, in the temporary folder. */
static const char *add_command(const char *initrd, const char *command)
{
	char *path = hatch_session_path("initrd");
	FILE *to = fopen(path, "we");

	if (!to)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot write %s: %m; free the disk or set TMPDIR", path);
	append_file(to, initrd);
	while (ftell(to) % 4)
		fputc(0, to);
	hatch_cpio_write(to, "hatch-exec", hatch_text_format("%s\n", command));
	if (ferror(to) | fclose(to))
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot write %s: %m; free the disk or set TMPDIR", path);
	return path;
}

/* The first option that says what is booted, and to what end; NULL: none. */
static const char *first_choice(const struct boot *boot)
{
	return boot->kernel    ? "--kernel"
	       : boot->initrd  ? "--initrd"
	       : boot->append  ? "--append"
	       : boot->payload ? "--payload"
	       : boot->exec    ? "--exec"
	       : boot->save    ? "--save"
			       : NULL;
}

/* A snapshot is a guest with all that it has; nothing can be chosen for it any more. */
static void check_snapshot(const struct boot *boot)
{
	const char *other = first_choice(boot);
	const char *device = hatch_devices_first(&boot->devices);

	if (boot->load && (other || boot->machine.memory))
		hatch_report_fail(HATCH_EXIT_USAGE, "--load brings all of the guest: leave out %s",
				  other ?: "--memory");
	if (boot->save && (boot->exec || boot->payload))
		hatch_report_fail(HATCH_EXIT_USAGE, "--save waits for the shell: leave out %s",
				  boot->exec ? "--exec" : "--payload");
	if (boot->save && device)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--save keeps a guest without devices: give %s to each --load",
				  device);
}

static void check_choice(const struct boot *boot)
{
	check_snapshot(boot);
	hatch_emulate_check(boot->emulate);
	if (boot->stats && !boot->emulate)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--stats tells what was emulated: give --emulate, too");
	if (!boot->payload)
		return;
	if (boot->kernel)
		hatch_report_fail(HATCH_EXIT_USAGE, "--kernel and --payload exclude each other: "
						    "give the one that is to run");
	if (boot->exec)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--exec needs the Linux guest: leave out --payload");
}

static void check_fit(const struct boot *boot, const char *what, uint64_t needed)
{
	if (needed > boot->memory)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "the %s needs %llu MiB, the guest has %llu: "
				  "raise --memory",
				  what, (unsigned long long)((needed + (1 << 20) - 1) >> 20),
				  (unsigned long long)boot->memory >> 20);
}

/* Linux's files: given ones are looked at before anything is fetched. */
static void choose_linux(struct boot *boot)
{
	bool own_initrd = !boot->initrd;
	uint64_t needed;

	if (!own_initrd)
		hatch_file_check("initrd", boot->initrd);
	if (!boot->kernel)
		boot->kernel = hatch_linux_kernel(own_initrd);
	needed = hatch_linux_check(boot->kernel);
	check_fit(boot, "kernel", needed);
	if (own_initrd)
		boot->initrd = hatch_linux_initrd(hatch_devices_any(&boot->devices) || boot->save);
	check_fit(boot, "kernel with its initrd", needed + file_size(boot->initrd));
	if (!boot->append)
		boot->append = "console=ttyS0 earlycon=sbi no4lvl";
	boot->run.wait_ready = boot->exec || (own_initrd && !isatty(STDIN_FILENO));
	if (boot->run.wait_ready) /* Linux hands it to init in the environment */
		boot->append = hatch_text_format("%s hatch_ready=1", boot->append);
	if (boot->save) /* memory that the kernel has cleared takes no room in a snapshot */
		boot->append = hatch_text_format("%s hatch_save=1 hatch_ready=1 init_on_free=1",
						 boot->append);
	if (boot->exec) {
		/* A panic restarts Linux, which ends the run: see describe(). */
		boot->append = hatch_text_format("%s quiet loglevel=1 panic=-1", boot->append);
		boot->initrd = add_command(boot->initrd, boot->exec);
	}
}

static void choose_payload(struct boot *boot)
{
	hatch_file_check("payload", boot->payload);
	if (!file_size(boot->payload))
		hatch_report_fail(HATCH_EXIT_FAILED, "the payload %s is empty: build it again",
				  boot->payload);
	check_fit(boot, "payload", file_size(boot->payload));
	if (!boot->initrd)
		return;
	hatch_file_check("initrd", boot->initrd);
	check_fit(boot, "payload with its initrd",
		  file_size(boot->payload) + file_size(boot->initrd));
}

/* Everything is in the snapshot; the guest's memory and the number of its processors, too. */
static void look_at_snapshot(struct boot *boot)
{
	struct hatch_snapshot snapshot = hatch_snapshot_look(boot->load);
	const char *cpus = hatch_text_format("%u", snapshot.cpus);

	if (boot->devices.cpus && hatch_devices_cpus(&boot->devices) != snapshot.cpus)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "%s was saved with --cpus %s: give the same, or leave it out",
				  boot->load, cpus);
	boot->devices.cpus = cpus;
	boot->memory = snapshot.memory;
}

static void choose(struct boot *boot)
{
	if (boot->load)
		boot->run.wait_ready = !isatty(STDIN_FILENO);
	else if (boot->payload)
		choose_payload(boot);
	else
		choose_linux(boot);
}

/* The file tells what each guest has. */
static int boot_guests(struct boot *boot)
{
	const char *other = first_choice(boot);

	if (!other)
		other = boot->load	       ? "--load"
			: boot->emulate	       ? "--emulate"
			: boot->stats	       ? "--stats"
			: boot->verbose	       ? "-v"
			: boot->machine.memory ? "--memory"
					       : hatch_devices_first(&boot->devices);
	if (other)
		hatch_report_fail(HATCH_EXIT_USAGE,
				  "--guests: what they have is in the file: leave out %s", other);
	boot->run = (struct hatch_run){
		.machine = &boot->machine,
		.program = hatch_build_path("demos/19-guests/19-guests.elf"),
		.cpus = hatch_devices_cpus(&boot->devices),
	};
	hatch_qemu_need(&boot->machine);
	hatch_guests_describe(&boot->run, boot->guests);
	return hatch_qemu_run(&boot->run);
}

static void describe(struct boot *boot)
{
	hatch_blob_give_file(&boot->run, "kernel", boot->kernel);
	hatch_blob_give_file(&boot->run, "payload", boot->payload);
	hatch_blob_give_file(&boot->run, "initrd", boot->initrd);
	hatch_blob_give_file(&boot->run, "snapshot", boot->load);
	hatch_blob_give_text(&boot->run, "append", boot->append);
	hatch_blob_give_text(&boot->run, "memory",
			     hatch_text_format("%llu", (unsigned long long)boot->memory));
	hatch_blob_give_text(&boot->run, "verbose", boot->verbose ? "1" : NULL);
	hatch_blob_give_text(&boot->run, "emulate", boot->emulate);
	hatch_blob_give_text(&boot->run, "stats", boot->stats ? "1" : NULL);
	if (boot->save || boot->load) /* saved empty; devices come into them when it is loaded */
		hatch_blob_give_text(&boot->run, "slots",
				     hatch_text_format("%d", HATCH_DEVICES_SLOTS));
	/* A command that restarts its machine would be run again, and again. */
	hatch_blob_give_text(&boot->run, "once", boot->exec ? "1" : NULL);
	boot->run.memory =
		hatch_guests_place(boot->memory, MEMORY_HOST + hatch_blob_bytes(&boot->run));
	if (boot->save)
		hatch_snapshot_prepare(&boot->run, boot->save, boot->memory);
}

int hatch_verb_boot(const struct hatch_verb *self, int argc, char **argv)
{
	static struct boot boot;
	const struct hatch_option options[] = {
		{ "--kernel", "FILE", "Linux Image (default: Debian's, fetched once)",
		  HATCH_OPTION_TEXT, &boot.kernel },
		{ "--initrd", "FILE", "initial file system (default: a busybox shell)",
		  HATCH_OPTION_TEXT, &boot.initrd },
		{ "--append", "STR", "kernel command line", HATCH_OPTION_TEXT, &boot.append },
		{ "--payload", "FILE", "any S-mode program instead of Linux: ELF or flat",
		  HATCH_OPTION_TEXT, &boot.payload },
		{ "--exec", "CMD", "run CMD in the guest; its output and exit code are ours",
		  HATCH_OPTION_TEXT, &boot.exec },
		{ "--save", "FILE", "boot until the shell is up, save the guest, and end",
		  HATCH_OPTION_TEXT, &boot.save },
		{ "--load", "FILE", "go on where a --save ended, without booting",
		  HATCH_OPTION_TEXT, &boot.load },
		{ "--emulate", "LIST",
		  "compute what the CPU lacks: some of " HATCH_EMULATED ", or all",
		  HATCH_OPTION_TEXT, &boot.emulate },
		{ "--stats", NULL,
		  "at the end, say which instructions were emulated, and how often",
		  HATCH_OPTION_FLAG, &boot.stats },
		{ "--guests", "FILE", "several guests that share the processors: docs/guests.md",
		  HATCH_OPTION_TEXT, &boot.guests },
		{ "-v", NULL, "show every caught event", HATCH_OPTION_FLAG, &boot.verbose },
		{ "--debug", NULL, "wait for gdb", HATCH_OPTION_FLAG, &boot.machine.debug },
		HATCH_DEVICES_OPTIONS(&boot.devices),
		HATCH_MACHINE_OPTIONS(&boot.machine),
		{ 0 },
	};
	int operands = hatch_options_parse(self, options, argc, argv);

	hatch_operands_limit(self, operands, 0, argv);
	hatch_session_begin();
	if (boot.guests)
		return boot_guests(&boot);
	boot.memory = hatch_memory_parse(boot.machine.memory, "512M", HATCH_LINUX_LEAST);
	check_choice(&boot);
	boot.run = (struct hatch_run){
		.machine = &boot.machine,
		.program = hatch_build_path("demos/09-linux/09-linux.elf"),
		.batch = boot.exec,
		.verbose = boot.verbose,
	};
	hatch_qemu_need(&boot.machine);
	if (boot.load)
		look_at_snapshot(&boot);
	hatch_devices_add(&boot.run, &boot.devices);
	choose(&boot);
	describe(&boot);
	return boot.save ? hatch_snapshot_keep(hatch_qemu_run(&boot.run))
			 : hatch_qemu_run(&boot.run);
}
