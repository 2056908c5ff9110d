/* SPDX-License-Identifier: MIT */
/*
 * A guest's flat image inside the host program, as
 *	extern const uint8_t guest_image[], guest_image_end[];
 */
	.section .rodata.guest_image, "a", @progbits
	.balign	16
	.globl	guest_image, guest_image_end
guest_image:
	.incbin GUEST_IMAGE
guest_image_end:

	.section .note.GNU-stack, "", @progbits
