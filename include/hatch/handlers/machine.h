/* SPDX-License-Identifier: MIT */
/*
 * A whole machine for a guest, put together from stock clauses: SBI, timer, interrupt controller,
 * serial port, clock, finisher and virtio devices, where QEMU's virt machine has them; and the way
 * to start a program on it.
 *
 * One hart: hatch_machine_init, hatch_machine_enter, hatch_machine_boot, hatch_try_run. Several:
 * each has a vcpu and a try of its own, is entered, and served by a hart of the host:
 *
 *	hatch_machine_init(&machine, &host, harts, n);
 *	for (i = 0; i < n; i++)
 *		hatch_machine_enter(&machine, &t[i]);
 *	hatch_machine_boot(&machine, &boot);
 *	on each hart i of the host:     outcome = hatch_machine_serve(&machine, i, &t[i]);
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
#include <hatch/handlers/virtio_empty.h>
#include <hatch/handlers/virtio_proxy.h>

/* The guest-physical memory map, and the interrupt sources at the PLIC. */
#define HATCH_MACHINE_FINISHER	    UINT64_C(0x00100000)
#define HATCH_MACHINE_RTC	    UINT64_C(0x00101000)
#define HATCH_MACHINE_PLIC	    UINT64_C(0x0c000000)
#define HATCH_MACHINE_UART	    UINT64_C(0x10000000)
#define HATCH_MACHINE_VIRTIO	    UINT64_C(0x10001000) /* slots of HATCH_MACHINE_VIRTIO_STRIDE */
#define HATCH_MACHINE_RAM	    UINT64_C(0x80000000)

#define HATCH_MACHINE_VIRTIO_STRIDE 0x1000
#define HATCH_MACHINE_VIRTIO_SLOTS  8

#define HATCH_MACHINE_VIRTIO_IRQ    1 /* of slot 0, then one each */
#define HATCH_MACHINE_UART_IRQ	    10
#define HATCH_MACHINE_RTC_IRQ	    11
#define HATCH_MACHINE_SOURCES	    95

/* At most this many harts: each has two of the PLIC's contexts. */
#define HATCH_MACHINE_HARTS	    (HATCH_PLIC_CONTEXTS / 2)

/*
 * What the machine takes from the world outside. Every function is needed, `wait` and `wake` only
 * by several harts. Any hart of the host may call any of them, several at once, but the console's:
 * of those one runs at a time. They call nothing of the machine, except `wait`: it is called
 * without a lock.
 */
struct hatch_machine_host {
	const void *fdt; /* the real machine's tree */
	void (*console_write)(void *arg, const void *bytes, size_t size);
	int (*console_read)(void *arg);		       /* a byte, or -1 */
	void (*console_interrupt)(void *arg, bool on); /* whether a byte interrupts */
	hatch_timer_arm *timer;			       /* of the calling hart: see timer.h */
	uint64_t (*wall_ns)(void *arg);		       /* nanoseconds since 1970 */
	/*
	 * Idles the calling hart of the host until `wake` is called for it, serving the host's own
	 * interrupts. May return at any time; a call of `wake` that came before counts.
	 */
	void (*wait)(void *arg);
	/* Wakes the hart of the host that serves the machine's hart of that number. */
	void (*wake)(void *arg, unsigned int hart);
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
 * The user owns it and fills `host` only through hatch_machine_init. The members may be used:
 * another sink can be put in, a clause of the host's added to `scope`, before a try runs.
 * Invariants: `ended` is set once, and its outcome does not change from then on; a hart's bit of
 * `told` is set while its vcpu is ready to begin and nobody has begun. Of the `slots` the first
 * `virtios` have a device, the others a clause of `empty`.
 * Locks, in the order in which they are taken: the clock's; `lock`, of `alarm` and `listening`; the
 * port's, or a virtio device's; the PLIC's; `console`, of the console's bytes. `ended` and `told`
 * are atomic.
 */
struct hatch_machine {
	struct hatch_machine_host host;
	struct hatch_sbi_hart *hart;
	unsigned int harts;
	struct hatch_scope scope;    /* all clauses but the next two, around every hart's try */
	struct hatch_scope rest;     /* around it: `unmapped`, and SBI calls that nobody knows */
	struct hatch_catch unmapped; /* what no clause takes goes back to the guest */
	struct hatch_catch kick;     /* ends a hart's run when the machine has ended */
	struct hatch_timer timer;
	struct hatch_sbi sbi;
	struct hatch_plic plic;
	struct hatch_plic_line uart_line, rtc_line;
	struct hatch_uart uart;
	struct hatch_rtc rtc;
	struct hatch_finisher finisher;
	struct hatch_virtio_proxy virtio[HATCH_MACHINE_VIRTIO_SLOTS];
	struct hatch_plic_line virtio_line[HATCH_MACHINE_VIRTIO_SLOTS];
	struct hatch_catch empty[HATCH_MACHINE_VIRTIO_SLOTS];
	unsigned int virtios;		/* slots that are taken, the first ones */
	unsigned int slots;		/* that the guest knows of */
	bool windows;			/* hatch_machine_use_windows was called */
	struct hatch_emulator emulator; /* without ops: nothing is emulated */
	uint32_t frequency;		/* of the guest's clock, ticks per second; 0: unknown */
	struct hatch_lock lock;
	uint64_t alarm; /* of the clock, host ticks */
	bool listening; /* a byte on the console interrupts */
	struct hatch_lock console;
	uint32_t told;		 /* harts that are to begin, a bit each */
	struct hatch_try *ended; /* the try that ended the machine, or NULL */
	struct hatch_load load;	 /* load.problem: why hatch_machine_boot failed */
	/*
	 * `listening`. What was saved of another machine is refused: with HATCH_EFORMAT when its
	 * clock had another frequency or it had another number of slots (give hatch_machine_set_slots
	 * the same), with HATCH_ENOTSUP when it made up for other extensions, which its guest may
	 * use (give hatch_machine_emulate the same list).
	 */
	struct hatch_state state;
};

/*
 * Makes a machine with its devices after reset. `hart` (borrowed) lists the guest's harts, each
 * with its vcpu, which has been initialised; all of one guest. The vcpus get the ids 0, 1, ... in
 * this order, and the time of the first one. The machine's clauses are in its scopes from now on.
 * Errors: HATCH_EINVAL (no harts, or too many; several, and no `wait` or `wake`); those of
 * hatch_catch_add and hatch_state_add.
 */
int hatch_machine_init(struct hatch_machine *machine, const struct hatch_machine_host *host,
		       struct hatch_sbi_hart *hart, unsigned int harts);

/*
 * Makes up for extensions that the CPU lacks: their instructions are computed by clauses (isa.h),
 * and the guest's device tree names them. Call it ahead of hatch_machine_enter and
 * hatch_machine_boot, once. `extensions` as of hatch_emulator_init; NULL: none.
 * Errors: those of hatch_emulator_init and hatch_emulator_add; HATCH_EBUSY (it was called before).
 */
int hatch_machine_emulate(struct hatch_machine *machine, const char *extensions);

/*
 * Lets the guest read registers of the PLIC and of virtio devices without an event (window.h): of
 * the eight exits that a request to a disk takes it saves two. Clauses in scopes inside the
 * machine's, and observers, do not see these loads any more, only the stores; that is why it has to
 * be asked for. The guest does not get Svpbmt then. Call it ahead of hatch_machine_add_virtio and
 * hatch_machine_boot or of loading a snapshot, and hatch_machine_fini in the end.
 */
void hatch_machine_use_windows(struct hatch_machine *machine);

/*
 * Has the machine show its guest `slots` slots for virtio devices in all, by its device tree, too:
 * those behind the devices that it has are empty (virtio_empty.h). Without it there are as many as
 * devices. Call it ahead of hatch_machine_boot or of loading a snapshot.
 *
 * So a guest can boot, and be saved, before it is known which devices it will have: a snapshot
 * depends on the number of slots, and not on what is plugged into an empty one later.
 * Errors: HATCH_E2BIG (beyond HATCH_MACHINE_VIRTIO_SLOTS), HATCH_EINVAL (fewer than there are).
 */
int hatch_machine_set_slots(struct hatch_machine *machine, unsigned int slots);

/*
 * Gives the guest a virtio device of the real machine (virtio_proxy.h), in the next free slot, an
 * empty one if there is one. Call it ahead of hatch_machine_boot, and hatch_machine_fini in the end.
 * Its state is added, too, as "virtio@" and the address.
 *
 * When a snapshot has been loaded, and before the try goes on: into a slot that the guest knows as
 * an empty one, where the device begins as after reset. Its driver finds it when it looks there again
 * (Linux: by /sys/bus/platform/drivers_probe). A device that the guest had when it was saved is
 * added before the loading, which brings its state. Tries of the machine that have clones do not
 * run on after this: HATCH_EINVAL.
 * Errors: those of hatch_virtio_proxy_init, with machine->virtio[machine->virtios].problem as the
 * sentence to print; HATCH_E2BIG (no slot is free: give the guest fewer devices); HATCH_ESEALED
 * (a try of the machine runs).
 */
int hatch_machine_add_virtio(struct hatch_machine *machine, const struct hatch_virtio_real *real);

/* The real device behind the slot interrupts the host. From any hart; harmless when it does not. */
void hatch_machine_virtio_interrupt(struct hatch_machine *machine, unsigned int slot);

/*
 * Resets the virtio devices and gives their memory back, and that of the windows. Call it when no try
 * of the machine runs: before the guest's memory goes, and before hatch_machine_init makes the
 * machine anew. Harmless for a machine that has neither.
 */
void hatch_machine_fini(struct hatch_machine *machine);

/*
 * Puts the machine's scopes around a try of one of its harts: the devices outside of the try's own
 * scope, which must be the outermost, and the catch-alls outside of them. So your own clauses, of
 * the try's own scope and of those inside, are asked first. Call it once for the try of each hart;
 * the scopes are shared.
 * Errors: HATCH_EINVAL (there is something around the try's own scope already), HATCH_ESEALED (it
 * runs).
 *
 * The states of all devices are in the machine's scopes: "sbi", "plic", "uart", "rtc", "finisher", "machine".
 * So a try of the machine can be cloned, rolled back and saved. The machine then belongs to the
 * continuation that runs, and when that is over to the one that ran last: call
 * hatch_machine_receive only while one runs, ask for the machine's request before the next one
 * does, and do not boot a machine that was cloned; make a new one by hatch_machine_init. A try of
 * one of several harts cannot be cloned: sbi.h tells why.
 */
int hatch_machine_enter(struct hatch_machine *machine, struct hatch_try *t);

/*
 * Loads the program, initrd and device tree into the guest's RAM at HATCH_MACHINE_RAM and sets
 * the first hart to begin. Call it on the hart of the host that will serve that one.
 * Errors: those of linux.h and tree.h; machine->load.problem says in one line what is wrong.
 */
int hatch_machine_boot(struct hatch_machine *machine, const struct hatch_boot *boot);

/*
 * Serves one hart of the machine, number `hart` of the list, on the calling hart of the host: runs
 * `t`, which was entered for it, whenever the hart is started, waits while it is stopped. Call it
 * for all harts at once.
 *
 * The machine ends with the first try that ends for another reason than that its hart has stopped:
 * with the guest's request or the finisher's, with an event that nobody caught, with a clause of
 * yours that unwinds. When all harts have stopped that counts as HATCH_DONE, too. The others are
 * called back then, wherever they are: their tries end with HATCH_UNWOUND. Returns on every hart
 * the outcome of the try that ended the machine; machine->ended tells the rest.
 *
 * Once it has returned on all harts the machine may be made anew by hatch_machine_init, and its
 * tries by hatch_try_init. A clause of a scope inside that takes HATCH_INTERRUPT, IRQ_S_SOFT must
 * pass it on.
 */
enum hatch_outcome hatch_machine_serve(struct hatch_machine *machine, unsigned int hart,
				       struct hatch_try *t);

/*
 * The same in turns, for who has more harts to serve than the host has (sched.h): on the hart of the
 * host that the turn is for, ahead of each run of `t`, and behind it. No run where hatch_machine_begin
 * returns false: until the host's `wake` is called for that hart the guest has stopped it, or the
 * machine has ended. `over`: the run came to an end of its own, and was not suspended to go on later.
 */
bool hatch_machine_begin(struct hatch_machine *machine, unsigned int hart, struct hatch_try *t);
void hatch_machine_turned(struct hatch_machine *machine, unsigned int hart, struct hatch_try *t,
			  bool over);

/* Whether a try has ended the machine: machine->ended tells which. */
bool hatch_machine_has_ended(const struct hatch_machine *machine);

/*
 * Moves what waits on the console into the serial port, as far as there is room. Call it at the
 * console's interrupt, on any hart; when the guest drains the port the machine calls it itself.
 */
void hatch_machine_receive(struct hatch_machine *machine);

/* What the guest wanted when it was done, by SBI or by the finisher. */
enum hatch_reset_kind hatch_machine_request(const struct hatch_machine *machine);

/* Whether that is to be started again: hatch_machine_init, and so on, once more. */
bool hatch_machine_reboots(const struct hatch_machine *machine);

#endif
