/* SPDX-License-Identifier: MIT */
#include "linux.h"

#include <stddef.h>

#include "kernel.h"
#include "qemu.h"
#include "report.h"
#include "tool.h"

const char *hatch_linux_kernel(bool with_busybox)
{
	const char *const argv[] = { hatch_root_path("tools/fetch-debian"), "kernel",
				     with_busybox ? "busybox" : NULL, NULL };

	return hatch_text_format("%s/Image", hatch_tool_read(argv));
}

const char *hatch_linux_initrd(bool with_devices)
{
	const char *const argv[] = { hatch_root_path("tools/make-initramfs"),
				     with_devices ? "--devices" : NULL, NULL };

	return hatch_tool_read(argv);
}

uint64_t hatch_linux_check(const char *file)
{
	struct hatch_problem problem = { 0 };
	uint64_t needed;

	hatch_file_check("kernel", file);
	if (hatch_kernel_check(file, &needed, &problem))
		hatch_report_fail(HATCH_EXIT_FAILED, "%s", problem.text);
	return needed;
}
