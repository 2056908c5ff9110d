/* SPDX-License-Identifier: MIT */
/*
 * The call form: arguments and values, and what a box may touch.
 */
#include <stdlib.h>
#include <string.h>

#include <hatch/board.h>
#include <hatch/call.h>

#include "check.h"

#define STACK_SIZE (4 * HATCH_PAGE_SIZE)
#define HEAP_SIZE  (2 * HATCH_PAGE_SIZE)
#define PAGE	   __attribute__((aligned(4096)))

static struct hatch_box box;
static PAGE uint8_t page[2][4096];

static void begin(struct hatch_box *b)
{
	expect_equal(
		hatch_box_init(b, hatch_board_memory(), hatch_board_image(), STACK_SIZE, HEAP_SIZE),
		0);
}

static void end(struct hatch_box *b)
{
	expect_equal(hatch_box_fini(b), 0);
}

#define expect_value(value_, ...)                                                                  \
	({                                                                                         \
		struct hatch_call_result result_ = hatch_call(__VA_ARGS__);                        \
		char how_[160];                                                                    \
		check_that(result_.outcome == HATCH_DONE && result_.value == (uint64_t)(value_),   \
			   __LINE__, "%s", hatch_call_format(&result_, how_, sizeof(how_)));       \
	})
#define expect_stopped(stop_, ...) expect_equal(hatch_call(__VA_ARGS__).stop, stop_)

/* ---- Values ----------------------------------------------------------------------------------- */

static uint64_t eight(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
		      uint64_t g, uint64_t h)
{
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g +
	       10000000 * h;
}

static double mixed(uint64_t a, double p, uint64_t b, double q, uint64_t c, double r, uint64_t d,
		    double s, uint64_t e, double t, uint64_t f, double u, uint64_t g, double v,
		    uint64_t h, double x)
{
	return (double)eight(a, b, c, d, e, f, g, h) + p / 2 + q / 4 + r / 8 + s / 16 + t / 32 +
	       u / 64 + v / 128 + x / 256;
}

static int negate(int n)
{
	return -n;
}

static unsigned int low_word(unsigned int n, bool odd, signed char c)
{
	return (n | odd) + (unsigned int)c;
}

static float halve(float x)
{
	return x / 2;
}

static double scale(double x, double by)
{
	return x * by;
}

static void nothing(void)
{
}

static const char *tail_of(const char *text)
{
	return text + 3;
}

static void integers(void)
{
	static const char text[] = "constant";

	begin(&box);
	expect_value(87654321, &box, eight, 1, 2, 3, 4, 5, 6, 7, 8);
	expect_value(-5, &box, negate, 5);
	expect_value(5, &box, negate, -5);
	expect_equal((unsigned int)hatch_call(&box, low_word, 0x80000000u, true, -1).value,
		     0x80000000u);
	expect_value((uintptr_t)text + 3, &box, tail_of, text);
	expect_equal(hatch_call(&box, nothing).outcome, HATCH_DONE);
	end(&box);
}

static void floating_point(void)
{
	begin(&box);
	expect(hatch_call(&box, scale, 1.5, 4.0).fvalue == 6.0);
	expect(hatch_call(&box, scale, 3, 2).fvalue == 6.0);
	expect(hatch_call(&box, halve, 5.0f).fvalue == 2.5);
	expect(hatch_call(&box, mixed, 1, 2.0, 2, 4.0, 3, 8.0, 4, 16.0, 5, 32.0, 6, 64.0, 7, 128.0,
			  8, 256.0)
		       .fvalue == 87654321.0 + 8);
	end(&box);
}

/* The compiler keeps these in fs0 to fs11 over the calls, where the box has values of its own. */
static double keep_many(double x)
{
	double a = x + 1, b = x + 2, c = x + 3, d = x + 4, e = x + 5, f = x + 6;

	for (int i = 0; i < 50; i++) {
		a += (double)hatch_call(&box, negate, -i).value;
		b += hatch_call(&box, scale, x, 0.5).fvalue;
		c += 1, d += 2, e += 3, f += 4;
		hatch_call(&box, nothing);
	}
	return a + b + c + d + e + f;
}

static void host_keeps_its_floating_point(void)
{
	begin(&box);
	expect(keep_many(8) == 9 + 1225 + 10 + 50 * 4 + 11 + 50 + 12 + 100 + 13 + 150 + 14 + 200);
	end(&box);
}

uint64_t registers(void);
__asm__("	.pushsection .text.registers, \"ax\"\n"
	"registers:\n"
	"	.irp r, a1, a2, a3, a4, a5, a6, a7, t0, t1, t2, t3, t4, t5, t6\n"
	"	or a0, a0, \\r\n"
	"	.endr\n"
	"	.irp r, gp, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11\n"
	"	or a0, a0, \\r\n"
	"	.endr\n"
	"	.irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	fmv.x.d t0, f\\r\n"
	"	or a0, a0, t0\n"
	"	.endr\n"
	"	.irp r, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	fmv.x.d t0, f\\r\n"
	"	or a0, a0, t0\n"
	"	.endr\n"
	"	ret\n"
	"	.popsection\n");

/*
 * Bits of all registers but those that a function needs: none is the host's, whatever it has in
 * them. Once with floating point in use, once without, when a call is at its shortest.
 */
static void registers_tell_nothing(void)
{
	register uint64_t kept __asm__("s5") = CHECK_CANARY;
	volatile double secret = 3.25;

	begin(&box);
	for (int i = 0; i < 4; i++) {
		if (i % 2)
			secret *= 2;
		__asm__ volatile("" : "+r"(kept));
		__asm__ volatile("mv a6, %0\n mv a7, %0\n mv t5, %0" ::"r"(kept)
				 : "a6", "a7", "t5");
		expect_value(0, &box, registers);
		__asm__ volatile("" : "+r"(kept));
		expect_equal(kept, CHECK_CANARY);
	}
	expect(secret == 13);
	end(&box);
}

/* ---- Memory ----------------------------------------------------------------------------------- */

static uint64_t sum_of(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0;

	while (size--)
		sum += *bytes++;
	return sum;
}

static void fill(uint8_t *bytes, size_t size, uint8_t with)
{
	memset(bytes, with, size);
}

static void grants(void)
{
	begin(&box);
	memset(page, 1, sizeof(page));
	expect_stopped(HATCH_STOP_READ, &box, sum_of, page[0], sizeof(page[0]));
	expect_equal(hatch_box_reset(&box), 0);
	expect_equal(hatch_box_grant(&box, page[0], sizeof(page[0]), HATCH_PROT_READ), 0);
	expect_value(4096, &box, sum_of, page[0], sizeof(page[0]));
	expect_stopped(HATCH_STOP_READ, &box, sum_of, page[0], sizeof(page));
	expect_equal(hatch_box_reset(&box), 0);
	expect_stopped(HATCH_STOP_WRITE, &box, fill, page[0], 1, 2);
	expect_equal(hatch_box_reset(&box), 0);
	expect_equal(page[0][0], 1);
	expect_equal(hatch_box_grant(&box, page[1], 4096, HATCH_PROT_READ | HATCH_PROT_WRITE), 0);
	expect_equal(hatch_call(&box, fill, page[1], 4096, 3).outcome, HATCH_DONE);
	expect_value(4 * 4096, &box, sum_of, page[0], sizeof(page));
	expect_equal(hatch_box_revoke(&box, page[0]), 0);
	expect_value(3 * 4096, &box, sum_of, page[1], sizeof(page[1]));
	expect_stopped(HATCH_STOP_READ, &box, sum_of, page[0], sizeof(page[0]));
	end(&box);
}

static uint64_t count_calls(void)
{
	static _Thread_local uint64_t zero, ten = 10;

	return ++zero + ++ten;
}

static void thread_locals_are_its_own(void)
{
	begin(&box);
	expect_value(12, &box, count_calls);
	expect_value(14, &box, count_calls);
	expect_equal(count_calls(), 12);
	expect_equal(hatch_box_reset(&box), 0);
	expect_value(12, &box, count_calls);
	end(&box);
}

static uint64_t use_heap(void *heap)
{
	uint8_t *a = hatch_heap_alloc(heap, 100), *b = hatch_heap_alloc(heap, 4000);

	if (!a || !b || ((uintptr_t)b & 15))
		return 0;
	memset(a, 1, 100);
	memset(b, 2, 4000);
	return a[99] + b[0];
}

static void heap(void)
{
	begin(&box);
	expect_value(3, &box, use_heap, hatch_box_heap(&box));
	expect_value(0, &box, use_heap, hatch_box_heap(&box));
	expect_equal(hatch_box_reset(&box), 0);
	expect_value(3, &box, use_heap, hatch_box_heap(&box));
	end(&box);
	expect_equal(hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), STACK_SIZE, 0),
		     0);
	expect(hatch_box_heap(&box) == NULL);
	end(&box);
}

static void copies(void)
{
	uint64_t number = 7, back = 0;
	uint64_t *there = (uint64_t *)(box.heap + 64);
	char text[8];

	begin(&box);
	there = (uint64_t *)(box.heap + 64);
	expect_equal(hatch_box_copy_out(&box, &number, there, sizeof(number)), 0);
	expect_equal(hatch_box_copy_in(&box, there, &back, sizeof(back)), 0);
	expect_equal(back, 7);
	expect_equal(hatch_box_copy_in(&box, &number, &back, sizeof(back)), HATCH_EFAULT);
	expect_equal(hatch_box_copy_in(&box, NULL, &back, sizeof(back)), HATCH_EFAULT);
	expect_equal(hatch_box_copy_in(&box, box.heap, &back, (size_t)-1), HATCH_EFAULT);
	expect_equal(hatch_box_copy_out(&box, &number, (void *)(uintptr_t)integers, 8),
		     HATCH_EFAULT);
	expect_equal(hatch_box_copy_out(&box, &number, box.heap + HEAP_SIZE - 4, 8), HATCH_EFAULT);
	expect_equal(hatch_box_copy_text(&box, "seven77", text, sizeof(text)), 0);
	expect(!strcmp(text, "seven77"));
	expect_equal(hatch_box_copy_text(&box, "eight888", text, sizeof(text)), HATCH_E2BIG);
	expect_equal(hatch_box_copy_text(&box, (char *)page, text, sizeof(text)), HATCH_EFAULT);
	expect_equal(hatch_box_check(&box, box.heap, HEAP_SIZE, HATCH_PROT_WRITE), 0);
	expect_equal(hatch_box_check(&box, box.heap, HEAP_SIZE + 1, HATCH_PROT_READ), HATCH_EFAULT);
	expect_equal(hatch_box_check(&box, NULL, 0, HATCH_PROT_READ), 0);
	end(&box);
}

/* ---- All together ------------------------------------------------------------------------------ */

/* Real work: the C library's sort, with a comparison that the box calls back itself. */
static int compare(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void sorts(void)
{
	begin(&box);
	check_seed(1);
	for (size_t i = 0; i < sizeof(page[0]); i++)
		page[0][i] = (uint8_t)check_random();
	expect_equal(hatch_box_grant(&box, page[0], 4096, HATCH_PROT_READ | HATCH_PROT_WRITE), 0);
	expect_equal(hatch_call(&box, qsort, page[0], 4096, 1, compare).outcome, HATCH_DONE);
	for (size_t i = 1; i < sizeof(page[0]); i++)
		expect(page[0][i - 1] <= page[0][i]);
	end(&box);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(integers),
		CHECK(floating_point),
		CHECK(host_keeps_its_floating_point),
		CHECK(registers_tell_nothing),
		CHECK(grants),
		CHECK(thread_locals_are_its_own),
		CHECK(heap),
		CHECK(copies),
		CHECK(sorts),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
