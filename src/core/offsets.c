/* SPDX-License-Identifier: MIT */
/* Proves the numbers of offsets.h. */
#include <hatch/vcpu.h>
#include "offsets.h"

#define SAME(offset, type, field)                                                                  \
	_Static_assert((offset) == offsetof(type, field), #offset " is not where " #field " is")

SAME(FRAME_X(0), struct hatch_frame, x);
SAME(FRAME_X(31), struct hatch_frame, x[31]);
SAME(FRAME_PC, struct hatch_frame, pc);
SAME(FRAME_SSTATUS, struct hatch_frame, sstatus);
SAME(FRAME_HOST_SP, struct hatch_frame, host_sp);
SAME(FRAME_HOST_TP, struct hatch_frame, host_tp);
SAME(FRAME_HOST_FRAME, struct hatch_frame, host_frame);
SAME(FRAME_LEAVE, struct hatch_frame, leave);
SAME(0, struct hatch_vcpu, frame);
SAME(VCPU_RUNNING, struct hatch_vcpu, running);
SAME(VCPU_FP, struct hatch_vcpu, fp);
SAME(VCPU_FCSR, struct hatch_vcpu, fcsr);
SAME(VCPU_LIVE, struct hatch_vcpu, live);
SAME(VCPU_FP_LIVE, struct hatch_vcpu, fp_live);
