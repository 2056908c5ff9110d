/* SPDX-License-Identifier: MIT */
/*
 * The real machine, for programs that run on it: demos and tests. Core and handlers never
 * include this. A program's `int main(void)` is called on the boot hart with the console, the
 * heap and hatch_hart_init done; returning n, or exit(n), ends the machine with status n.
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
 * Whether a waiting byte interrupts the hart: then a try ends up with an interrupt event
 * IRQ_S_EXT. hatch_board_interrupt_claim tells the cause of such an event and takes it off.
 */
void hatch_board_console_interrupt(bool on);

enum hatch_board_irq {
	HATCH_BOARD_IRQ_NONE,
	HATCH_BOARD_IRQ_CONSOLE, /* a byte waits */
	HATCH_BOARD_IRQ_OTHER,
};
enum hatch_board_irq hatch_board_interrupt_claim(void);

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

/* Ends the machine with status 0 to 255, console flushed. */
_Noreturn void hatch_board_exit(int status);

#endif
