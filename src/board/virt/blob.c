/* SPDX-License-Identifier: MIT */
/*
 * Blobs are told of in the program's command line, /chosen/bootargs (QEMU's -append), in words:
 *
 *	hatch.blob=NAME,ADDRESS,SIZE   stands in RAM (QEMU's -device loader,file=,addr=,force-raw=on)
 *	hatch.text=NAME,TEXT           is TEXT; a byte that is not printable, a blank or a % is %XX
 *
 * Any boot loader that fills RAM and /chosen can give them. (QEMU's fw_cfg would be the other
 * way; its virt machine made that device too late for the option -fw_cfg until QEMU 8.)
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "virt.h"

#define BLOB_WORD "hatch.blob="
#define TEXT_WORD "hatch.text="

/* What one word tells; the pointers point into the device tree. */
struct item {
	const char *name, *text; /* text: NULL of a blob in RAM */
	size_t name_length, text_length;
	uint64_t address, size;
};

static const char *boot_args(void)
{
	int chosen = fdt_path_offset(hatch_board_fdt(), "/chosen");
	const char *args = NULL;

	if (chosen >= 0)
		args = fdt_getprop(hatch_board_fdt(), chosen, "bootargs", NULL);
	return args ? args : "";
}

static bool starts_with(const char *word, const char *prefix)
{
	return !strncmp(word, prefix, strlen(prefix));
}

/* Each byte of the text, decoded; to == NULL only counts them. At most `limit` are written. */
static size_t decode(const char *text, size_t length, char *to, size_t limit)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++, count++) {
		char digits[3] = { 0 }, byte = text[i];

		if (byte == '%' && i + 2 < length) {
			memcpy(digits, &text[i + 1], 2);
			byte = (char)strtoul(digits, NULL, 16);
			i += 2;
		}
		if (to && count < limit)
			to[count] = byte;
	}
	return count;
}

/* False: the word is not ours. */
static bool parse(const char *word, size_t length, struct item *item)
{
	char *after;
	const char *comma;

	if (!starts_with(word, BLOB_WORD) && !starts_with(word, TEXT_WORD))
		return false;
	item->name = word + strlen(BLOB_WORD);
	comma = memchr(item->name, ',', word + length - item->name);
	if (!comma)
		return false;
	item->name_length = comma - item->name;
	item->text = NULL;
	if (starts_with(word, TEXT_WORD)) {
		item->text = comma + 1;
		item->text_length = word + length - item->text;
		item->size = decode(item->text, item->text_length, NULL, 0);
		return true;
	}
	item->address = strtoull(comma + 1, &after, 0);
	if (*after != ',')
		return false;
	item->size = strtoull(after + 1, NULL, 0);
	return true;
}

/* The next word that is ours, from *args on; *args moves behind it. */
static bool next_item(const char **args, struct item *item)
{
	while (**args) {
		size_t length = strcspn(*args, " ");
		const char *word = *args;

		*args += length + strspn(*args + length, " ");
		if (length && parse(word, length, item))
			return true;
	}
	return false;
}

static bool find(const char *name, struct item *item)
{
	const char *args = boot_args();

	while (next_item(&args, item))
		if (strlen(name) == item->name_length &&
		    !memcmp(name, item->name, item->name_length))
			return true;
	return false;
}

/* Copies the first `size` bytes and returns the whole size. */
static int64_t get(const char *name, void *to, size_t size)
{
	struct item item;

	if (!find(name, &item))
		return HATCH_ENOENT;
	if (size > item.size)
		return HATCH_E2BIG;
	if (item.text)
		decode(item.text, item.text_length, to, size);
	else
		memcpy(to, (const void *)(uintptr_t)item.address, size);
	return item.size;
}

void virt_blob_reserve(void)
{
	const char *args = boot_args();
	struct item item;

	while (next_item(&args, &item))
		if (!item.text)
			virt_ram_reserve(item.address, item.size);
}

int64_t hatch_board_blob_size(const char *name)
{
	return get(name, NULL, 0);
}

int hatch_board_blob_read(const char *name, void *to, size_t size)
{
	int64_t result = get(name, to, size);

	return result < 0 ? (int)result : HATCH_OK;
}

void *hatch_board_blob_bytes(const char *name, size_t *size)
{
	struct item item;

	if (!find(name, &item) || item.text)
		return NULL;
	*size = item.size;
	return (void *)(uintptr_t)item.address;
}
