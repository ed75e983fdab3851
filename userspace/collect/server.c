/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/server.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define IDLE_TIMEOUT_S	   30U
#define REQUEST_NS	   (300 * NS_PER_SEC) /* from its first byte to its last */
#define CONNECTION_MEMORY  ((size_t)32768)
#define FIRST_BYTES	   ((size_t)65536)
#define TLS_PRIORITIES	   "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define CERTIFICATE_WANTED "a client certificate of this collector's authority is needed\n"

struct server {
	struct MHD_Daemon *daemon;
	server_handler *handler;
	void *ctx;
	bool verify;   /* clients by their certificate */
	size_t bodies; /* bytes of all that are being gathered */
};

/* One request under way. */
struct gathering {
	struct server *server;
	uint8_t *body;
	size_t size, capacity;
	unsigned status; /* 0, or what it will be refused with */
	uint64_t start_ns;
};

static void drop_body(struct gathering *gathering)
{
	gathering->server->bodies -= gathering->capacity;
	free(gathering->body);
	gathering->body = NULL;
	gathering->size = gathering->capacity = 0;
}

static void refuse(struct gathering *gathering, unsigned status)
{
	gathering->status = status;
	drop_body(gathering);
}

static bool reserve(struct gathering *gathering, size_t size)
{
	struct server *server = gathering->server;
	size_t wanted = gathering->capacity ? gathering->capacity : FIRST_BYTES;
	uint8_t *larger;

	while (wanted < size)
		wanted *= 2;
	if (wanted == gathering->capacity)
		return true;
	if (server->bodies - gathering->capacity + wanted > SERVER_BODIES_MAX)
		return false;
	larger = realloc(gathering->body, wanted);
	if (!larger)
		return false;
	server->bodies += wanted - gathering->capacity;
	gathering->body = larger;
	gathering->capacity = wanted;
	return true;
}

static void take_chunk(struct gathering *gathering, const char *data, size_t size)
{
	if (gathering->status)
		return;
	if (size > SERVER_BODY_MAX - gathering->size) {
		refuse(gathering, 413);
	} else if (!reserve(gathering, gathering->size + size)) {
		refuse(gathering, 503);
	} else {
		memcpy(gathering->body + gathering->size, data, size);
		gathering->size += size;
	}
}

static enum MHD_Result send_reply(struct MHD_Connection *connection,
				  const struct server_reply *reply)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		reply->size, reply->body ? reply->body : (void *)"",
		reply->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;
	char seconds[16];

	if (!response) {
		free(reply->body);
		return MHD_NO;
	}
	if (reply->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	snprintf(seconds, sizeof(seconds), "%u", reply->retry_after_s);
	if (reply->retry_after_s)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_status(struct MHD_Connection *connection, unsigned status,
				   const char *text)
{
	struct server_reply reply = {.status = status, .type = "text/plain", .body = strdup(text)};

	reply.size = reply.body ? strlen(text) : 0;
	reply.retry_after_s = status == 503 ? 5 : 0;
	return send_reply(connection, &reply);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

const char *server_header(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *server_argument(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* TLS has asked the client for a certificate, and goes on without one. */
static bool is_known_client(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	unsigned status = ~0U;

	if (!info || !info->tls_session)
		return false;
	return !gnutls_certificate_verify_peers2(info->tls_session, &status) && !status;
}

static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection, void **ctx)
{
	const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	struct gathering *gathering;

	if (server->verify && !is_known_client(connection))
		return send_status(connection, 403, CERTIFICATE_WANTED);
	gathering = calloc(1, sizeof(*gathering));
	if (!gathering)
		return MHD_NO;
	/* it is read to its end all the same: a client that is cut off while it sends sees no
	 * answer */
	if (*length && strtoull(length, NULL, 10) > SERVER_BODY_MAX)
		gathering->status = 413;
	gathering->server = server;
	gathering->start_ns = clock_boot_ns();
	*ctx = gathering;
	return MHD_YES;
}

static enum MHD_Result finish(struct server *server, struct MHD_Connection *connection,
			      const char *method, const char *path, struct gathering *gathering)
{
	struct server_request request = {
		.method = method,
		.path = path,
		.type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
		.encoding = header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING),
		.body = gathering->body,
		.size = gathering->size,
		.connection = connection,
	};
	struct server_reply reply = {.status = 500};
	enum MHD_Result result;

	if (gathering->status)
		return send_status(connection, gathering->status,
				   gathering->status == 413 ? "more than 16 MiB\n"
							    : "too many requests at once\n");
	server->handler(server->ctx, &request, &reply);
	drop_body(gathering);
	result = send_reply(connection, &reply);
	return result;
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *data,
				 size_t *size, void **request)
{
	struct server *server = ctx;
	struct gathering *gathering = *request;

	(void)version;
	if (!gathering)
		return begin(server, connection, request);
	if (clock_boot_ns() - gathering->start_ns > REQUEST_NS)
		return MHD_NO;
	if (!*size)
		return finish(server, connection, method, path, gathering);
	take_chunk(gathering, data, *size);
	*size = 0;
	return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	(void)ctx, (void)connection, (void)code;
	if (!*request)
		return;
	drop_body(*request);
	free(*request);
	*request = NULL;
}

int server_new(const struct server_options *options, struct server **ret)
{
	CLEANUP(server_free) struct server *server = calloc(1, sizeof(*server));
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	if (!server)
		return -ENOMEM;
	server->handler = options->handler;
	server->ctx = options->ctx;
	server->verify = options->client_ca;
	if (options->client_ca)
		tls[3] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
						 (void *)options->client_ca};
	if (!options->cert)
		tls[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	errno = 0;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | (options->cert ? MHD_USE_TLS : 0), 0, NULL, NULL, on_access, server,
		MHD_OPTION_LISTEN_SOCKET, options->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
		SERVER_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!server->daemon)
		return errno ? -errno : -EINVAL;
	*ret = TAKE(server);
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server);
}

int server_poll_fd(const struct server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int server_timeout_ms(const struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES || ms > 1000)
		return 1000;
	return (int)ms;
}

void server_run(struct server *server)
{
	MHD_run(server->daemon);
}
