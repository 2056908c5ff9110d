/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "trace.h"

static bool is_equal(const struct trace_line *model, const struct trace_line *real)
{
	return model->what == real->what && model->a == real->a && model->b == real->b &&
	       model->c == real->c && (model->loose || model->x == real->x) && model->y == real->y;
}

int trace_compare(const struct trace *model, const struct trace *real)
{
	int lines = model->lines < real->lines ? model->lines : real->lines;

	for (int i = 0; i < lines && i < TRACE_LINES; i++)
		if (!is_equal(&model->line[i], &real->line[i]))
			return i;
	return model->lines == real->lines ? -1 : lines;
}

static uint64_t cut(uint64_t value, unsigned int width)
{
	return width < 8 ? value & ((UINT64_C(1) << 8 * width) - 1) : value;
}

/* All that an event has beyond its kind and key, in one number. */
static uint64_t detail(const struct plan_event *ev)
{
	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		return ev->value << 8 | ev->function;
	case HATCH_MMIO:
		return (ev->write ? cut(ev->value, ev->width) << 8 : 0) | (uint64_t)ev->sign << 5 |
		       (uint64_t)ev->write << 4 | ev->width;
	case HATCH_DEADLINE:
		return ev->value;
	case HATCH_PAGE:
		return ev->write;
	case HATCH_CSR:
		return ev->value << 16 | (uint64_t)ev->result << 8 | (ev->code >> 12 & 3);
	default:
		return 0;
	}
}

void trace_event(struct trace *trace, enum trace_what what, int a, int b,
		 const struct plan_event *ev)
{
	trace_add(trace, what, a, b, (int)ev->kind << 8 | ev->length, ev->key, detail(ev));
}

/* ---- Registers ---- */

enum { A0 = 10, A1 = 11, A2 = 12, A6 = 16, A7 = 17 };

void seen_before(const struct plan_event *ev, uint64_t x[32])
{
	for (unsigned int i = 0; i < 32; i++)
		x[i] = i ? SEEN_FIRST(ev->guest, i) : 0;
	x[SEEN_BASE] = SEEN_POINTER;
	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		x[A0] = ev->value;
		x[A6] = ev->function;
		x[A7] = ev->key;
		break;
	case HATCH_MMIO:
	case HATCH_PAGE:
		x[A1] = ev->value;
		x[A2] = ev->key;
		break;
	case HATCH_CSR:
		x[A1] = ev->value;
		break;
	default:
		break;
	}
}

static uint64_t fit(const struct plan_event *ev, uint64_t value)
{
	uint64_t sign;

	if (ev->kind != HATCH_MMIO)
		return value;
	sign = UINT64_C(1) << (8 * ev->width - 1);
	value = cut(value, ev->width);
	return ev->sign && (value & sign) ? value | ~(sign | (sign - 1)) : value;
}

static bool has_result(const struct plan_event *ev)
{
	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
	case HATCH_ILLEGAL:
	case HATCH_CSR:
		return true;
	case HATCH_MMIO:
		return !ev->write;
	default:
		return false;
	}
}

void seen_record(const struct plan_event *ev, const struct seen *seen, uint64_t record[SEEN_ROOM])
{
	seen_before(ev, record);
	record[0] = seen->how == SEEN_NOTHING ? 0 : SEEN_MARK;
	if (seen->how == SEEN_FAULT || seen->how == SEEN_OWN_FAULT) {
		record[0] = SEEN_CAUSE | seen->value;
		record[SEEN_BASE] = seen->second;
	}
	if (seen->how != SEEN_ANSWERED)
		return;
	if (has_result(ev) && ev->result)
		record[ev->result] = fit(ev, seen->value);
	if (seen->pair && (ev->kind == HATCH_HYPERCALL || ev->kind == HATCH_SYSCALL))
		record[A1] = seen->second;
}

struct trace_line *trace_record(struct trace *trace, int instance, int event,
				const struct plan_event *ev, const uint64_t record[SEEN_ROOM])
{
	bool fault = record[0] & SEEN_CAUSE;
	unsigned int result = fault ? SEEN_BASE : ev->result;
	uint64_t rest = 0;

	for (unsigned int i = 1; i < SEEN_ROOM; i++)
		if (i != result && i != SEEN_BASE)
			rest = rest * 31 + record[i];
	return trace_add(trace, TRACE_SEEN, instance, event,
			 fault			  ? (int)(record[0] & 63) + 2
			 : record[0] == SEEN_MARK ? 1
						  : -1,
			 result ? record[result] : 0, rest);
}
