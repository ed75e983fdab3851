/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collect/gunzip.h"
#include "collect/logs.h"
#include "collect/query.h"
#include "otlp.pb-c.h"

#define PROTOBUF	 "application/x-protobuf"
#define FRAMES		 "application/vnd.hinomi.frames"
#define RETRY_AFTER_S	 5
#define GRPC_INVALID	 3 /* INVALID_ARGUMENT */
#define GRPC_UNAVAILABLE 14

static void set_text(struct server_reply *reply, unsigned status, const char *text)
{
	reply->status = status;
	reply->type = "text/plain";
	reply->body = strdup(text);
	reply->size = reply->body ? strlen(text) : 0;
}

/* The type without its parameters. */
static bool is_type(const char *value, const char *type)
{
	size_t size = strcspn(value, "; \t");

	return size == strlen(type) && !strncasecmp(value, type, size);
}

static void set_answer(const struct routes *routes, struct server_reply *reply,
		       const struct accept_result *result)
{
	reply->status = answer_status(result);
	reply->type = PROTOBUF;
	reply->body = answer_pack(&routes->accept, result, &reply->size);
	if (!reply->body) {
		reply->status = 503;
		reply->size = 0;
	}
	reply->retry_after_s = reply->status == 503 ? RETRY_AFTER_S : 0;
}

static void post_frames(const struct routes *routes, const struct server_request *request,
			struct server_reply *reply)
{
	const char *range = server_header(request, "Hinomi-Missing");
	struct accept_missing missing = {0};
	struct accept_result result;

	if (!is_type(request->type, FRAMES) || *request->encoding) {
		set_text(reply, 415, "frames come as " FRAMES ", without a content encoding\n");
		return;
	}
	if (range && query_range(range, &missing.from, &missing.to)) {
		set_text(reply, 400, "Hinomi-Missing is FROM-TO\n");
		return;
	}
	accept_frames(&routes->accept, request->body, request->size, &missing, &result);
	set_answer(routes, reply, &result);
}

static void get_position(const struct routes *routes, const struct server_request *request,
			 struct server_reply *reply)
{
	const char *sensor = server_argument(request, "sensor");
	const char *lane_text = server_argument(request, "lane");
	struct accept_result result;
	uint8_t id[ID_BYTES];
	enum lane lane;

	if (!sensor || !lane_text || query_id(sensor, id) || query_lane(lane_text, &lane)) {
		set_text(reply, 400, "/v1/position?sensor=32 hex digits&lane=keep|bulk\n");
		return;
	}
	accept_position(&routes->accept, id, (int)lane, &result);
	set_answer(routes, reply, &result);
}

/* An OTLP error: the body is a Status. */
static void set_status(struct server_reply *reply, unsigned http, int32_t code, const char *text)
{
	Otlp__Status status = OTLP__STATUS__INIT;

	status.code = code;
	status.message.data = (uint8_t *)text;
	status.message.len = strlen(text);
	reply->status = http;
	reply->type = PROTOBUF;
	reply->body = malloc(otlp__status__get_packed_size(&status));
	reply->size = reply->body ? otlp__status__pack(&status, reply->body) : 0;
	reply->retry_after_s = http == 503 ? RETRY_AFTER_S : 0;
}

static void set_logs_error(struct server_reply *reply, int err)
{
	switch (err) {
	case -EBADMSG:
		set_status(reply, 400, GRPC_INVALID, "no OTLP request, or text that is not UTF-8");
		break;
	case -ELOOP:
		set_status(reply, 400, GRPC_INVALID, "values are nested deeper than 32");
		break;
	case -EFBIG:
	case -EMSGSIZE:
		set_status(reply, 413, GRPC_INVALID,
			   "more than 16 MiB, or a nested value of more than 1 MiB");
		break;
	default:
		set_status(reply, 503, GRPC_UNAVAILABLE, "the store does not take it");
	}
}

static void post_logs(const struct routes *routes, const struct server_request *request,
		      struct server_reply *reply)
{
	CLEANUP(free) uint8_t *unpacked = NULL;
	const void *body = request->body;
	size_t size = request->size;
	int err = 0;

	if (!is_type(request->type, PROTOBUF)) {
		set_text(reply, 415, "OTLP comes as " PROTOBUF "\n");
		return;
	}
	if (!strcasecmp(request->encoding, "gzip")) {
		err = gunzip(body, size, SERVER_BODY_MAX, &unpacked, &size);
		body = unpacked;
	} else if (*request->encoding) {
		set_text(reply, 415, "the only content encoding is gzip\n");
		return;
	}
	if (!err)
		err = logs_add(routes->logs, body, size);
	if (err) {
		set_logs_error(reply, err);
		return;
	}
	reply->status = 200; /* an ExportLogsServiceResponse without partial success has no bytes */
	reply->type = PROTOBUF;
}

static void get_health(const struct routes *routes, const struct server_request *request,
		       struct server_reply *reply)
{
	(void)routes, (void)request;
	set_text(reply, 200, "ok\n");
}

void route(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	static const struct {
		const char *path, *method;
		void (*handle)(const struct routes *routes, const struct server_request *request,
			       struct server_reply *reply);
	} table[] = {{"/v1/frames", "POST", post_frames},
		     {"/v1/position", "GET", get_position},
		     {"/v1/logs", "POST", post_logs},
		     {"/health", "GET", get_health}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].path, request->path))
			continue;
		if (strcmp(table[i].method, request->method))
			set_text(reply, 405, "another method is needed\n");
		else
			table[i].handle(ctx, request, reply);
		return;
	}
	set_text(reply, 404, "/v1/frames, /v1/position, /v1/logs, /health\n");
}
