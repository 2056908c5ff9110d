/* SPDX-License-Identifier: MIT */
/*
 * The instructions of isa.c: a2 or fa2 from a0, a1, fa0, fa1; compressed ones a0 from a0 and a1.
 * `variants`: how many values of a field at bit `shift` there are (an immediate, a constant's
 * number, a rounding mode). `sum`: of the results, where QEMU 10 executes the instruction itself.
 */
#ifndef TEST_ISA_FORMS_H
#define TEST_ISA_FORMS_H

#include <stdbool.h>
#include <stdint.h>

struct form {
	const char *extension, *name;
	uint32_t insn;
	unsigned int shift, variants;
	bool memory; /* a0 is an address */
	uint64_t sum;
};

static const struct form forms[] = {
	{ "zba", "sh1add", 0x20b52633, 0, 1, false, UINT64_C(0x5a8eb94c0f40c0ae) },
	{ "zba", "sh2add", 0x20b54633, 0, 1, false, UINT64_C(0x9c7be663684739a4) },
	{ "zba", "sh3add", 0x20b56633, 0, 1, false, UINT64_C(0xf61e650e32071254) },
	{ "zba", "add.uw", 0x08b5063b, 0, 1, false, UINT64_C(0x883bb7ac4593722a) },
	{ "zba", "sh1add.uw", 0x20b5263b, 0, 1, false, UINT64_C(0x8901544676ec74c1) },
	{ "zba", "sh2add.uw", 0x20b5463b, 0, 1, false, UINT64_C(0x713d023a544d8220) },
	{ "zba", "sh3add.uw", 0x20b5663b, 0, 1, false, UINT64_C(0xa17adc75e9c9f529) },
	{ "zba", "slli.uw", 0x0805161b, 20, 64, false, UINT64_C(0xfa551bf431b17df8) },
	{ "zbb", "andn", 0x40b57633, 0, 1, false, UINT64_C(0x646f5ec068e88498) },
	{ "zbb", "orn", 0x40b56633, 0, 1, false, UINT64_C(0xddcd4ff6af4b7d1a) },
	{ "zbb", "xnor", 0x40b54633, 0, 1, false, UINT64_C(0x3be8481f31acb02c) },
	{ "zbb", "clz", 0x60051613, 0, 1, false, UINT64_C(0x2f219a815e0eada6) },
	{ "zbb", "clzw", 0x6005161b, 0, 1, false, UINT64_C(0x17c9278d08c44b8c) },
	{ "zbb", "ctz", 0x60151613, 0, 1, false, UINT64_C(0x0758ed2bdea468af) },
	{ "zbb", "ctzw", 0x6015161b, 0, 1, false, UINT64_C(0x248ddd5d8d28ec69) },
	{ "zbb", "cpop", 0x60251613, 0, 1, false, UINT64_C(0x50f2883b439d875f) },
	{ "zbb", "cpopw", 0x6025161b, 0, 1, false, UINT64_C(0xa4b7d3c52f504268) },
	{ "zbb", "min", 0x0ab54633, 0, 1, false, UINT64_C(0x56c32f5749622405) },
	{ "zbb", "minu", 0x0ab55633, 0, 1, false, UINT64_C(0x125e11cb9d6bb5f3) },
	{ "zbb", "max", 0x0ab56633, 0, 1, false, UINT64_C(0xcf83002f44e64e37) },
	{ "zbb", "maxu", 0x0ab57633, 0, 1, false, UINT64_C(0x538d47d2f08ae23d) },
	{ "zbb", "sext.b", 0x60451613, 0, 1, false, UINT64_C(0xad1c3825445bed3b) },
	{ "zbb", "sext.h", 0x60551613, 0, 1, false, UINT64_C(0x2e2b1ad88899e0f5) },
	{ "zbb", "zext.h", 0x0805463b, 0, 1, false, UINT64_C(0xcd953f58525c3699) },
	{ "zbb", "rol", 0x60b51633, 0, 1, false, UINT64_C(0xda959f668d253442) },
	{ "zbb", "ror", 0x60b55633, 0, 1, false, UINT64_C(0x6967ae0dfb2a96e6) },
	{ "zbb", "rori", 0x60055613, 20, 64, false, UINT64_C(0xc37b619920ead1ce) },
	{ "zbb", "rolw", 0x60b5163b, 0, 1, false, UINT64_C(0x707ccce2a4d60f23) },
	{ "zbb", "rorw", 0x60b5563b, 0, 1, false, UINT64_C(0x70c9824f9b8f063b) },
	{ "zbb", "roriw", 0x6005561b, 20, 32, false, UINT64_C(0xea31ba7907800a06) },
	{ "zbb", "orc.b", 0x28755613, 0, 1, false, UINT64_C(0x67133f2c4f24d187) },
	{ "zbb", "rev8", 0x6b855613, 0, 1, false, UINT64_C(0x8a092ebca67002cb) },
	{ "zbs", "bclr", 0x48b51633, 0, 1, false, UINT64_C(0x8c222d0ad45ed09b) },
	{ "zbs", "bclri", 0x48051613, 20, 64, false, UINT64_C(0x0feaf570dbf1343a) },
	{ "zbs", "bext", 0x48b55633, 0, 1, false, UINT64_C(0x3488d1352a5c69c8) },
	{ "zbs", "bexti", 0x48055613, 20, 64, false, UINT64_C(0xf590f92495c8ab18) },
	{ "zbs", "binv", 0x68b51633, 0, 1, false, UINT64_C(0x0338f8aad0cf4a97) },
	{ "zbs", "binvi", 0x68051613, 20, 64, false, UINT64_C(0x44af60e3792874ed) },
	{ "zbs", "bset", 0x28b51633, 0, 1, false, UINT64_C(0x0d6722d149213b20) },
	{ "zbs", "bseti", 0x28051613, 20, 64, false, UINT64_C(0x93aed335ab01b959) },
	{ "zicond", "czero.eqz", 0x0eb55633, 0, 1, false, UINT64_C(0xc02dca8be6420e45) },
	{ "zicond", "czero.nez", 0x0eb57633, 0, 1, false, UINT64_C(0x17d4cc4174e7803b) },
	{ "zcb", "c.lbu", 0x810c, 5, 4, true, UINT64_C(0xdfa66e780380acf5) },
	{ "zcb", "c.lhu", 0x850c, 5, 2, true, UINT64_C(0x8eaa2f67826084a5) },
	{ "zcb", "c.lh", 0x854c, 5, 2, true, UINT64_C(0x1eb67f1d41d5578a) },
	{ "zcb", "c.sb", 0x890c, 5, 4, true, UINT64_C(0xc92e75bd40b5bf6d) },
	{ "zcb", "c.sh", 0x8d0c, 5, 2, true, UINT64_C(0x11d3cc8be8b2a1c6) },
	{ "zcb", "c.zext.b", 0x9d61, 0, 1, false, UINT64_C(0xb254badf51c39bcc) },
	{ "zcb", "c.sext.b", 0x9d65, 0, 1, false, UINT64_C(0xd0e660ba927dd454) },
	{ "zcb", "c.zext.h", 0x9d69, 0, 1, false, UINT64_C(0x6e617d680da4d4d0) },
	{ "zcb", "c.sext.h", 0x9d6d, 0, 1, false, UINT64_C(0x9bbe2de3261d41f5) },
	{ "zcb", "c.zext.w", 0x9d71, 0, 1, false, UINT64_C(0x90a7dd729803d546) },
	{ "zcb", "c.not", 0x9d75, 0, 1, false, UINT64_C(0x0212ff8870a1ab07) },
	{ "zcb", "c.mul", 0x9d4d, 0, 1, false, UINT64_C(0xe8b2344ec23d5a6e) },
	{ "zfa", "fli.s", 0xf0100653, 15, 32, false, UINT64_C(0x1c1706fbcb4fc029) },
	{ "zfa", "fminm.s", 0x28b52653, 0, 1, false, UINT64_C(0x61300f1cb515babc) },
	{ "zfa", "fmaxm.s", 0x28b53653, 0, 1, false, UINT64_C(0xa975bd6aa01f215b) },
	{ "zfa", "fround.s", 0x40450653, 12, 5, false, UINT64_C(0xfaf5e8bcd925e3bf) },
	{ "zfa", "fround.s", 0x40457653, 0, 1, false, UINT64_C(0x97ffc9ae577bc2dd) },
	{ "zfa", "froundnx.s", 0x40550653, 12, 5, false, UINT64_C(0xb91cae6162332842) },
	{ "zfa", "froundnx.s", 0x40557653, 0, 1, false, UINT64_C(0x84ec94b815a2ec76) },
	{ "zfa", "fleq.s", 0xa0b54653, 0, 1, false, UINT64_C(0x84b1a8b6af39bc22) },
	{ "zfa", "fltq.s", 0xa0b55653, 0, 1, false, UINT64_C(0xe2b905072048ab70) },
	{ "zfa", "fli.d", 0xf2100653, 15, 32, false, UINT64_C(0x2ef6c9a993510673) },
	{ "zfa", "fminm.d", 0x2ab52653, 0, 1, false, UINT64_C(0xb0cf3275df4b8b51) },
	{ "zfa", "fmaxm.d", 0x2ab53653, 0, 1, false, UINT64_C(0x9e7d3c1fdba25629) },
	{ "zfa", "fround.d", 0x42450653, 12, 5, false, UINT64_C(0xedcfebfe8c7ce7d0) },
	{ "zfa", "fround.d", 0x42457653, 0, 1, false, UINT64_C(0x89f8f2d29273edab) },
	{ "zfa", "froundnx.d", 0x42550653, 12, 5, false, UINT64_C(0xdaeeed23f53d4d29) },
	{ "zfa", "froundnx.d", 0x42557653, 0, 1, false, UINT64_C(0x919d5c854fc76f37) },
	{ "zfa", "fleq.d", 0xa2b54653, 0, 1, false, UINT64_C(0x07e84d3d731cc25e) },
	{ "zfa", "fltq.d", 0xa2b55653, 0, 1, false, UINT64_C(0xfb5ad8d447f28e06) },
	{ "zfa", "fcvtmod.w.d", 0xc2851653, 0, 1, false, UINT64_C(0xe2a6e64d3af4308e) },
	{ 0 },
};

#endif
