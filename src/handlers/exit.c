/* SPDX-License-Identifier: MIT */
#include <hatch/handlers/exit.h>

enum hatch_verdict hatch_on_exit(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_finish(k, (long)ev->hypercall.arg[0]);
}
