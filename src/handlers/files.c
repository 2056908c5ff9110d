/* SPDX-License-Identifier: MIT */
/* A file tree out of a cpio archive: reading it, once, with every number checked. */
#include <string.h>

#include "files_internal.h"

/* The header: a magic of six characters, then thirteen numbers of eight hexadecimal digits. */
enum {
	MAGIC_SIZE = 6,
	DIGITS = 8,
	HEADER_SIZE = 110,
	NAME_MOST = 4096, /* bytes of a path, its end included */
	PART_MOST = 255,  /* bytes of one file's own name */
};

enum field {
	FIELD_MODE = 1,
	FIELD_TIME = 5,
	FIELD_SIZE = 6,
	FIELD_NAME_SIZE = 11,
};

/* One entry, as the archive tells it. */
struct entry {
	const char *name; /* without what stands for the root */
	size_t name_length;
	const uint8_t *data;
	uint32_t mode, time, size;
	bool last;
};

/* Where we are in it. */
struct reader {
	struct hatch_files *files;
	const uint8_t *bytes;
	size_t size, at;
};

static int fail(const struct reader *reader, const char *problem)
{
	reader->files->problem = problem;
	reader->files->at = reader->at;
	return HATCH_EFORMAT;
}

static bool parse_hex(const uint8_t *digits, uint32_t *number)
{
	*number = 0;
	for (unsigned int i = 0; i < DIGITS; i++) {
		unsigned int digit = digits[i], letter = digit | 0x20;

		if (digit >= '0' && digit <= '9')
			digit -= '0';
		else if (letter >= 'a' && letter <= 'f')
			digit = letter - 'a' + 10;
		else
			return false;
		*number = *number << 4 | digit;
	}
	return true;
}

static bool parse_field(const uint8_t *header, enum field field, uint32_t *number)
{
	return parse_hex(header + MAGIC_SIZE + (size_t)field * DIGITS, number);
}

/* Claims `size` bytes at the reader's place, and goes on at the next multiple of four. */
static const uint8_t *take(struct reader *reader, size_t size, size_t next)
{
	const uint8_t *found = reader->bytes + reader->at;

	if (reader->at > reader->size || size > reader->size - reader->at)
		return NULL;
	reader->at += next;
	return found;
}

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* "/a", "./a" and "a" are the same file; "/", "." and "" are the root. */
static void strip_root(struct entry *entry)
{
	while (entry->name_length) {
		const char *name = entry->name;
		bool dot = name[0] == '.' && (entry->name_length == 1 || name[1] == '/');

		if (name[0] != '/' && !dot)
			return;
		entry->name++;
		entry->name_length--;
	}
}

static int read_name(struct reader *reader, uint32_t name_size, struct entry *entry)
{
	size_t next = align4(HEADER_SIZE + name_size) - HEADER_SIZE;

	if (name_size < 1 || name_size > NAME_MOST)
		return fail(reader, "a name of no length or of more than 4096 bytes");
	entry->name = (const char *)take(reader, name_size, next);
	if (!entry->name)
		return fail(reader, "it ends within a name: it is truncated");
	entry->name_length = name_size - 1;
	if (memchr(entry->name, 0, name_size) != entry->name + entry->name_length)
		return fail(reader, "a name that does not end where it should");
	entry->last = !strcmp(entry->name, "TRAILER!!!");
	strip_root(entry);
	return 0;
}

static int read_entry(struct reader *reader, struct entry *entry)
{
	const uint8_t *header = take(reader, HEADER_SIZE, HEADER_SIZE);
	uint32_t name_size;
	int error;

	if (!header)
		return fail(reader, "it ends without its trailer: it is truncated");
	if (memcmp(header, "070701", MAGIC_SIZE) && memcmp(header, "070702", MAGIC_SIZE))
		return fail(reader, "no cpio archive in newc form: make it with cpio -o -H newc");
	if (!parse_field(header, FIELD_MODE, &entry->mode) ||
	    !parse_field(header, FIELD_TIME, &entry->time) ||
	    !parse_field(header, FIELD_SIZE, &entry->size) ||
	    !parse_field(header, FIELD_NAME_SIZE, &name_size))
		return fail(reader, "a number with other characters than hexadecimal digits");
	error = read_name(reader, name_size, entry);
	if (error)
		return error;
	entry->data = take(reader, entry->size, align4(entry->size));
	return entry->data ? 0 : fail(reader, "it ends within a file: it is truncated");
}

/* ---- The index of names ---- */

/*
 * Behind the files stand slots: a file's index at the place that its folder and name hash to, or
 * soon behind. With four for each file, none of a tree that was not made for it is far off; one
 * that was is refused. So the time for a name does not grow with its folder.
 */
enum { SLOTS_EACH = 4, SLOTS_TRIED = 64 };

static size_t count_slots(const struct hatch_files *files)
{
	size_t slots = SLOTS_EACH;

	while (slots < SLOTS_EACH * (size_t)files->room)
		slots *= 2;
	return slots;
}

static uint64_t hash(uint32_t folder, const char *name, size_t length)
{
	uint64_t sum = folder;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	return sum * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static bool is_named(const struct hatch_file *file, uint32_t folder, const char *name,
		     size_t length)
{
	return file->parent == folder && file->name_length == length &&
	       !memcmp(file->name, name, length);
}

/* The file's slot, or the empty one that it would get; NULL: too many are in the way. */
static uint32_t *find_slot(const struct hatch_files *files, uint32_t folder, const char *name,
			   size_t length)
{
	uint32_t *slots = (uint32_t *)(files->file + files->room);
	size_t last = count_slots(files) - 1, at = hash(folder, name, length);

	for (unsigned int i = 0; i < SLOTS_TRIED; i++, at++) {
		uint32_t *slot = &slots[at & last];

		if (!*slot || is_named(&files->file[*slot], folder, name, length))
			return slot;
	}
	return NULL;
}

/* The root has no slot, so 0 is none. */
uint32_t hatch_files_child(const struct hatch_files *files, uint32_t folder, const char *name,
			   size_t length)
{
	const uint32_t *slot = find_slot(files, folder, name, length);

	return slot && *slot ? *slot : HATCH_FILES_NONE;
}

/* ---- Entries become files ---- */

/* The folder of the entry; its name is cut down to the last part. */
static int find_folder(struct reader *reader, struct entry *entry, uint32_t *folder)
{
	const char *slash;

	*folder = HATCH_FILES_ROOT;
	while ((slash = memchr(entry->name, '/', entry->name_length))) {
		size_t length = (size_t)(slash - entry->name);

		*folder = hatch_files_child(reader->files, *folder, entry->name, length);
		if (*folder == HATCH_FILES_NONE ||
		    (reader->files->file[*folder].mode & HATCH_FILE_KIND) != HATCH_FILE_FOLDER)
			return fail(reader, "a file whose folder did not come before it");
		entry->name = slash + 1;
		entry->name_length -= length + 1;
	}
	return 0;
}

/* Finds the slot for the last part of the entry's name. */
static int check_part(struct reader *reader, const struct entry *entry, uint32_t folder,
		      uint32_t **slot)
{
	const char *name = entry->name;
	size_t length = entry->name_length;

	if (!length || length > PART_MOST || (length <= 2 && !memcmp(name, "..", length)))
		return fail(reader, "a file without a name of its own");
	*slot = find_slot(reader->files, folder, name, length);
	if (!*slot)
		return fail(reader, "names that are made to be slow to find");
	return **slot ? fail(reader, "two files of the same name") : 0;
}

static void append(struct hatch_files *files, const struct entry *entry, uint32_t folder,
		   uint32_t *slot)
{
	struct hatch_file *parent = &files->file[folder];
	bool is_folder = (entry->mode & HATCH_FILE_KIND) == HATCH_FILE_FOLDER;

	files->file[files->count] = (struct hatch_file){
		.name = entry->name,
		.name_length = entry->name_length,
		.data = entry->data,
		.size = is_folder ? 0 : entry->size,
		.mode = entry->mode,
		.time = entry->time,
		.parent = folder,
		.child = HATCH_FILES_NONE,
		.last = HATCH_FILES_NONE,
		.sibling = HATCH_FILES_NONE,
	};
	if (parent->last == HATCH_FILES_NONE)
		parent->child = files->count;
	else
		files->file[parent->last].sibling = files->count;
	*slot = files->count;
	parent->last = files->count++;
}

static bool is_wanted(uint32_t mode)
{
	uint32_t kind = mode & HATCH_FILE_KIND;

	return kind == HATCH_FILE_FOLDER || kind == HATCH_FILE_REGULAR || kind == HATCH_FILE_LINK;
}

static int add(struct reader *reader, struct entry *entry)
{
	struct hatch_file *root = &reader->files->file[HATCH_FILES_ROOT];
	uint32_t folder, *slot;
	int error;

	if (!entry->name_length) {
		if ((entry->mode & HATCH_FILE_KIND) != HATCH_FILE_FOLDER)
			return fail(reader, "a root that is no folder");
		root->mode = entry->mode;
		root->time = entry->time;
		return 0;
	}
	error = find_folder(reader, entry, &folder);
	if (!error)
		error = check_part(reader, entry, folder, &slot);
	if (!error && is_wanted(entry->mode))
		append(reader->files, entry, folder, slot);
	return error;
}

static int count(struct reader reader, uint32_t *entries)
{
	struct entry entry = { .last = false };
	int error;

	for (*entries = 0;; ++*entries) {
		error = read_entry(&reader, &entry);
		if (error || entry.last)
			return error;
	}
}

static int fill(struct reader reader, uint32_t entries)
{
	struct entry entry;
	int error = 0;

	while (!error && entries--) {
		error = read_entry(&reader, &entry);
		if (!error)
			error = add(&reader, &entry);
	}
	return error;
}

/* Whole pages, as any memory can give. */
static size_t table_size(const struct hatch_files *files)
{
	size_t size = files->room * sizeof(*files->file) + count_slots(files) * sizeof(uint32_t);

	return (size + HATCH_PAGE_SIZE - 1) & ~(size_t)(HATCH_PAGE_SIZE - 1);
}

int hatch_files_init(struct hatch_files *files, const struct hatch_memory *memory,
		     const void *archive, size_t size)
{
	struct reader reader = { .files = files, .bytes = archive, .size = size };
	uint32_t entries;
	int error;

	if (!files || !memory || !archive)
		return HATCH_EINVAL;
	*files = (struct hatch_files){ .memory = memory };
	error = count(reader, &entries);
	if (error)
		return error;
	files->room = entries + 1;
	files->file = memory->alloc(memory->arg, table_size(files), HATCH_PAGE_SIZE);
	if (!files->file)
		return HATCH_ENOMEM;
	files->file[HATCH_FILES_ROOT] = (struct hatch_file){
		.name = "",
		.mode = HATCH_FILE_FOLDER | 0755,
		.child = HATCH_FILES_NONE,
		.last = HATCH_FILES_NONE,
		.sibling = HATCH_FILES_NONE,
	};
	files->count = 1;
	error = fill(reader, entries);
	if (error)
		hatch_files_fini(files);
	return error;
}

void hatch_files_fini(struct hatch_files *files)
{
	if (files->file)
		files->memory->free(files->memory->arg, files->file, table_size(files));
	files->file = NULL;
	files->count = 0;
	files->room = 0;
}
