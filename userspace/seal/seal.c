/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events are written to the payload one by one, with the states of their processes
 * before them; finish compresses, hashes, and puts a header before it.
 */
#include "seal/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "seal/delta.h"
#include "seal/spans.h"
#include "seal/states.h"
#include "seal/wrap.h"

struct sealer {
	enum lane lane;
	struct seal_identity identity;
	struct seal_state state;
	struct states states;
	struct spans spans;
	struct delta delta;
	struct wrapper wrapper;
	size_t events, used; /* in the payload so far */
	uint8_t payload[SEAL_PAYLOAD_MAX];
};

int sealer_new(enum lane lane, const struct seal_identity *identity, const struct seal_state *state,
	       struct sealer **ret)
{
	CLEANUP(sealer_free) struct sealer *sealer = calloc(1, sizeof(*sealer));
	int r;

	if (!sealer)
		return -ENOMEM;
	sealer->lane = lane;
	sealer->identity = *identity;
	sealer->state = *state;
	r = states_init(&sealer->states);
	if (!r)
		r = delta_init(&sealer->delta, sealer->payload, sizeof(sealer->payload));
	if (!r)
		r = spans_init(&sealer->spans);
	if (!r)
		r = wrapper_init(&sealer->wrapper);
	if (r)
		return r;
	*ret = TAKE(sealer);
	return 0;
}

void sealer_free(struct sealer *sealer)
{
	if (!sealer)
		return;
	states_done(&sealer->states);
	delta_done(&sealer->delta);
	spans_done(&sealer->spans);
	wrapper_done(&sealer->wrapper);
	free(sealer);
}

static void payload_reset(struct sealer *sealer)
{
	sealer->events = sealer->used = 0;
	states_reset(&sealer->states);
	delta_reset(&sealer->delta);
}

/* Nothing counts until add has it all: what lies behind `used` is free space. */
static int add(struct sealer *sealer, const struct event *event)
{
	const Hinomi__Process *process = event->process;
	int r;

	event->body->process = process ? states_find(&sealer->states, event->process_state) : 0;
	if (process && !event->body->process) {
		r = delta_process(&sealer->delta, process);
		if (r)
			return r;
		event->body->process = states_add(&sealer->states, event->process_state);
	}
	r = delta_event(&sealer->delta, event->body,
			process && process->key ? process->key->pid : 0);
	if (r)
		return r;
	sealer->used = (size_t)(sealer->delta.writer.at - sealer->payload);
	sealer->events++;
	return 0;
}

int sealer_add(struct sealer *sealer, struct event *event)
{
	const Hinomi__Event *body = event->body;
	int r;

	if (event->lane != sealer->lane || (unsigned)body->lane != (unsigned)sealer->lane)
		return -EINVAL;
	if (!spans_has_cpu(body->cpu) || !body->seq)
		return -EINVAL;
	if (sealer->events == SEAL_EVENTS_MAX || !spans_fit(&sealer->spans, body->cpu, body->seq))
		return -E2BIG;
	r = add(sealer, event);
	if (r && !sealer->events) { /* in a frame with others the next one waits for finish */
		payload_reset(sealer);
		return r == -E2BIG ? -EMSGSIZE : r;
	}
	if (!r)
		spans_cover(&sealer->spans, body->cpu, body->seq, body->seq);
	return r;
}

size_t sealer_events(const struct sealer *sealer)
{
	return sealer->events;
}

size_t sealer_bytes(const struct sealer *sealer)
{
	return sealer->used;
}

int sealer_cover(struct sealer *sealer, uint32_t cpu, uint64_t first_seq, uint64_t last_seq)
{
	if (!spans_has_cpu(cpu) || !first_seq || first_seq > last_seq)
		return -EINVAL;
	return spans_cover(&sealer->spans, cpu, first_seq, last_seq);
}

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
	return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

static Hinomi__ClockPair clock_message(void)
{
	struct clock_pair now = clock_pair_now();
	Hinomi__ClockPair message = HINOMI__CLOCK_PAIR__INIT;

	message.boot_ns = now.boot_ns;
	message.real_ns = now.real_ns;
	message.synchronised = now.synchronised;
	message.error_ns = now.error_ns;
	return message;
}

int sealer_finish(struct sealer *sealer, const Hinomi__LedgerRow *rows, size_t nrows,
		  bool ledger_whole, const uint8_t **bytes, size_t *size)
{
	Hinomi__FrameHeader header = HINOMI__FRAME_HEADER__INIT;
	Hinomi__ClockPair clock = clock_message(), *clocks[] = {&clock};
	int r;

	header.version = 1;
	header.sensor_id = borrow(sealer->identity.sensor_id, 16);
	header.boot_id = borrow(sealer->identity.boot_id, 16);
	header.rings_id = borrow(sealer->identity.rings_id, 16);
	header.lane = (Hinomi__Lane)sealer->lane;
	header.number = sealer->state.number + 1;
	if (sealer->state.number)
		header.previous = borrow(sealer->state.previous, 32);
	header.events = (uint32_t)sealer->events;
	header.n_sequences = sealer->spans.n;
	header.sequences = sealer->spans.used;
	header.n_clocks = ARRAY_SIZE(clocks);
	header.clocks = clocks;
	header.algorithm = HINOMI__ALGORITHM__ALGORITHM_NONE;
	header.ledger_whole = ledger_whole;
	r = wrap(&sealer->wrapper, &header, rows, nrows, sealer->payload, sealer->used);
	if (r)
		return r;
	*bytes = sealer->wrapper.frame;
	*size = sealer->wrapper.size;
	if (sealer->wrapper.signer)
		signer_advance(sealer->wrapper.signer, sealer->events);
	memcpy(sealer->state.previous, sealer->wrapper.hash, 32);
	sealer->state.number++;
	payload_reset(sealer);
	spans_reset(&sealer->spans);
	return 0;
}

void sealer_state(const struct sealer *sealer, struct seal_state *ret)
{
	*ret = sealer->state;
}

void sealer_sign_with(struct sealer *sealer, struct signer *signer)
{
	signer_free(sealer->wrapper.signer);
	sealer->wrapper.signer = signer;
}

bool sealer_key_is_old(const struct sealer *sealer)
{
	return sealer->wrapper.signer && signer_is_old(sealer->wrapper.signer);
}
