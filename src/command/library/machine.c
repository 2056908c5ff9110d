/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RAM_BASE	UINT64_C(0x80000000)
/* Files stand in RAM from here on, each at a multiple of ALIGN. */
#define FILE_BASE	UINT64_C(0x81000000)
#define ALIGN		(UINT64_C(2) << 20)
/* QEMU puts the device tree below 3 GiB at most: so far into the RAM. */
#define DEVICE_TREE_END UINT64_C(0x40000000)
/* The board's own share: firmware, page tables, the files on their way. */
#define MEMORY_BOARD	(UINT64_C(64) << 20)
/* Bytes of a snapshot that are not pages, at most. */
#define ROOM_MORE	(UINT64_C(4) << 20)

struct making {
	struct hatch_words *words;
	struct hatch_bytes line; /* the program's own command line, no zero yet */
	uint64_t files;		 /* bytes of RAM that files take */
};

static uint64_t round_up(uint64_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- What the program is given: src/board/virt/blob.c reads it ---- */

static void give_word(struct making *making, char *word)
{
	if (making->line.size)
		hatch_bytes_add(&making->line, " ", 1);
	if (word)
		hatch_bytes_add(&making->line, word, strlen(word));
	making->line.failed |= !word;
	free(word);
}

/* What could end the word stands as %XX. */
static void give_text(struct making *making, const char *name, const char *value)
{
	static const char digit[] = "0123456789abcdef";
	struct hatch_bytes word = { 0 };

	for (; *value; value++) {
		const char code[] = { '%', digit[(unsigned char)*value >> 4], digit[*value & 15] };
		bool plain = *value > ' ' && *value < 0x7f && *value != '%';

		hatch_bytes_add(&word, plain ? value : code, plain ? 1 : sizeof(code));
	}
	hatch_bytes_add(&word, "", 1);
	give_word(making, word.failed ? NULL : hatch_format("hatch.text=%s,%s", name, word.data));
	hatch_bytes_free(&word);
}

static void give_number(struct making *making, const char *name, uint64_t value)
{
	char text[24] = "";
	char *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	give_text(making, name, at);
}

static void give_room(struct making *making, const char *name, uint64_t at, uint64_t size)
{
	give_word(making, hatch_format("hatch.blob=%s,%#llx,%llu", name, (unsigned long long)at,
				       (unsigned long long)size));
}

static void give_file(struct making *making, const char *name, const char *file, uint64_t size)
{
	uint64_t at = FILE_BASE + making->files;
	char *quoted = hatch_quote(file);

	making->words->failed |= !quoted;
	hatch_words_add(making->words, "-device");
	hatch_words_add(making->words, "loader,addr=%#llx,force-raw=on,file=%s",
			(unsigned long long)at, quoted ? quoted : "");
	free(quoted);
	give_room(making, name, at, size);
	making->files += round_up(size);
}

static uint64_t size_of(const char *file)
{
	struct stat status;

	return file && !stat(file, &status) ? (uint64_t)status.st_size : 0;
}

/* Three levels of page tables will do, and each of the guest's is a walk of Hatch's own. */
#define LINE "console=ttyS0 panic=-1 maxcpus=1 no4lvl"

/* hatch_save=1: the agent asks to be saved when it is up, which only a template may be asked. */
static const char *command_line(const struct hatch_plan *plan,
				const struct hatch_machine_start *start)
{
	if (plan->console)
		return LINE " earlycon=sbi";
	return start->template ? LINE " quiet loglevel=1 hatch_save=1" : LINE " quiet loglevel=1";
}

static void give_linux(struct making *making, const struct hatch_plan *plan,
		       const struct hatch_machine_start *start)
{
	const char *kernel = plan->kernel ?: "Image";
	const char *initrd = plan->initrd ?: "initrd";

	give_file(making, "kernel", kernel, size_of(kernel));
	give_file(making, "initrd", initrd, size_of(initrd));
	give_text(making, "append", command_line(plan, start));
}

static void give_all(struct making *making, const struct hatch_plan *plan,
		     const struct hatch_machine_start *start)
{
	if (start->snapshot)
		give_file(making, "snapshot", start->snapshot, start->snapshot_size);
	else
		give_linux(making, plan, start);
	give_number(making, "memory", plan->memory);
	if (plan->cpus > 1)
		give_number(making, "cpus", plan->cpus);
	give_number(making, "slots", HATCH_SLOTS);
	give_text(making, "once", "1");
}

/* ---- The machine ---- */

static void add_all(struct hatch_words *words, const char *const *word)
{
	while (*word)
		hatch_words_add(words, "%s", *word++);
}

static void add_board(struct hatch_words *words, const struct hatch_plan *plan)
{
	const char *const all[] = { plan->qemu,
				    "-nodefaults",
				    "-no-user-config",
				    "-M",
				    "virt",
				    "-cpu",
				    "rv64",
				    "-display",
				    "none",
				    "-monitor",
				    "none",
				    "-serial",
				    "stdio",
				    "-global",
				    "virtio-mmio.force-legacy=false",
				    "-bios",
				    plan->firmware ?: "default",
				    "-kernel",
				    plan->places.program,
				    NULL };

	add_all(words, all);
	hatch_words_add(words, "-smp");
	/* QEMU 7.2 leaves fences out where there can be one only: a device misses a request then. */
	hatch_words_add(words, "%u,maxcpus=%u", plan->cpus, plan->cpus < 2 ? 2 : plan->cpus);
}

static void add_gdb(struct hatch_words *words)
{
	hatch_words_add(words, "-gdb");
	hatch_words_add(words, "tcp:127.0.0.1:%d", HATCH_GDB_PORT);
	hatch_words_add(words, "-S");
}

static void add_ports(struct hatch_words *words, const struct hatch_machine_start *start)
{
	const char *const device[] = { "-device",
				       "virtio-serial-device,bus=virtio-mmio-bus.0,max_ports=5",
				       NULL };

	add_all(words, device);
	for (int i = 0; i < HATCH_PORTS; i++) {
		hatch_words_add(words, "-chardev");
		hatch_words_add(words, "socket,id=port%d,fd=%d", i + 1, start->port[i]);
		hatch_words_add(words, "-device");
		hatch_words_add(words, "virtserialport,nr=%d,chardev=port%d", i + 1, i + 1);
	}
}

/* The machine's RAM is a file that we have, too, so that we find the snapshot in it afterwards. */
static void add_ram(struct making *making, const struct hatch_plan *plan,
		    struct hatch_machine_start *start, uint64_t *memory)
{
	uint64_t room = plan->memory + ROOM_MORE;

	start->save_at = round_up(*memory > DEVICE_TREE_END ? *memory : DEVICE_TREE_END);
	give_room(making, "save", RAM_BASE + start->save_at, room);
	*memory = start->save_at + room;
	hatch_words_add(making->words, "-machine");
	hatch_words_add(making->words, "memory-backend=hatch-ram");
	hatch_words_add(making->words, "-object");
	hatch_words_add(making->words,
			"memory-backend-file,id=hatch-ram,size=%lluM,mem-path=/proc/self/fd/%d,"
			"share=on",
			(unsigned long long)*memory >> 20, start->ram);
}

int hatch_machine_words(const struct hatch_plan *plan, struct hatch_machine_start *start,
			struct hatch_words *words, struct hatch_problem *problem)
{
	struct making making = { .words = words };
	uint64_t memory;

	add_board(words, plan);
	if (plan->gdb)
		add_gdb(words);
	give_all(&making, plan, start);
	memory = round_up(plan->memory + MEMORY_BOARD + making.files);
	if (start->template) {
		add_ram(&making, plan, start, &memory);
	} else {
		add_ports(words, start);
		hatch_words_take(words, &plan->devices);
	}
	hatch_words_add(words, "-m");
	hatch_words_add(words, "%lluM", (unsigned long long)memory >> 20);
	hatch_bytes_add(&making.line, "", 1);
	hatch_words_add(words, "-append");
	hatch_words_add(words, "%s", making.line.failed ? "" : (char *)making.line.data);
	words->failed |= making.line.failed;
	hatch_bytes_free(&making.line);
	return words->failed ? hatch_problem_memory(problem) : 0;
}
