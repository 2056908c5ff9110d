/* SPDX-License-Identifier: MIT */
/*
 * The runtime of small guests: enough to write `int main(void)` for a program inside a try.
 * It begins in VS-mode at HATCH_GUEST_RAM, translation off, one hart. What main returns is the
 * status that the guest ends with.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hatch/abi.h>

/* The two registers that a call answers with. */
struct hatch_guest_answer {
	uint64_t a0, a1;
};

static inline struct hatch_guest_answer hatch_guest_ecall(uint64_t extension, uint64_t function,
							  const uint64_t arg[6])
{
	register uint64_t a0 __asm__("a0") = arg[0];
	register uint64_t a1 __asm__("a1") = arg[1];
	register uint64_t a2 __asm__("a2") = arg[2];
	register uint64_t a3 __asm__("a3") = arg[3];
	register uint64_t a4 __asm__("a4") = arg[4];
	register uint64_t a5 __asm__("a5") = arg[5];
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct hatch_guest_answer){ .a0 = a0, .a1 = a1 };
}

/* A hypercall with up to six arguments; those that are not given are 0. */
#define hatch_guest_call(extension, function, ...)                                                 \
	hatch_guest_ecall(extension, function, (const uint64_t[6]){ __VA_ARGS__ })

/* Ends the guest. */
_Noreturn void hatch_guest_exit(int64_t status);

/* Writes text to the console by the SBI's debug console; false: the host does not offer it. */
bool hatch_guest_puts(const char *text);

/*
 * Called for every trap that the guest itself takes: an exception that the host delegated or
 * injected. Returns the pc to go on at. A guest that defines none ends with status 128 + cause.
 */
uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval);

#endif
