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
	forged.header.encoding = (Hinomi__Encoding)2;
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
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
