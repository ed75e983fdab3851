/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that no sealer wrote: what frame refuses, and how. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hinomi/kinds.h>
#include <openssl/sha.h>
#include <zlib.h>
#include <zstd.h>

#include "frame/frame.h"

/* A frame of our own making: header completed for the payload, unless it says otherwise. */
struct forged {
	Hinomi__FrameHeader header;
	ProtobufCBinaryData payload, signature;
	uint8_t id[16], digest[32];
	bool wrong_digest;
};

static void forge(struct forged *forged, const void *payload, size_t size)
{
	*forged = (struct forged){.header = HINOMI__FRAME_HEADER__INIT};
	forged->header.version = 1;
	forged->header.number = 1;
	forged->header.sensor_id = forged->header.boot_id = forged->header.rings_id =
		(ProtobufCBinaryData){.len = 16, .data = forged->id};
	forged->header.payload_sha256 = (ProtobufCBinaryData){.len = 32, .data = forged->digest};
	forged->header.payload_size = size;
	forged->payload = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)payload};
}

static int read_forged(struct forged *forged)
{
	CLEANUP(frame_free) struct frame *frame = NULL;
	Hinomi__Frame raw = HINOMI__FRAME__INIT;
	uint8_t *bytes;
	size_t size;
	int r;

	SHA256(forged->payload.data, forged->payload.len, forged->digest);
	forged->digest[5] ^= forged->wrong_digest;
	raw.header.len = hinomi__frame_header__get_packed_size(&forged->header);
	raw.header.data = malloc(raw.header.len);
	hinomi__frame_header__pack(&forged->header, raw.header.data);
	raw.payload = forged->payload;
	raw.signature = forged->signature;
	size = hinomi__frame__get_packed_size(&raw);
	bytes = malloc(size);
	hinomi__frame__pack(&raw, bytes);
	r = frame_read(bytes, size, &frame);
	free(bytes); /* the frame has its own copy */
	free(raw.header.data);
	return r ? r : frame_open_payload(frame);
}

static void what_is_not_known_is_refused(void **state)
{
	struct forged forged;

	(void)state;
	forge(&forged, "", 0);
	assert_int_equal(read_forged(&forged), 0);
	forged.header.version = 2;
	assert_int_equal(read_forged(&forged), -EPROTONOSUPPORT);
	forge(&forged, "", 0);
	forged.header.encoding = (Hinomi__Encoding)4;
	assert_int_equal(read_forged(&forged), -EPROTONOSUPPORT);
	forge(&forged, "", 0);
	forged.header.algorithm = HINOMI__ALGORITHM__ALGORITHM_ED25519; /* and no signature */
	assert_int_equal(read_forged(&forged), -EBADMSG);
	forged.header.algorithm = (Hinomi__Algorithm)2;
	assert_int_equal(read_forged(&forged), -EPROTONOSUPPORT);
	forged.header.algorithm = (Hinomi__Algorithm)-1;
	assert_int_equal(read_forged(&forged), -EPROTONOSUPPORT);
}

static void headers_that_lie(void **state)
{
	Hinomi__ClockPair clock = HINOMI__CLOCK_PAIR__INIT, *clocks[FRAME_CLOCKS_MAX + 1];
	Hinomi__Sequence sequence = HINOMI__SEQUENCE__INIT, *sequences[] = {&sequence};
	struct forged forged;

#define REFUSED(...)                                              \
	do {                                                      \
		forge(&forged, "", 0);                            \
		__VA_ARGS__;                                      \
		assert_int_equal(read_forged(&forged), -EBADMSG); \
	} while (0)
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		clocks[i] = &clock;
	sequence.first = 2;
	sequence.last = 1;
	REFUSED(forged.header.version = 0);
	REFUSED(forged.header.number = 0);
	REFUSED(forged.header.number = 2);				/* without previous */
	REFUSED(forged.header.previous = forged.header.payload_sha256); /* in the first */
	REFUSED(forged.header.sensor_id.len = 15);
	REFUSED(forged.header.boot_id.len = 0);
	REFUSED(forged.header.rings_id.len = 0);
	REFUSED(forged.header.payload_sha256.len = 31);
	REFUSED(forged.wrong_digest = true);
	REFUSED(forged.header.lane = (Hinomi__Lane)LANES);
	REFUSED(forged.header.lane = (Hinomi__Lane)-1);
	REFUSED(forged.header.payload_size = 1);
	REFUSED(forged.header.payload_size = FRAME_PAYLOAD_MAX + 1);
	REFUSED(forged.header.events = 1);
	REFUSED(forged.header.encoding = HINOMI__ENCODING__ENCODING_ZLIB);
	REFUSED(forged.signature = (ProtobufCBinaryData){.len = 16, .data = forged.id});
	REFUSED((forged.header.n_clocks = ARRAY_SIZE(clocks), forged.header.clocks = clocks));
	REFUSED((forged.header.n_sequences = 1, forged.header.sequences = sequences));
}

static int read_payload(Hinomi__Event *event, uint32_t events)
{
	Hinomi__Payload payload = HINOMI__PAYLOAD__INIT;
	uint8_t bytes[256];
	struct forged forged;

	payload.n_events = 1;
	payload.events = &event;
	forge(&forged, bytes, hinomi__payload__pack(&payload, bytes));
	forged.header.events = events;
	return read_forged(&forged);
}

static void payloads_that_lie(void **state)
{
	Hinomi__Event event = HINOMI__EVENT__INIT;
	struct forged forged;

	(void)state;
	assert_int_equal(read_payload(&event, 1), 0);
	assert_int_equal(read_payload(&event, 2), -EBADMSG);
	event.process = 1;
	assert_int_equal(read_payload(&event, 1), -EBADMSG);
	event.process = 0;
	event.lane = HINOMI__LANE__LANE_BULK;
	assert_int_equal(read_payload(&event, 1), -EBADMSG);
	forge(&forged, "\x12\x05junk", 6);
	assert_int_equal(read_forged(&forged), -EBADMSG);
}

static int read_delta(const void *payload, size_t size, uint32_t events)
{
	struct forged forged;

	forge(&forged, payload, size);
	forged.header.encoding = HINOMI__ENCODING__ENCODING_DELTA;
	forged.header.events = events;
	return read_forged(&forged);
}

/* Bytes as proto/frame.proto has them under ENCODING_DELTA; the lane is that of keep, 0. */
static void deltas_that_lie(void **state)
{
#define DELTA(bytes, events) read_delta(bytes, sizeof(bytes) - 1, events)
	(void)state;
	assert_int_equal(DELTA("\2\0\0", 1), 0);
	assert_int_equal(DELTA("\2\0\0\2\0\0", 2), 0);
	assert_int_equal(DELTA("\1\0\0\2\0\0", 1), 0); /* of a process of which nothing is known */
	assert_int_equal(DELTA("\2\0\x42\0\0", 1), 0); /* an exec of which nothing is known */
	assert_int_equal(DELTA("\2\0\x42\0\x09\6abc\0", 1), 0);
	assert_int_equal(DELTA("\2\0\x42\0\x09\6abc\x0d\3\0", 1), 0);	     /* string 0 */
	assert_int_equal(DELTA("\2\0\x42\0\x09\6abc\x0d\1\0\2\1d\0", 1), 0); /* abd */
	/* numbers, lists and messages that this reader does not know */
	assert_int_equal(DELTA("\2\0\xf0\7\2\xf9\7\4ab\xfe\7\4\2\0\x83\x08\4\2a\2b\0", 1), 0);
	/* counts */
	assert_int_equal(DELTA("\2\0\0", 0), -EBADMSG);
	assert_int_equal(DELTA("\2\0\0", 2), -EBADMSG);
	assert_int_equal(DELTA("", UINT32_MAX), -EBADMSG);
	assert_int_equal(DELTA("\1\0\0\1\0\0\2\0\0", 1), -EBADMSG); /* more processes than events */
	assert_int_equal(DELTA("\3\0\0", 1), -EBADMSG);		    /* no such item */
	/* what is not there */
	assert_int_equal(DELTA("\2\1\0", 1), -EBADMSG);	      /* process */
	assert_int_equal(DELTA("\1\1\0\2\0\0", 1), -EBADMSG); /* process before the first */
	assert_int_equal(DELTA("\2\0\x42\1\0", 1), -EBADMSG); /* event before the first */
	assert_int_equal(DELTA("\2\0\x42\0\0\2\0\x46\1\0", 2), -EBADMSG); /* body of that class */
	assert_int_equal(DELTA("\2\0\x42\0\x09\3\0", 1), -EBADMSG);	  /* string */
	assert_int_equal(DELTA("\2\0\x42\0\x09\1\0\0\0\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x42\0\x09\6abc\x0d\1\0\4\1d\0", 1), -EBADMSG);
	/* it ends before its end */
	assert_int_equal(DELTA("\2\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x42\0\x09\6ab", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x42\0\x13\xfe\xff\xff\xff\x0f", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 1),
			 -EBADMSG);
	/* forms that a field does not have */
	assert_int_equal(DELTA("\2\0\5\4ab\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x40\0\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x42\0\x08\2\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\x42\0\x13\3\0\0", 1), -EBADMSG); /* messages for strings */
	assert_int_equal(DELTA("\2\0\x42\0\7\2\0", 1), -EBADMSG);
	/* out of order, and twice */
	assert_int_equal(DELTA("\2\0\x0c\2\4\2\0", 1), -EBADMSG);
	assert_int_equal(DELTA("\2\0\4\2\4\2\0", 1), -EBADMSG);
#undef DELTA
}

/* A few bytes that stand for much, and unknown messages in unknown messages. */
static void deltas_that_weigh_much(void **state)
{
	static const uint8_t again[] = {2, 0, 0x42, 1, 0};
	size_t size = 0, text = 1 << 20;
	uint8_t *payload = malloc(text + 200), *at;

	(void)state;
	for (unsigned events = 1; events <= 9; events++) {
		at = mempcpy(payload, "\2\0\x42\0\x09\x80\x80\x80\1", 9);
		memset(at, 'x', text);
		at += text;
		*at++ = 0;
		for (unsigned i = 1; i < events; i++)
			at = mempcpy(at, again, sizeof(again));
		size = (size_t)(at - payload);
		assert_int_equal(read_delta(payload, size, events), events < 8 ? 0 : -EBADMSG);
	}
	at = mempcpy(payload, "\2\0", 2);
	for (int depth = 0; depth < 60; depth++)
		at = mempcpy(at, "\xfe\7", 2);
	assert_int_equal(read_delta(payload, (size_t)(at - payload), 1), -EBADMSG);
	free(payload);
}

static void check_zstd(const uint8_t *plain, size_t size, uint64_t said, size_t extra, int want)
{
	size_t length = ZSTD_compressBound(size);
	uint8_t *packed = calloc(1, length + extra);
	struct forged forged;

	length = ZSTD_compress(packed, length, plain, size, 1);
	assert_false(ZSTD_isError(length));
	forge(&forged, packed, length + extra);
	forged.header.encoding = HINOMI__ENCODING__ENCODING_DELTA_ZSTD;
	forged.header.payload_size = said;
	forged.header.events = size ? 1 : 0;
	assert_int_equal(read_forged(&forged), want);
	free(packed);
}

static void streams_of_zstd(void **state)
{
	static const uint8_t event[] = {2, 0, 0};
	size_t size = FRAME_PAYLOAD_MAX;
	uint8_t *zeros = calloc(1, size + 1);
	struct forged forged;

	(void)state;
	check_zstd(event, sizeof(event), sizeof(event), 0, 0);
	check_zstd(event, sizeof(event), sizeof(event), 1, -EBADMSG);
	check_zstd(event, sizeof(event), sizeof(event) + 1, 0, -EBADMSG);
	check_zstd(event, sizeof(event), sizeof(event) - 1, 0, -EBADMSG);
	check_zstd(zeros, size + 1, size, 0, -EBADMSG);
	check_zstd(zeros, size + 1, size + 1, 0, -EBADMSG);
	forge(&forged, "no stream", 9);
	forged.header.encoding = HINOMI__ENCODING__ENCODING_DELTA_ZSTD;
	assert_int_equal(read_forged(&forged), -EBADMSG);
	free(zeros);
}

static void check_zlib(const uint8_t *plain, uLong size, uint64_t said, size_t extra, int want)
{
	uLongf length = compressBound(size);
	uint8_t *packed = calloc(1, length + extra);
	struct forged forged;

	assert_int_equal(compress2(packed, &length, plain, size, 9), Z_OK);
	forge(&forged, packed, length + extra);
	forged.header.encoding = HINOMI__ENCODING__ENCODING_ZLIB;
	forged.header.payload_size = said;
	assert_int_equal(read_forged(&forged), want);
	free(packed);
}

static void bombs(void **state)
{
	size_t size = FRAME_PAYLOAD_MAX;
	uint8_t *plain = malloc(size + 1);
	struct forged forged;

	(void)state;
	memset(plain, 0, size + 1);
	check_zlib(plain, 0, 0, 0, 0);
	check_zlib(plain, 0, 1, 0, -EBADMSG);
	check_zlib(plain, 0, 0, 1, -EBADMSG);
	check_zlib(plain, size + 1, size, 0, -EBADMSG);
	check_zlib(plain, size + 1, size + 1, 0, -EBADMSG);
	check_zlib(plain, 64 << 10, 1000, 0, -EBADMSG);
	/* empty processes: two bytes each, for a hundred of memory */
	for (size_t i = 0; i < size; i += 2) {
		plain[i] = 0x0a;
		plain[i + 1] = 0;
	}
	check_zlib(plain, size, size, 0, -EBADMSG);
	forge(&forged, plain, FRAME_BYTES_MAX - 1000);
	assert_int_equal(read_forged(&forged), -EBADMSG);
	forge(&forged, plain, FRAME_BYTES_MAX);
	assert_int_equal(read_forged(&forged), -EBADMSG);
	free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(headers_that_lie),
		cmocka_unit_test(payloads_that_lie),
		cmocka_unit_test(deltas_that_lie),
		cmocka_unit_test(deltas_that_weigh_much),
		cmocka_unit_test(streams_of_zstd),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
