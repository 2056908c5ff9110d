/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/unmapped.h>

static enum hatch_verdict finish(struct hatch_finisher *finisher, struct hatch_cont *k,
				 enum hatch_finisher_request request, unsigned int code)
{
	hatch_lock_acquire(&finisher->lock);
	if (finisher->request == HATCH_FINISHER_NONE) {
		finisher->request = request;
		finisher->code = code;
	}
	hatch_lock_release(&finisher->lock);
	return hatch_finish(k, (long)code);
}

static enum hatch_verdict obey(struct hatch_finisher *finisher, struct hatch_cont *k,
			       uint32_t value)
{
	unsigned int code = value >> 16;

	switch (value & 0xffff) {
	case FINISHER_PASS:
		return finish(finisher, k, HATCH_FINISHER_PASS, 0);
	case FINISHER_FAIL:
		return finish(finisher, k, HATCH_FINISHER_FAIL, code ? code : 1);
	case FINISHER_RESET:
		return finish(finisher, k, HATCH_FINISHER_RESET, 0);
	default:
		return hatch_resume(k, 0);
	}
}

static enum hatch_verdict on_finisher(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	if (ev->mmio.width != 4 || ev->mmio.offset % 4)
		return hatch_inject_access_fault(ev, k);
	if (!ev->mmio.write || ev->mmio.offset)
		return hatch_resume(k, 0);
	return obey(arg, k, (uint32_t)ev->mmio.value);
}

/* ---- State ---- */

struct finisher_image {
	uint32_t request, code;
};

static void save(void *arg, void *to)
{
	struct hatch_finisher *finisher = arg;
	struct finisher_image image;

	hatch_lock_acquire(&finisher->lock);
	image = (struct finisher_image){ finisher->request, finisher->code };
	hatch_lock_release(&finisher->lock);
	memcpy(to, &image, sizeof(image));
}

static bool is_request(const struct finisher_image *image)
{
	if (image->request == HATCH_FINISHER_FAIL)
		return image->code >= 1 && image->code <= 0xffff;
	return image->request <= HATCH_FINISHER_RESET && !image->code;
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct hatch_finisher *finisher = arg;
	struct finisher_image image;

	(void)vcpu;
	memcpy(&image, from, sizeof(image));
	if (!is_request(&image))
		return HATCH_EFORMAT;
	hatch_lock_acquire(&finisher->lock);
	finisher->request = (enum hatch_finisher_request)image.request;
	finisher->code = image.code;
	hatch_lock_release(&finisher->lock);
	return HATCH_OK;
}

/* ---- Life ---- */

void hatch_finisher_reset(struct hatch_finisher *finisher)
{
	hatch_lock_acquire(&finisher->lock);
	finisher->request = HATCH_FINISHER_NONE;
	finisher->code = 0;
	hatch_lock_release(&finisher->lock);
}

void hatch_finisher_init(struct hatch_finisher *finisher, hatch_gpa base)
{
	*finisher = (struct hatch_finisher){ .request = HATCH_FINISHER_NONE };
	finisher->clause = HATCH_ON_MMIO(base.addr, HATCH_FINISHER_SIZE, on_finisher, finisher);
	finisher->clause.name = "finisher";
	finisher->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT) |
			       HATCH_MAY(HATCH_UNWIND);
	finisher->state = (struct hatch_state){
		.name = "finisher",
		.version = 1,
		.size = sizeof(struct finisher_image),
		.save = save,
		.restore = restore,
		.arg = finisher,
	};
}
