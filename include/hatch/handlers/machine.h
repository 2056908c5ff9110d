/* SPDX-License-Identifier: MIT */
/*
 * A whole machine for a guest, put together from stock clauses: SBI, timer, interrupt controller,
 * serial port, clock and finisher, where QEMU's virt machine has them; and the way to start a
 * program on it.
 */
#ifndef HATCH_HANDLERS_MACHINE_H
#define HATCH_HANDLERS_MACHINE_H

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/isa.h>
#include <hatch/handlers/linux.h>
#include <hatch/handlers/plic.h>
#include <hatch/handlers/rtc.h>
#include <hatch/handlers/sbi.h>
#include <hatch/handlers/uart.h>

/* The guest-physical memory map, and the interrupt sources at the PLIC. */
#define HATCH_MACHINE_FINISHER UINT64_C(0x00100000)
#define HATCH_MACHINE_RTC      UINT64_C(0x00101000)
#define HATCH_MACHINE_PLIC     UINT64_C(0x0c000000)
#define HATCH_MACHINE_UART     UINT64_C(0x10000000)
#define HATCH_MACHINE_RAM      UINT64_C(0x80000000)

#define HATCH_MACHINE_UART_IRQ 10
#define HATCH_MACHINE_RTC_IRQ  11
#define HATCH_MACHINE_SOURCES  95

/* At most this many harts: each has two of the PLIC's contexts. */
#define HATCH_MACHINE_HARTS    (HATCH_PLIC_CONTEXTS / 2)

/* What the machine takes from the world outside. Every function is needed. */
struct hatch_machine_host {
	const void *fdt; /* the real machine's tree */
	void (*console_write)(void *arg, const void *bytes, size_t size);
	int (*console_read)(void *arg);		       /* a byte, or -1 */
	void (*console_interrupt)(void *arg, bool on); /* whether a byte interrupts */
	hatch_timer_arm *timer;			       /* see timer.h */
	uint64_t (*wall_ns)(void *arg);		       /* nanoseconds since 1970 */
	void *arg;
};

/* What a machine is started with; NULL for what there is not. Borrowed while it is loaded. */
struct hatch_boot {
	const struct hatch_source *kernel;  /* a Linux Image, or else ... */
	const struct hatch_source *payload; /* ... an ELF file or a flat binary */
	const struct hatch_source *initrd;
	const char *append; /* kernel command line */
};

/*
 * The user owns it and fills `host` only through hatch_machine_init. The members may be used: an
 * observer or another sink can be put in before the try runs.
 */
struct hatch_machine {
	struct hatch_machine_host host;
	struct hatch_sbi_hart *hart;
	unsigned int harts;
	struct hatch_scope scope;    /* all clauses but the next two */
	struct hatch_catch unmapped; /* what no clause takes goes back to the guest */
	struct hatch_timer timer;
	struct hatch_sbi sbi;
	struct hatch_plic plic;
	struct hatch_plic_line uart_line, rtc_line;
	struct hatch_uart uart;
	struct hatch_rtc rtc;
	struct hatch_finisher finisher;
	struct hatch_emulator emulator; /* without ops: nothing is emulated */
	uint32_t frequency;		/* of the guest's clock, ticks per second; 0: unknown */
	uint64_t alarm;			/* of the clock, host ticks */
	bool listening;			/* a byte on the console interrupts */
	struct hatch_load load;		/* load.problem: why hatch_machine_boot failed */
	/*
	 * `listening`. What was saved of another machine is refused: with HATCH_EFORMAT when its
	 * clock had another frequency, with HATCH_ENOTSUP when it made up for other extensions,
	 * which its guest may use (give hatch_machine_emulate the same list).
	 */
	struct hatch_state state;
};

/*
 * Makes a machine with its devices after reset. `hart` (borrowed) lists the guest's harts, each
 * with its vcpu; all of one guest. Errors: HATCH_EINVAL (no harts, or too many).
 */
int hatch_machine_init(struct hatch_machine *machine, const struct hatch_machine_host *host,
		       struct hatch_sbi_hart *hart, unsigned int harts);

/*
 * Makes up for extensions that the CPU lacks: their instructions are computed by clauses (isa.h),
 * and the guest's device tree names them. Call it ahead of hatch_machine_enter and
 * hatch_machine_boot. `extensions` as of hatch_emulator_init; NULL: none.
 * Errors: those of hatch_emulator_init; HATCH_ENOTSUP also: the machine has several harts, and
 * an emulator counts for one.
 */
int hatch_machine_emulate(struct hatch_machine *machine, const char *extensions);

/*
 * Puts the machine's clauses into a try of one of its harts: the catch-alls into the try's own
 * scope, which must be the outermost, the devices into a scope inside. Your own scopes entered
 * afterwards are asked first. Errors: those of hatch_catch_add.
 *
 * The states of all devices are added, too: "sbi", "plic", "uart", "rtc", "finisher", "machine".
 * So a try of the machine can be cloned, rolled back and saved. The machine then belongs to the
 * continuation that runs, and when that is over to the one that ran last: call
 * hatch_machine_receive only while one runs, ask for the machine's request before the next one
 * does, and do not boot a machine that was cloned; make a new one by hatch_machine_init.
 */
int hatch_machine_enter(struct hatch_machine *machine, struct hatch_try *t);

/*
 * Loads the program, initrd and device tree into the guest's RAM at HATCH_MACHINE_RAM and sets
 * the first hart to begin. Errors: those of linux.h and tree.h; machine->load.problem says in one
 * line what is wrong.
 */
int hatch_machine_boot(struct hatch_machine *machine, const struct hatch_boot *boot);

/*
 * Moves what waits on the console into the serial port, as far as there is room. Call it at the
 * console's interrupt; when the guest drains the port the machine calls it itself.
 */
void hatch_machine_receive(struct hatch_machine *machine);

/* What the guest wanted when its try was done, by SBI or by the finisher. */
enum hatch_reset_kind hatch_machine_request(const struct hatch_machine *machine);

/* Whether that is to be started again: hatch_machine_init, and so on, once more. */
bool hatch_machine_reboots(const struct hatch_machine *machine);

#endif
