/* SPDX-License-Identifier: MIT */
/*
 * A 64-bit time through 32-bit registers: reading the low half latches the high one, writing
 * the low half takes the high one that was written before. So each pair is one consistent value.
 */
#include <string.h>

#include <hatch/handlers/rtc.h>
#include <hatch/handlers/unmapped.h>

enum reg {
	REG_TIME_LOW = 0x00,
	REG_TIME_HIGH = 0x04,
	REG_ALARM_LOW = 0x08, /* writing it arms the alarm */
	REG_ALARM_HIGH = 0x0c,
	REG_IRQ_ENABLED = 0x10,
	REG_CLEAR_ALARM = 0x14,
	REG_ALARM_STATUS = 0x18,
	REG_CLEAR_INTERRUPT = 0x1c,
};

static uint64_t guest_time(const struct hatch_rtc *rtc)
{
	return rtc->now(rtc->arg) + rtc->offset;
}

static void tell_line(struct hatch_rtc *rtc)
{
	rtc->level = rtc->rung && rtc->enabled;
	if (rtc->line)
		rtc->line(rtc->line_arg, rtc->level);
}

static void update_line(struct hatch_rtc *rtc)
{
	if ((rtc->rung && rtc->enabled) != rtc->level)
		tell_line(rtc);
}

static void ring_if_due(struct hatch_rtc *rtc, uint64_t guest)
{
	if (!rtc->armed || guest < rtc->alarm)
		return;
	rtc->armed = false;
	rtc->rung = true;
}

static void poll(struct hatch_rtc *rtc)
{
	if (!rtc->armed)
		return;
	ring_if_due(rtc, guest_time(rtc));
	update_line(rtc);
}

void hatch_rtc_poll(struct hatch_rtc *rtc)
{
	hatch_lock_acquire(&rtc->lock);
	poll(rtc);
	hatch_lock_release(&rtc->lock);
}

/* Both clocks run at the same rate: the distance stays. */
static void arm(struct hatch_rtc *rtc, struct hatch_vcpu *vcpu, uint64_t host)
{
	uint64_t guest = host + rtc->offset, ns = HATCH_RTC_NEVER;
	uint64_t distance = rtc->alarm > guest ? rtc->alarm - guest : 0;

	if (rtc->armed && distance < HATCH_RTC_NEVER - host)
		ns = host + distance;
	if (rtc->arm)
		rtc->arm(rtc->arg, vcpu, ns);
}

/* The alarm or the clock was moved. */
static void restart(struct hatch_rtc *rtc, struct hatch_vcpu *vcpu)
{
	uint64_t host = rtc->now(rtc->arg);

	ring_if_due(rtc, host + rtc->offset);
	arm(rtc, vcpu, host);
}

static void set_time(struct hatch_rtc *rtc, uint32_t low)
{
	rtc->offset = ((uint64_t)rtc->time_high << 32 | low) - rtc->now(rtc->arg);
}

static void set_alarm(struct hatch_rtc *rtc, uint32_t low)
{
	rtc->alarm = (uint64_t)rtc->alarm_high << 32 | low;
	rtc->armed = true;
}

static uint32_t latch_time(struct hatch_rtc *rtc)
{
	uint64_t time = guest_time(rtc);

	rtc->time_high = (uint32_t)(time >> 32);
	return (uint32_t)time;
}

static uint32_t read_register(struct hatch_rtc *rtc, uint64_t offset)
{
	switch (offset) {
	case REG_TIME_LOW:
		return latch_time(rtc);
	case REG_TIME_HIGH:
		return rtc->time_high;
	case REG_ALARM_LOW:
		return (uint32_t)rtc->alarm;
	case REG_ALARM_HIGH:
		return rtc->alarm_high;
	case REG_IRQ_ENABLED:
		return rtc->enabled;
	case REG_ALARM_STATUS:
		return rtc->armed;
	default:
		return 0;
	}
}

/* Returns whether the alarm or the clock was moved. */
static bool write_register(struct hatch_rtc *rtc, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_TIME_LOW:
		set_time(rtc, value);
		return true;
	case REG_TIME_HIGH:
		rtc->time_high = value;
		return false;
	case REG_ALARM_LOW:
		set_alarm(rtc, value);
		return true;
	case REG_ALARM_HIGH:
		rtc->alarm_high = value;
		return false;
	case REG_IRQ_ENABLED:
		rtc->enabled = value & 1;
		return false;
	case REG_CLEAR_ALARM:
		rtc->armed = false;
		return true;
	case REG_CLEAR_INTERRUPT:
		rtc->rung = false;
		return false;
	default:
		return false;
	}
}

static enum hatch_verdict on_rtc(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_rtc *rtc = arg;
	uint32_t value = 0;

	if (ev->mmio.width != 4 || ev->mmio.offset % 4)
		return hatch_inject_access_fault(ev, k);
	hatch_lock_acquire(&rtc->lock);
	poll(rtc);
	if (!ev->mmio.write)
		value = read_register(rtc, ev->mmio.offset);
	else if (write_register(rtc, ev->mmio.offset, (uint32_t)ev->mmio.value))
		restart(rtc, k->vcpu);
	update_line(rtc);
	hatch_lock_release(&rtc->lock);
	return hatch_resume(k, value);
}

/* ---- State ---- */

struct rtc_image {
	uint64_t offset, alarm;
	uint32_t time_high, alarm_high;
	uint8_t armed, rung, enabled, reserved[5]; /* each 0 or 1; 0 */
};

static void save(void *arg, void *to)
{
	struct hatch_rtc *rtc = arg;
	struct rtc_image *image = to;

	memset(image, 0, sizeof(*image));
	hatch_lock_acquire(&rtc->lock);
	image->offset = rtc->offset;
	image->alarm = rtc->alarm;
	image->time_high = rtc->time_high;
	image->alarm_high = rtc->alarm_high;
	image->armed = rtc->armed;
	image->rung = rtc->rung;
	image->enabled = rtc->enabled;
	hatch_lock_release(&rtc->lock);
}

static void restore_registers(struct hatch_rtc *rtc, const struct rtc_image *image)
{
	rtc->offset = image->offset;
	rtc->alarm = image->alarm;
	rtc->time_high = image->time_high;
	rtc->alarm_high = image->alarm_high;
	rtc->armed = image->armed;
	rtc->rung = image->rung;
	rtc->enabled = image->enabled;
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	static const uint8_t zero[sizeof(((struct rtc_image *)0)->reserved)];
	const struct rtc_image *image = from;
	struct hatch_rtc *rtc = arg;

	if (image->armed > 1 || image->rung > 1 || image->enabled > 1 ||
	    memcmp(image->reserved, zero, sizeof(zero)))
		return HATCH_EFORMAT;
	hatch_lock_acquire(&rtc->lock);
	restore_registers(rtc, image);
	tell_line(rtc);
	arm(rtc, vcpu, rtc->now(rtc->arg));
	hatch_lock_release(&rtc->lock);
	return HATCH_OK;
}

/* ---- Life ---- */

void hatch_rtc_reset(struct hatch_rtc *rtc)
{
	hatch_lock_acquire(&rtc->lock);
	rtc->armed = rtc->rung = rtc->enabled = false;
	rtc->alarm = 0;
	rtc->time_high = rtc->alarm_high = 0;
	if (rtc->arm)
		rtc->arm(rtc->arg, NULL, HATCH_RTC_NEVER);
	update_line(rtc);
	hatch_lock_release(&rtc->lock);
}

void hatch_rtc_init(struct hatch_rtc *rtc, hatch_gpa base)
{
	*rtc = (struct hatch_rtc){ .armed = false };
	rtc->clause = HATCH_ON_MMIO(base.addr, HATCH_RTC_SIZE, on_rtc, rtc);
	rtc->clause.name = "rtc";
	rtc->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT);
	rtc->state = (struct hatch_state){
		.name = "rtc",
		.version = 1,
		.size = sizeof(struct rtc_image),
		.save = save,
		.restore = restore,
		.arg = rtc,
	};
}
