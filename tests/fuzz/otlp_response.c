/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of back ends and of collectors. Input: status (2 bytes), type (1 byte), body. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forward/answer.h"
#include "forward/http.h"
#include "forward/pin.h"
#include "forward/receipt.h"
#include "forward/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"application/x-protobuf", "application/json",
					    "text/html", ""};
	static const uint8_t sensor_id[16] = "sensor";
	static struct http_answer http;
	static struct config_sink sink = {.name = "fuzz"};
	static struct pin pin;
	struct receipt_keeper keeper = {.pin = &pin, .file.fd = -1};
	struct answer answer;
	struct receipt receipt;
	char value[128];

	if (size < 3 || size > HTTP_ANSWER_MAX)
		return 0;
	http.status = (data[0] | data[1] << 8) % 700;
	strcpy(http.type, types[data[2] % 4]);
	http.too_long = data[2] & 4;
	http.size = size - 3;
	memcpy(http.body, data + 3, size - 3);
	answer_read(&http, &answer);
	if (answer.verdict == VERDICT_ACCEPTED && (http.status < 200 || http.status > 299))
		abort();
	if (strnlen(answer.text, sizeof(answer.text)) == sizeof(answer.text))
		abort();
	for (const char *c = answer.text; *c; c++)
		if ((unsigned char)*c < ' ')
			abort();
	if (!pin.name[0] && pin_init(&pin, -1, &sink) != -EBADF)
		abort();
	receipt_read(&http, sensor_id, LANE_KEEP, &keeper, &receipt);
	for (const char *c = receipt.text; *c; c++)
		if ((unsigned char)*c < ' ')
			abort();
	memcpy(value, data + 3, size - 3 < 127 ? size - 3 : 127);
	value[size - 3 < 127 ? size - 3 : 127] = '\0';
	if (retry_after_ns(value, 1795445602043070782) > RETRY_AFTER_LONGEST_NS)
		abort();
	return 0;
}
