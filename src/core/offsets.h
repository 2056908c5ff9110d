/* SPDX-License-Identifier: MIT */
/* Where enter.S finds the fields of struct hatch_frame. Proved in offsets.c. */
#ifndef HATCH_CORE_OFFSETS_H
#define HATCH_CORE_OFFSETS_H

#define FRAME_X(n)	 ((n)*8)
#define FRAME_PC	 256
#define FRAME_SSTATUS	 264
#define FRAME_HOST_SP	 272
#define FRAME_HOST_TP	 280
#define FRAME_HOST_FRAME 288
#define FRAME_LEAVE	 296

#define VCPU_RUNNING	 312
#define VCPU_FP		 472
#define VCPU_FCSR	 728
#define VCPU_LIVE	 762
#define VCPU_FP_LIVE	 763

/* What hatch_enter returns, and the fast path's answer to the assembly. */
#define HATCH_WENT_ON	 0 /* fast path only: answered, back to the guest */
#define HATCH_TRAPPED	 1 /* nobody looked at the trap yet: the CSRs tell */
#define HATCH_ASKED	 2 /* a clause was asked: hatch_try.fast_verdict and .cont tell */
#define HATCH_ANSWERED	 3 /* all done, but the hardware must be loaded afresh */
#define HATCH_NEED_ALL	 4 /* fast path only: store s0 to s11 as well, then ask again */

#endif
