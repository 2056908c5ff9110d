/* SPDX-License-Identifier: MIT */
/*
 * Eight calls of a unikernel. Whatever is refused has changed nothing, and can be asked again.
 */
#include <string.h>

#include <hatch/handlers/unikernel.h>

/* Bytes of text copied at a time; divides the page, so that no piece crosses one. */
#define PIECE 256

static enum hatch_verdict answer(struct hatch_cont *k, int64_t error, uint64_t value)
{
	return hatch_resume_pair(k, (uint64_t)error, value);
}

/*
 * The way a copy has failed. That the host has no page left is no business of the guest's: the
 * try is left, and the call comes again.
 */
static enum hatch_verdict answer_copy(struct hatch_cont *k, int error, uint64_t value)
{
	if (error == HATCH_ENOMEM)
		return hatch_unwind(k, error);
	return error ? answer(k, HATCH_UNIKERNEL_MEMORY, 0) : answer(k, 0, value);
}

/* ---- Clock, console, waiting ---- */

/* Each byte is read once, into memory of ours: the guest may change its own meanwhile. */
static enum hatch_verdict put_text(const struct hatch_unikernel *u, uint64_t at, uint64_t size,
				   struct hatch_cont *k)
{
	uint8_t piece[PIECE];
	uint64_t done = 0;
	int error = 0;

	if (size > HATCH_UNIKERNEL_PUTS_MAX)
		size = HATCH_UNIKERNEL_PUTS_MAX;
	while (done < size) {
		uint64_t n = PIECE - (at + done) % PIECE;

		n = n < size - done ? n : size - done;
		error = hatch_guest_read(k->vcpu->guest, hatch_gpa_of(at + done), piece, n);
		if (error)
			break;
		if (u->write)
			u->write(u->arg, piece, n);
		done += n;
	}
	return answer_copy(k, done ? 0 : error, done);
}

static enum hatch_verdict poll(struct hatch_unikernel *u, uint64_t until, struct hatch_cont *k)
{
	if (u->state.count)
		return answer(k, 0, 1);
	if (u->wall_ns(u->arg) >= until)
		return answer(k, 0, 0);
	u->state.waits = true;
	u->state.until = until;
	return hatch_unwind(k, HATCH_UNIKERNEL_WAITS);
}

/* ---- Disk ---- */

/* 0, or the guest's mistake. The order of the checks is that of abi.h. */
static int check_transfer(const struct hatch_unikernel *u, uint64_t sector, uint64_t size,
			  bool write)
{
	if (!u->disk.bytes)
		return HATCH_UNIKERNEL_NODEVICE;
	if (!size || size > HATCH_UNIKERNEL_TRANSFER || size % u->disk.sector_size)
		return HATCH_UNIKERNEL_SIZE;
	if (sector > u->disk.sectors || size / u->disk.sector_size > u->disk.sectors - sector)
		return HATCH_UNIKERNEL_RANGE;
	return write && u->disk.read_only ? HATCH_UNIKERNEL_READONLY : 0;
}

/* All or nothing: that the guest's memory is there is known before the first byte moves. */
static enum hatch_verdict transfer(const struct hatch_unikernel *u, const uint64_t *a, bool write,
				   struct hatch_cont *k)
{
	const uint64_t sector = a[0], size = a[2];
	const hatch_gpa at = hatch_gpa_of(a[1]);
	struct hatch_guest *guest = k->vcpu->guest;
	int error = check_transfer(u, sector, size, write);
	uint8_t *place;

	if (error)
		return answer(k, error, 0);
	if (hatch_guest_check(guest, at, size, write ? HATCH_PROT_READ : HATCH_PROT_WRITE))
		return answer(k, HATCH_UNIKERNEL_MEMORY, 0);
	place = u->disk.bytes + sector * u->disk.sector_size;
	error = write ? hatch_guest_read(guest, at, place, size)
		      : hatch_guest_write(guest, at, place, size);
	return answer_copy(k, error, 0);
}

/* ---- Network ---- */

/* The frame leaves the queue only when the guest has it. */
static enum hatch_verdict net_read(struct hatch_unikernel *u, uint64_t at, uint64_t room,
				   struct hatch_cont *k)
{
	struct hatch_unikernel_state *s = &u->state;
	const struct hatch_unikernel_frame *frame = &s->frame[s->first];
	struct hatch_guest *guest = k->vcpu->guest;
	int error;

	if (!u->net.send)
		return answer(k, HATCH_UNIKERNEL_NODEVICE, 0);
	if (!s->count)
		return answer(k, HATCH_UNIKERNEL_AGAIN, 0);
	if (room < frame->size)
		return answer(k, HATCH_UNIKERNEL_SIZE, frame->size);
	error = hatch_guest_check(guest, hatch_gpa_of(at), frame->size, HATCH_PROT_WRITE);
	if (!error)
		error = hatch_guest_write(guest, hatch_gpa_of(at), frame->bytes, frame->size);
	if (!error) {
		s->first = (s->first + 1) % HATCH_UNIKERNEL_FRAMES;
		s->count--;
	}
	return answer_copy(k, error, frame->size);
}

static enum hatch_verdict net_write(const struct hatch_unikernel *u, uint64_t at, uint64_t size,
				    struct hatch_cont *k)
{
	uint8_t frame[HATCH_UNIKERNEL_FRAME_MAX];
	int error;

	if (!u->net.send)
		return answer(k, HATCH_UNIKERNEL_NODEVICE, 0);
	if (size < HATCH_UNIKERNEL_FRAME_MIN || size > sizeof(frame))
		return answer(k, HATCH_UNIKERNEL_SIZE, 0);
	error = hatch_guest_read(k->vcpu->guest, hatch_gpa_of(at), frame, size);
	if (!error && !u->net.send(u->net.arg, frame, size))
		return answer(k, HATCH_UNIKERNEL_AGAIN, 0);
	return answer_copy(k, error, 0);
}

bool hatch_unikernel_receive(void *unikernel, const void *frame, size_t size)
{
	struct hatch_unikernel *u = unikernel;
	struct hatch_unikernel_state *s = &u->state;
	struct hatch_unikernel_frame *to =
		&s->frame[(s->first + s->count) % HATCH_UNIKERNEL_FRAMES];

	if (s->count == HATCH_UNIKERNEL_FRAMES || size < HATCH_UNIKERNEL_FRAME_MIN ||
	    size > HATCH_UNIKERNEL_FRAME_MAX) {
		s->refused++;
		return false;
	}
	to->size = (uint16_t)size;
	memcpy(to->bytes, frame, size);
	s->count++;
	return true;
}

/* ---- The clause ---- */

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_unikernel *u = arg;
	const uint64_t *a = ev->hypercall.arg;

	u->state.waits = false;
	switch (ev->hypercall.function) {
	case HATCH_UNIKERNEL_WALLTIME:
		return answer(k, 0, u->wall_ns(u->arg));
	case HATCH_UNIKERNEL_PUTS:
		return put_text(u, a[0], a[1], k);
	case HATCH_UNIKERNEL_POLL:
		return poll(u, a[0], k);
	case HATCH_UNIKERNEL_BLOCK_READ:
	case HATCH_UNIKERNEL_BLOCK_WRITE:
		return transfer(u, a, ev->hypercall.function == HATCH_UNIKERNEL_BLOCK_WRITE, k);
	case HATCH_UNIKERNEL_NET_READ:
		return net_read(u, a[0], a[1], k);
	case HATCH_UNIKERNEL_NET_WRITE:
		return net_write(u, a[0], a[1], k);
	case HATCH_UNIKERNEL_HALT:
		return hatch_finish(k, (long)a[0]);
	default:
		return answer(k, HATCH_UNIKERNEL_NODEVICE, 0);
	}
}

/* ---- State ---- */

static void save(void *arg, void *to)
{
	const struct hatch_unikernel *u = arg;

	memcpy(to, &u->state, sizeof(u->state));
}

/* Every number that is an index or a length later on is checked here, once. */
static bool is_sound(const struct hatch_unikernel_state *s)
{
	if (s->waits > 1 || s->first >= HATCH_UNIKERNEL_FRAMES || s->count > HATCH_UNIKERNEL_FRAMES)
		return false;
	for (unsigned int i = 0; i < s->count; i++) {
		uint16_t size = s->frame[(s->first + i) % HATCH_UNIKERNEL_FRAMES].size;

		if (size < HATCH_UNIKERNEL_FRAME_MIN || size > HATCH_UNIKERNEL_FRAME_MAX)
			return false;
	}
	return true;
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct hatch_unikernel *u = arg;

	(void)vcpu;
	if (!is_sound(from))
		return HATCH_EFORMAT;
	memcpy(&u->state, from, sizeof(u->state));
	return HATCH_OK;
}

/* ---- The host's side ---- */

void hatch_unikernel_init(struct hatch_unikernel *u, uint64_t (*wall_ns)(void *arg), void *arg)
{
	*u = (struct hatch_unikernel){ .wall_ns = wall_ns, .arg = arg };
	u->clause = HATCH_ON_HYPERCALL(HATCH_UNIKERNEL_EID, on_call, u);
	u->clause.name = "unikernel";
	u->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_UNWIND);
	u->saved = (struct hatch_state){
		.name = "unikernel",
		.version = 1,
		.size = sizeof(u->state),
		.save = save,
		.restore = restore,
		.arg = u,
	};
}

int hatch_unikernel_add(struct hatch_unikernel *u, struct hatch_scope *scope)
{
	int error = hatch_catch_add(scope, &u->clause);

	if (error)
		return error;
	error = hatch_state_add(scope, &u->saved);
	if (error)
		hatch_catch_remove(scope, &u->clause);
	return error;
}

int hatch_unikernel_disk(struct hatch_unikernel *u, void *bytes, uint32_t sector_size,
			 uint64_t sectors)
{
	if (!bytes || !sectors || sector_size < 512 || sector_size > 4096 ||
	    (sector_size & (sector_size - 1)) || sectors > UINTPTR_MAX / sector_size)
		return HATCH_EINVAL;
	u->disk.bytes = bytes;
	u->disk.sector_size = sector_size;
	u->disk.sectors = sectors;
	return HATCH_OK;
}

void hatch_unikernel_reset(struct hatch_unikernel *u)
{
	u->state = (struct hatch_unikernel_state){ .count = 0 };
}

void hatch_unikernel_greet(const struct hatch_unikernel *u, struct hatch_vcpu *vcpu)
{
	vcpu->frame.x[10] = u->disk.sectors;
	vcpu->frame.x[11] = u->disk.sector_size;
	vcpu->frame.x[12] = u->net.send ? u->net.address : 0;
}

bool hatch_unikernel_waits(const struct hatch_unikernel *u)
{
	return u->state.waits;
}

bool hatch_unikernel_ready(const struct hatch_unikernel *u)
{
	const struct hatch_unikernel_state *s = &u->state;

	return !s->waits || s->count || u->wall_ns(u->arg) >= s->until;
}
