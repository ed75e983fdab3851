/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/health.h"
#include "forward/http.h"
#include "otlp.pb-c.h"

static void set_text(struct answer *answer, long status, const ProtobufCBinaryData *message)
{
	int size = snprintf(answer->text, sizeof(answer->text), "HTTP %ld%s", status,
			    message->len ? ": " : "");

	health_text(answer->text + size, sizeof(answer->text) - (size_t)size, message->data,
		    message->len);
}

/* Not what a server of this protocol says: whoever it was, our records may not be where they
 * belong. */
static void set_broken(struct answer *answer, const char *why)
{
	answer->verdict = VERDICT_RETRY;
	answer->broken = true;
	answer->rejected = 0;
	answer->warning = false;
	snprintf(answer->text, sizeof(answer->text), "%s", why);
}

static void read_partial(struct answer *answer, const Otlp__ExportLogsServiceResponse *response)
{
	const Otlp__ExportLogsPartialSuccess *partial = response->partial_success;

	if (!partial)
		return;
	if (partial->rejected_log_records > 0)
		answer->rejected = (uint64_t)partial->rejected_log_records;
	answer->warning = !answer->rejected && partial->error_message.len;
	health_text(answer->text, sizeof(answer->text), partial->error_message.data,
		    partial->error_message.len);
}

/* {"partialSuccess":{"rejectedLogRecords":"3",...}}: not asked for, but some answer so */
static void read_json(struct answer *answer, const struct http_answer *http)
{
	static const char name[] = "\"rejectedLogRecords\"";
	const char *body = (const char *)http->body, *at;
	size_t left;

	if (!http->size || body[0] != '{') {
		set_broken(answer, "it answers 200 with something that is no JSON object");
		return;
	}
	at = memmem(body, http->size, name, strlen(name));
	if (!at)
		return;
	at += strlen(name);
	left = http->size - (size_t)(at - body);
	for (; left && strchr(" \t\r\n:\"", *at) && *at; at++)
		left--;
	for (; left && *at >= '0' && *at <= '9' && answer->rejected < UINT32_MAX; at++, left--)
		answer->rejected = answer->rejected * 10 + (uint64_t)(*at - '0');
	if (answer->rejected)
		health_text(answer->text, sizeof(answer->text), body, http->size);
}

static void read_success(struct answer *answer, const struct http_answer *http)
{
	Otlp__ExportLogsServiceResponse *response;

	if (http->too_long) {
		set_broken(answer, "it answers with more than 64 KiB, which OTLP never does");
	} else if (!strcmp(http->type, "application/json")) {
		read_json(answer, http);
	} else if (http->size && http->type[0] && strcmp(http->type, "application/x-protobuf") &&
		   strcmp(http->type, "application/protobuf")) {
		set_broken(answer, "it answers 200, but not as OTLP does: is the URL right?");
	} else if (http->size) {
		response = otlp__export_logs_service_response__unpack(NULL, http->size, http->body);
		if (response)
			read_partial(answer, response);
		else
			set_broken(answer, "it answers 200 with bytes that are no protobuf");
		otlp__export_logs_service_response__free_unpacked(response, NULL);
	}
}

static void read_failure(struct answer *answer, const struct http_answer *http)
{
	ProtobufCBinaryData message = {.data = (uint8_t *)http->body, .len = http->size};
	Otlp__Status *status = NULL;

	if (!strcmp(http->type, "application/x-protobuf")) {
		status = otlp__status__unpack(NULL, http->size, http->body);
		message = status ? status->message : (ProtobufCBinaryData){0};
	}
	set_text(answer, http->status, &message);
	otlp__status__free_unpacked(status, NULL);
}

void answer_read(const struct http_answer *http, struct answer *ret)
{
	*ret = (struct answer){.verdict = retry_verdict(http->status)};
	if (!http->status)
		snprintf(ret->text, sizeof(ret->text), "%s", http->error);
	else if (ret->verdict == VERDICT_ACCEPTED)
		read_success(ret, http);
	else if (http->status >= 300 && http->status < 400)
		set_broken(ret,
			   "it answers with a redirect, which is not followed: is the URL right?");
	else if (http->status < 200 || http->status >= 600)
		set_broken(ret, "its status is none of HTTP's");
	else
		read_failure(ret, http);
}
