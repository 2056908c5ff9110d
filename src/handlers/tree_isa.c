/* SPDX-License-Identifier: MIT */
/*
 * Which instruction-set extensions a guest may use.
 */
#include <ctype.h>
#include <string.h>

#include <hatch/csr.h>
#include <hatch/handlers/tree.h>

/* Single letters in canonical order. Not v: nobody switches the vector state. Not h: no nesting. */
static const char letters[] = "imafdqcb";

/* An extension that passes, and the bits of henvcfg that it takes. */
struct known {
	const char *name;
	uint64_t henvcfg;
};

static const struct known known[] = {
	/* plain instructions */
	{ "zicsr", 0 },
	{ "zifencei", 0 },
	{ "zihintpause", 0 },
	{ "zihintntl", 0 },
	{ "zicond", 0 },
	{ "zimop", 0 },
	{ "zcmop", 0 },
	{ "zmmul", 0 },
	{ "zba", 0 },
	{ "zbb", 0 },
	{ "zbc", 0 },
	{ "zbs", 0 },
	{ "zbkb", 0 },
	{ "zbkc", 0 },
	{ "zbkx", 0 },
	{ "zkt", 0 },
	{ "zknd", 0 },
	{ "zkne", 0 },
	{ "zknh", 0 },
	{ "zksed", 0 },
	{ "zksh", 0 },
	{ "zca", 0 },
	{ "zcb", 0 },
	{ "zcd", 0 },
	/* atomics */
	{ "zaamo", 0 },
	{ "zalrsc", 0 },
	{ "zacas", 0 },
	{ "zabha", 0 },
	{ "zawrs", 0 },
	{ "za64rs", 0 },
	{ "za128rs", 0 },
	{ "zama16b", 0 },
	{ "ztso", 0 },
	/* floating point beyond f and d, over the same registers */
	{ "zfa", 0 },
	{ "zfh", 0 },
	{ "zfhmin", 0 },
	{ "zfbfmin", 0 },
	/* cycle, time and instret: hcounteren lets them through; the other counters not */
	{ "zicntr", 0 },
	/* caches */
	{ "zic64b", 0 },
	{ "zicbop", 0 },
	{ "zicbom", HENVCFG_CBCFE | (HENVCFG_CBIE & 1 << 4) },
	{ "zicboz", HENVCFG_CBZE },
	{ "ziccamoa", 0 },
	{ "ziccif", 0 },
	{ "zicclsm", 0 },
	{ "ziccrse", 0 },
	/* the guest's own translation */
	{ "svade", 0 },
	{ "svinval", 0 },
	{ "svnapot", 0 },
	{ "svvptc", 0 },
	{ "svpbmt", HENVCFG_PBMTE },
	{ "svadu", HENVCFG_ADUE },
	/* its timer */
	{ "sstc", HENVCFG_STCE },
};

static bool passes(const char *name, size_t length, uint64_t henvcfg)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == length && !memcmp(known[i].name, name, length))
			return (henvcfg & known[i].henvcfg) == known[i].henvcfg;
	return false;
}

static bool contains(const struct hatch_isa *isa, const char *name, size_t length)
{
	for (size_t at = 0; at < isa->size; at += strlen(isa->name + at) + 1)
		if (strlen(isa->name + at) == length && !memcmp(isa->name + at, name, length))
			return true;
	return false;
}

bool hatch_isa_has(const struct hatch_isa *isa, const char *name)
{
	return contains(isa, name, strlen(name));
}

static int append(struct hatch_isa *isa, const char *name, size_t length)
{
	if (contains(isa, name, length))
		return HATCH_OK;
	if (length >= sizeof(isa->name) - isa->size)
		return HATCH_E2BIG;
	memcpy(isa->name + isa->size, name, length);
	isa->name[isa->size + length] = '\0';
	isa->size += length + 1;
	return HATCH_OK;
}

/* An extension that is emulated can only add to one that the machine has. */
static bool has_base(const struct hatch_isa *isa, const char *name, size_t length)
{
	if (length == 3 && !memcmp(name, "zcb", 3))
		return hatch_isa_has(isa, "c");
	if (length == 3 && !memcmp(name, "zfa", 3))
		return hatch_isa_has(isa, "f");
	return true;
}

int hatch_isa_add(struct hatch_isa *isa, const char *emulated)
{
	int error = HATCH_OK;
	size_t length;

	for (; *emulated && !error; emulated += length + (emulated[length] == ',')) {
		length = strcspn(emulated, ",");
		if (!length)
			continue;
		if (!has_base(isa, emulated, length))
			return HATCH_ENOTSUP;
		if (length == 3 && !memcmp(emulated, "zcb", 3))
			error = append(isa, "zca", 3);
		if (!error)
			error = append(isa, emulated, length);
	}
	return error;
}

static int append_letters(struct hatch_isa *isa, uint32_t present)
{
	int error = HATCH_OK;

	for (const char *letter = letters; *letter && !error; letter++)
		if (present >> (*letter - 'a') & 1)
			error = append(isa, letter, 1);
	return error;
}

int hatch_isa_filter(struct hatch_isa *isa, const char *names, size_t size, uint64_t henvcfg)
{
	uint32_t present = 0;
	size_t length;
	int error;

	for (size_t at = 0; at < size; at += length + 1) {
		length = strnlen(names + at, size - at);
		if (length == 1 && islower((unsigned char)names[at]))
			present |= UINT32_C(1) << (names[at] - 'a');
	}
	isa->size = 0;
	error = append_letters(isa, present);
	for (size_t at = 0; at < size && !error; at += length + 1) {
		length = strnlen(names + at, size - at);
		if (length > 1 && passes(names + at, length, henvcfg))
			error = append(isa, names + at, length);
	}
	return error;
}

/* A version: digits, perhaps 'p' and more digits, as in "i2p1". Returns its length. */
static size_t version_length(const char *s, size_t size)
{
	size_t n = 0;

	while (n < size && isdigit((unsigned char)s[n]))
		n++;
	if (n && n + 1 < size && s[n] == 'p' && isdigit((unsigned char)s[n + 1]))
		for (n++; n < size && isdigit((unsigned char)s[n]);)
			n++;
	return n;
}

/* Length of a name without the version behind it: only "<digits>p<digits>" is surely one. */
static size_t name_length(const char *name, size_t length)
{
	size_t minor = length, major;

	while (minor && isdigit((unsigned char)name[minor - 1]))
		minor--;
	if (minor == length || minor < 2 || name[minor - 1] != 'p')
		return length;
	for (major = minor - 1; major && isdigit((unsigned char)name[major - 1]);)
		major--;
	return major && major < minor - 1 ? major : length;
}

/* The run of single letters at the start: up to '_' or to a letter that begins a long name. */
static const char *parse_letters(const char *s, uint32_t *present)
{
	while (*s && *s != '_' && *s != 'z' && *s != 's' && *s != 'x') {
		if (islower((unsigned char)*s))
			*present |= UINT32_C(1) << (*s - 'a');
		s++;
		s += version_length(s, strlen(s));
	}
	return s;
}

int hatch_isa_parse(struct hatch_isa *isa, const char *string, uint64_t henvcfg)
{
	const uint32_t general = 1 << ('i' - 'a') | 1 << ('m' - 'a') | 1 << ('a' - 'a') |
				 1 << ('f' - 'a') | 1 << ('d' - 'a');
	uint32_t present = 0;
	int error;

	isa->size = 0;
	if (strncmp(string, "rv64", 4))
		return HATCH_EFORMAT;
	string = parse_letters(string + 4, &present);
	if (present >> ('g' - 'a') & 1)
		present |= general;
	error = append_letters(isa, present);
	while (*string && !error) {
		string += *string == '_';
		size_t length = strcspn(string, "_"), name = name_length(string, length);
		if (passes(string, name, henvcfg))
			error = append(isa, string, name);
		string += length;
	}
	/* The base of the days when such strings were written included these (2.2, chapter 2). */
	for (size_t i = 0; i < 3 && !error; i++) {
		static const char *const implied[] = { "zicntr", "zicsr", "zifencei" };
		error = append(isa, implied[i], strlen(implied[i]));
	}
	return error;
}

int hatch_isa_string(const struct hatch_isa *isa, char *string, size_t room)
{
	size_t used = 4;

	if (room < used + 1)
		return HATCH_E2BIG;
	memcpy(string, "rv64", used + 1);
	for (size_t at = 0, length; at < isa->size; at += length + 1) {
		length = strlen(isa->name + at);
		if (used + length + 2 > room)
			return HATCH_E2BIG;
		if (length > 1)
			string[used++] = '_';
		memcpy(string + used, isa->name + at, length + 1);
		used += length;
	}
	return HATCH_OK;
}
