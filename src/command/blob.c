/* SPDX-License-Identifier: MIT */
#include "blob.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

/* Files stand in RAM from here on, each at a multiple of: */
enum { FILE_ALIGN = 2 << 20 };

#define FILE_BASE UINT64_C(0x81000000)

/* One more word for the program's own command line. */
static void give_word(struct hatch_run *run, const char *word)
{
	const char *before = run->arguments;

	run->arguments = before ? hatch_text_format("%s %s", before, word) : word;
}

/* What could end the word or the line stands as %XX. */
void hatch_blob_give_text(struct hatch_run *run, const char *name, const char *value)
{
	char *word, *to;

	if (!value || !*value)
		return;
	word = hatch_text_format("hatch.text=%s,%*s", name, (int)strlen(value) * 3, "");
	to = strchr(word, ',') + 1;
	for (; *value; value++) {
		bool plain = *value > ' ' && *value < 0x7f && *value != '%';

		to += sprintf(to, plain ? "%c" : "%%%02x", (unsigned char)*value);
	}
	give_word(run, word);
}

void hatch_blob_give_room(struct hatch_run *run, const char *name, uint64_t at, uint64_t size)
{
	give_word(run, hatch_text_format("hatch.blob=%s,%#llx,%llu", name, (unsigned long long)at,
					 (unsigned long long)size));
}

/* QEMU puts it into the machine's RAM, behind the files before it. */
void hatch_blob_give_file(struct hatch_run *run, const char *name, const char *file)
{
	uint64_t at = FILE_BASE + run->files;
	struct stat status;
	uint64_t size;

	if (!file || stat(file, &status) || !status.st_size)
		return;
	size = (uint64_t)status.st_size;
	hatch_list_add(&run->extra, "-device");
	hatch_list_add(&run->extra,
		       hatch_text_format("loader,addr=%#llx,force-raw=on,file=%s",
					 (unsigned long long)at, hatch_qemu_quote(file)));
	hatch_blob_give_room(run, name, at, size);
	run->files += (size + FILE_ALIGN - 1) / FILE_ALIGN * FILE_ALIGN;
}

uint64_t hatch_blob_bytes(const struct hatch_run *run)
{
	return run->files;
}
