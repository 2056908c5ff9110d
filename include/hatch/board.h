/* SPDX-License-Identifier: MIT */
/*
 * The real machine, for programs that run on it: demos and tests. Core and handlers never
 * include this. A program's `int main(void)` is called on the boot hart with the console, the
 * heap and hatch_hart_init done; returning n, or exit(n), ends the machine with status n.
 *
 * Any hart may call any of this, several at once, but for what says otherwise. The same is true of
 * malloc and printf (what is printed at once is mixed by characters, a hatch_board_console_write
 * comes out whole).
 */
#ifndef HATCH_BOARD_H
#define HATCH_BOARD_H

#include <hatch/gstage.h>

/* The machine's free RAM, for guests and tables. Never NULL. */
const struct hatch_memory *hatch_board_memory(void);

/* Bytes that hatch_board_memory has left: equal before and after means nothing leaked. */
uint64_t hatch_board_memory_free(void);

/* Where this program's code, constants and thread-local variables are, for hatch_box_init. */
struct hatch_box_image;
const struct hatch_box_image *hatch_board_image(void);

/* The device tree of the real machine, as the firmware handed it over. */
const void *hatch_board_fdt(void);

/* Writes bytes to the console as they are (printf adds the carriage returns). */
void hatch_board_console_write(const void *bytes, size_t size);

/* One byte typed on the console, or -1 when none waits. */
int hatch_board_console_read(void);

/*
 * Whether a waiting byte interrupts: then a try of the hart that takes the machine's interrupts ends
 * up with an interrupt event IRQ_S_EXT. That hart is the first one that asks for any, here (on)
 * or by hatch_board_virtio.
 */
void hatch_board_console_interrupt(bool on);

/*
 * Who interrupts. Ask until it is nobody: each is taken off when the next one is asked for, so quiet
 * the device in between (read the console until it is empty, or turn its interrupt off). On a
 * hart that does not take the machine's interrupts it is always nobody.
 */
enum hatch_board_irq {
	HATCH_BOARD_IRQ_NONE,
	HATCH_BOARD_IRQ_CONSOLE, /* a byte waits */
	HATCH_BOARD_IRQ_VIRTIO,	 /* + i: the virtio device with hatch_board_virtio's index i */
	HATCH_BOARD_IRQ_OTHER = HATCH_BOARD_IRQ_VIRTIO + 32,
};
enum hatch_board_irq hatch_board_interrupt_claim(void);

/* ---- virtio ---- */

/* A virtio-mmio device of version 2 that is really there (its DeviceID is not 0). */
struct hatch_board_virtio {
	void *registers;    /* volatile, in the host's address space */
	uint32_t device_id; /* 1: net, 2: block, ... */
};

/*
 * The devices in the order of their addresses, `index` from 0 on. False: there are no more.
 * From then on the device's interrupts come to the hart that takes the machine's. One of version 1
 * ends the machine, with the remedy.
 */
bool hatch_board_virtio(unsigned int index, struct hatch_board_virtio *device);

/*
 * Registers of a device, as hatch_virtio_real wants to reach them: `width` is 1, 2 or 4 bytes, the
 * offset a multiple of it. A store comes behind all accesses to memory ahead of it, a load ahead of
 * those behind it, as the device sees them.
 */
uint64_t hatch_board_virtio_load(void *registers, uint64_t offset, unsigned int width);
void hatch_board_virtio_store(void *registers, uint64_t offset, unsigned int width, uint64_t value);

/* ---- Harts ---- */

/* How many harts the machine has, 64 at most; the one that main() runs on is one of them. */
unsigned int hatch_board_harts(void);

/*
 * Runs work(arg, i) on `harts` harts at once, each ready for tries: i = 0 on this one, the others
 * on harts that are started now, or wait since their last work. Returns when all have returned.
 * An index is always the same hart; what is thread-local there stays from one work to the next, its
 * alarm is turned off in between. Each hart has a stack of 128 KiB.
 * Errors: HATCH_EINVAL (none, or more than there are; not called on the boot hart, or within
 * work), HATCH_ENOTSUP (the firmware does not start one: nothing ran).
 */
int hatch_board_parallel(unsigned int harts, void (*work)(void *arg, unsigned int index),
			 void *arg);

/*
 * Idles until a wake-up of this hart, or an interrupt that is enabled for it, is pending: the alarm
 * is one, those of the machine are others. A wake-up that came before counts. May return for no
 * reason: ask again for what you wait for.
 */
void hatch_board_wait(void);

/*
 * Wakes the hart with this index, from any hart. What was stored before is seen there when
 * hatch_board_wait returns. A guest that runs there does not notice.
 */
void hatch_board_wake(unsigned int index);

/* The machine's clock: ticks, ticks per second, seconds since 1970 (nanoseconds). */
uint64_t hatch_board_ticks(void);
uint64_t hatch_board_frequency(void);
uint64_t hatch_board_wall_ns(void);

/* The host's alarm on this hart: hatch_hart_alarm. */
void hatch_board_timer(uint64_t ticks);

/*
 * A named blob that was given to the machine on its command line: `hatch boot` gives the kernel
 * and its kin so. Size in bytes, or HATCH_ENOENT.
 */
int64_t hatch_board_blob_size(const char *name);

/* Copies the first `size` bytes of a blob. Errors: HATCH_ENOENT, HATCH_E2BIG (shorter). */
int hatch_board_blob_read(const char *name, void *to, size_t size);

/*
 * A blob where it stands in RAM, *size bytes, to be read or written; NULL when there is none of
 * that name, or it is a text. Whoever started the machine may look at it when the machine is off.
 */
void *hatch_board_blob_bytes(const char *name, size_t *size);

/* Ends the machine with status 0 to 255, console flushed. From any hart, whatever others do. */
_Noreturn void hatch_board_exit(int status);

#endif
