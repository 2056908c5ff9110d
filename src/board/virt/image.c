/* SPDX-License-Identifier: MIT */
/* The program's own parts, as virt.ld lays them out. */
#include <hatch/call.h>

#include "virt.h"

extern const char virt_rodata_start[], virt_rodata_end[];
extern const char virt_tdata_start[], virt_tdata_end[];
extern const char virt_tls_size[]; /* the number is the symbol's address */

const struct hatch_box_image *hatch_board_image(void)
{
	static struct hatch_box_image image;

	image = (struct hatch_box_image){
		.text = virt_text_start,
		.text_end = virt_rodata_start, /* the rest of its last page is padding */
		.rodata = virt_rodata_start,
		.rodata_end = virt_rodata_end,
		.tls = virt_tdata_start,
		.tls_end = virt_tdata_end,
		.tls_size = (size_t)virt_tls_size,
	};
	return &image;
}
