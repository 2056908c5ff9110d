/* SPDX-License-Identifier: MIT */
/*
 * From OpenSBI's jump to main(), and from main() to the end of the machine.
 */
#include <stdlib.h>

#include <hatch/hart.h>

#include "virt.h"

int main(void);
_Noreturn void virt_start(uint64_t hart_id, void *fdt);

/* Test finisher: what it is told in the low half, the exit status in the high half. */
#define FINISHER_PASS 0x5555
#define FINISHER_FAIL 0x3333

#define SBI_EID_SRST  0x53525354

/* The host command drops everything on the console up to here: the firmware's banner. */
static const char marker[] = "\033_hatch\033\\";

struct virt_sbi_result virt_sbi(unsigned long extension, unsigned long function, unsigned long a0,
				unsigned long a1, unsigned long a2)
{
	register unsigned long r0 __asm__("a0") = a0;
	register unsigned long r1 __asm__("a1") = a1;
	register unsigned long r2 __asm__("a2") = a2;
	register unsigned long r6 __asm__("a6") = function;
	register unsigned long r7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r6), "r"(r7) : "memory");
	return (struct virt_sbi_result){ .error = (long)r0, .value = (long)r1 };
}

_Noreturn void virt_die(const char *what, const char *remedy)
{
	virt_hart_is_last();
	virt_console_puts("hatch: ");
	virt_console_puts(what);
	virt_console_puts(": ");
	virt_console_puts(remedy);
	virt_console_puts("\n");
	hatch_board_exit(VIRT_EXIT_BROKEN);
}

_Noreturn void virt_start(uint64_t hart_id, void *fdt)
{
	virt_hart_boot(hart_id);
	virt_tree_init(fdt);
	virt_console_init();
	hatch_board_console_write(marker, sizeof(marker) - 1);
	if (!virt_tree_has_extension("h"))
		virt_die("this CPU has no hypervisor extension",
			 "its device tree's riscv,isa lacks `h`, use --cpu rv64,h=true");
	virt_ram_init(hatch_board_fdt());
	virt_heap_init();
	virt_harts_init();
	if (hatch_hart_init(hart_id, virt_trap))
		virt_die("the hypervisor extension does not answer",
			 "use --cpu rv64,h=true, or QEMU 7.2 or newer");
	exit(main());
}

/* Only the low 8 bits reach the parent of QEMU; a failure must not look like success there. */
static unsigned int exit_status(int status)
{
	if (status & 0xff)
		return status & 0xff;
	return status ? 255 : 0;
}

_Noreturn void hatch_board_exit(int status)
{
	static bool leaving; /* a fault on the way out must not bring us here for ever */
	unsigned int code = exit_status(status);
	uintptr_t finisher = virt_tree_device("sifive,test0");

	virt_hart_is_last();
	if (!leaving && virt_stack_overflowed()) {
		leaving = true;
		virt_die("the host's stack overflowed",
			 "make large local arrays static or take them from malloc");
	}
	virt_io_barrier();
	if (finisher) /* QEMU ends a moment later: another request until then would replace this one */
		virt_write32(finisher, code ? code << 16 | FINISHER_FAIL : FINISHER_PASS);
	else
		virt_sbi(SBI_EID_SRST, 0, 0, code != 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}
