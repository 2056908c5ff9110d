/* SPDX-License-Identifier: MIT */
/*
 * Installs an update in the most careless way: in place, one part after the other, and what comes is
 * looked at when its turn has come. There is no code for going back.
 */
#include "guest.h"
#include "update.h"

static struct settings settings = { 1, { 10, 20, 30, 40 } };
static volatile uint32_t *const dials = (uint32_t *)DIALS_AT;

static void set_dial(uint32_t dial, uint32_t value)
{
	settings.value[dial] = value;
	dials[dial] = value;
}

static void install(uint32_t version)
{
	settings.version = version;
	for (uint32_t dial = 0; dial < DIALS; dial++) {
		struct hatch_guest_answer part = hatch_guest_call(UPDATE_EID, UPDATE_PART, dial);

		if ((uint32_t)part.a1 != update_checksum(dial, (uint32_t)part.a0))
			hatch_guest_call(UPDATE_EID, UPDATE_FAIL, dial);
		set_dial(dial, (uint32_t)part.a0);
	}
}

int main(void)
{
	for (uint32_t dial = 0; dial < DIALS; dial++)
		set_dial(dial, settings.value[dial]);
	install((uint32_t)hatch_guest_call(UPDATE_EID, UPDATE_NEXT, (uintptr_t)&settings).a0);
	return 0;
}
