// SPDX-License-Identifier: Apache-2.0
// An HTTP server on loopback that misbehaves by script, for the tests of the forwarder.
// It reads each request to its end, notes it in a log, then answers with the script's next step.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_LIMIT (64UL << 20)
#define STEP_LIMIT    256
#define MESSAGE_LIMIT 100 /* keeps the lengths in put_status() and put_partial() to one byte */
#define BYTES(text)   .body = (text), .body_len = sizeof(text) - 1

static const char usage[] =
	"usage: faultd [--port N] [--log FILE] [--save DIR] [--max-body N] [--message TEXT]\n"
	"              SCRIPT\n"
	"Prints its port. SCRIPT is \"200,503*3,429:Retry-After=1,200*\": each request takes a\n"
	"step, the end goes back to the start, STEP*N is for N requests, STEP* for all others.\n"
	"Headers come behind \":\", \";\" between; date+N (date-N) is the date in N s (ago).\n"
	"  NNN         that status; from 400 on with a google.rpc.Status that says TEXT\n"
	"  partial=N   200, N records rejected (0: a warning), saying TEXT\n"
	"  empty200    200 without Content-Type      hugebody=N  200 with N bytes (64 MiB)\n"
	"  junkbody    200, body is no protobuf      short       200, less than Content-Length\n"
	"  slow=N      200, one byte each N ms (50)  junk        bytes that are not HTTP\n"
	"  hang        silent until the client goes  close       no answer, FIN\n"
	"  reset       no answer, RST\n"
	"--max-body answers 413 to a longer body, as sent, and uses up no step.\n";

enum after { KEEP, CLOSE, RESET, HANG };

struct reply {
	const char *name;
	int status;	 /* 0: the body alone is sent, as it is */
	bool is_untyped; /* without Content-Type */
	const char *body;
	size_t body_len;
	size_t missing; /* what Content-Length says beyond that */
	void (*put_body)(FILE *out, const struct reply *reply); /* instead of body */
	unsigned long value;					/* behind "=", or the default */
	int pause_ms; /* before each byte; value overrides it */
	enum after after;
};

struct step {
	struct reply reply;
	const char *text; /* as written, for the log */
	const char *headers;
	unsigned long times; /* 0: forever */
};

struct connection {
	int fd;
	unsigned long number;
	size_t head_len; /* of the current request, with the empty line */
	size_t body_len;
	char buf[REQUEST_LIMIT + 1]; /* untouched pages cost nothing */
};

/* Set by main before the first thread, then only read. */
static struct step steps[STEP_LIMIT];
static size_t step_count;
static FILE *log_file;
static const char *save_dir;
static const char *message = "scripted";
static size_t max_body = SIZE_MAX;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* log_file; the counters in take_step() */

static void put_varint(FILE *out, uint64_t value)
{
	for (; value > 127; value >>= 7)
		fputc((int)(value & 127) | 128, out);
	fputc((int)value, out);
}

/* google.rpc.Status: 1 is the code, always UNKNOWN since clients go by the HTTP status. */
static void put_status(FILE *out, const struct reply *reply)
{
	if (reply->status >= 400)
		fprintf(out, "\x08\x02\x12%c%s", (int)strlen(message), message);
}

/* ExportLogsServiceResponse { 1: partial_success { 1: rejected, 2: message } } */
static void put_partial(FILE *out, const struct reply *reply)
{
	size_t rejected_len = 1;

	for (uint64_t rest = reply->value >> 7; rest; rest >>= 7)
		rejected_len++;
	fprintf(out, "\x0a%c\x08", (int)(1 + rejected_len + 2 + strlen(message)));
	put_varint(out, reply->value);
	fprintf(out, "\x12%c%s", (int)strlen(message), message);
}

static void put_huge(FILE *out, const struct reply *reply)
{
	for (unsigned long i = 0; i < reply->value; i++)
		putc_unlocked('A', out);
}

static const struct reply replies[] = {
	{.name = "partial", .status = 200, .put_body = put_partial},
	{.name = "empty200", .status = 200, .is_untyped = true},
	{.name = "hugebody", .status = 200, .put_body = put_huge, .value = 64UL << 20},
	{.name = "junkbody",
	 .status = 200,
	 BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f<html>")},
	{.name = "short", .status = 200, BYTES("\x0a\x04"), .missing = 4, .after = CLOSE},
	{.name = "slow", .status = 200, .pause_ms = 50},
	{.name = "junk",
	 BYTES("\x16\x03\x01\x02\x00\x01\xff\xfeSSH-2.0\r\n\r\n\0\x80"),
	 .after = CLOSE},
	{.name = "hang", .after = HANG},
	{.name = "close", .after = CLOSE},
	{.name = "reset", .after = RESET},
};

/* "A=b;C=d" becomes header lines. */
static void put_headers(FILE *out, const char *headers)
{
	char copy[1024], *rest = copy, *item;

	snprintf(copy, sizeof(copy), "%s", headers);
	while ((item = strsep(&rest, ";"))) {
		char *value = strchr(item, '='), date[64];

		if (!value)
			continue;
		*value++ = '\0';
		if (!strncmp(value, "date", 4) && (value[4] == '+' || value[4] == '-')) {
			time_t when = time(NULL) + strtol(value + 4, NULL, 10);
			struct tm tm;

			strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", gmtime_r(&when, &tm));
			value = date;
		}
		fprintf(out, "%s: %s\r\n", item, value);
	}
}

/* Head and body in one buffer, freed by the caller. */
static char *render(const struct step *step, size_t *len)
{
	const struct reply *reply = &step->reply;
	char *body = NULL, *text = NULL;
	size_t body_len;
	FILE *out = open_memstream(&body, &body_len);

	if (reply->put_body)
		reply->put_body(out, reply);
	else
		fwrite(reply->body ?: "", 1, reply->body_len, out);
	fclose(out);
	out = open_memstream(&text, len);
	if (reply->status) {
		fprintf(out, "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s", reply->status,
			body_len + reply->missing,
			reply->is_untyped ? "" : "Content-Type: application/x-protobuf\r\n");
		put_headers(out, step->headers);
		fputs("\r\n", out);
	}
	fwrite(body, 1, body_len, out);
	fclose(out);
	free(body);
	return text;
}

/* With a pause, byte by byte, and stops early when the client has gone. */
static int send_all(int fd, const char *data, size_t len, int pause_ms)
{
	struct pollfd gone = {.fd = fd, .events = POLLRDHUP};

	while (len) {
		ssize_t n;

		if (pause_ms && poll(&gone, 1, pause_ms))
			return -EPIPE;
		n = send(fd, data, pause_ms ? 1 : len, MSG_NOSIGNAL);
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Below 0: the connection is over. */
static int answer(int fd, const struct step *step)
{
	const struct reply *reply = &step->reply;
	struct linger at_once = {.l_onoff = 1};
	char sink[4096];
	size_t len;
	char *text = render(step, &len);
	int err = send_all(fd, text, len,
			   reply->pause_ms && reply->value ? (int)reply->value : reply->pause_ms);

	free(text);
	if (reply->after == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	while (reply->after == HANG && read(fd, sink, sizeof(sink)) > 0)
		;
	return reply->after == KEEP ? err : -EPIPE;
}

/* What follows "Name: " in the current request, "" if there is none. */
static const char *header(const struct connection *conn, const char *name)
{
	const char *at = strcasestr(conn->buf, name);

	return at && at < conn->buf + conn->head_len ? at + strlen(name) : "";
}

/* False at the end of the connection. Clients that pipeline are not served. */
static bool read_request(struct connection *conn)
{
	size_t used = 0, want = SIZE_MAX;

	conn->head_len = 0;
	while (used < want) {
		ssize_t n = read(conn->fd, conn->buf + used, REQUEST_LIMIT - used);
		char *end;

		if (n <= 0)
			return false;
		used += (size_t)n;
		conn->buf[used] = '\0';
		end = conn->head_len ? NULL : strstr(conn->buf, "\r\n\r\n");
		if (!end)
			continue;
		conn->head_len = (size_t)(end - conn->buf) + 4;
		conn->body_len = strtoul(header(conn, "\r\nContent-Length: "), NULL, 10);
		want = conn->head_len + conn->body_len;
		if (*header(conn, "\r\nTransfer-Encoding: ") || want > REQUEST_LIMIT)
			return false;
		if (*header(conn, "\r\nExpect: 100-"))
			send_all(conn->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0);
	}
	return true;
}

static void put_json(FILE *out, const char *text, size_t len)
{
	fputc('"', out);
	for (; len; text++, len--)
		if (*text < ' ' || *text > '~' || strchr("\"\\", *text))
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, out);
	fputc('"', out);
}

static void save_body(const struct connection *conn, unsigned long request)
{
	const char *body = conn->buf + conn->head_len;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%06lu", save_dir, request);
	file = fopen(path, "w");
	if (!file || fwrite(body, 1, conn->body_len, file) != conn->body_len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void put_log(const struct connection *conn, unsigned long request, const char *step)
{
	size_t line_len = strcspn(conn->buf, "\r"), method_len = strcspn(conn->buf, " \r");
	const char *path = conn->buf + method_len + (conn->buf[method_len] == ' ');
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(log_file, "{\"request\":%lu,\"connection\":%lu,\"ms\":%lld,\"method\":", request,
		conn->number, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	put_json(log_file, conn->buf, method_len);
	fputs(",\"path\":", log_file);
	put_json(log_file, path, strcspn(path, " \r"));
	fputs(",\"headers\":", log_file);
	put_json(log_file, conn->buf + line_len + 2, conn->head_len - line_len - 4);
	fprintf(log_file, ",\"length\":%zu,\"step\":", conn->body_len);
	put_json(log_file, step, strlen(step));
	fputs("}\n", log_file);
	fflush(log_file);
}

/* Numbers and notes the request; all of that is on file before the client sees an answer. */
static const struct step *take_step(const struct connection *conn)
{
	static const struct step too_long = {
		.reply = {.name = "413", .status = 413, .put_body = put_status},
		.text = "--max-body",
		.headers = "",
	};
	static unsigned long requests, current, taken;
	const struct step *step = &too_long;

	pthread_mutex_lock(&lock);
	requests++;
	if (conn->body_len <= max_body) {
		step = &steps[current];
		if (step->times && ++taken == step->times) {
			current = (current + 1) % step_count;
			taken = 0;
		}
	}
	if (save_dir)
		save_body(conn, requests);
	if (log_file)
		put_log(conn, requests, step->text);
	pthread_mutex_unlock(&lock);
	return step;
}

static void *serve(void *arg)
{
	struct connection *conn = arg;

	while (read_request(conn) && !answer(conn->fd, take_step(conn)))
		;
	close(conn->fd);
	free(conn);
	return NULL;
}

/* False if there is no such step. text is cut up and kept. */
static bool parse_step(char *text, struct step *step)
{
	char *times = strrchr(text, '*'), *headers, *value;

	*step = (struct step){.text = strdup(text), .headers = "", .times = 1};
	if (times && strspn(times + 1, "0123456789") == strlen(times + 1)) {
		*times++ = '\0';
		step->times = strtoul(times, NULL, 10);
	}
	headers = strchr(text, ':');
	if (headers) {
		*headers++ = '\0';
		step->headers = headers;
	}
	value = strchr(text, '=');
	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (!strcmp(text, replies[i].name))
			step->reply = replies[i];
	if (!step->reply.name && strlen(text) == 3 && strspn(text, "0123456789") == 3)
		step->reply =
			(struct reply){.name = text, .status = atoi(text), .put_body = put_status};
	if (value)
		step->reply.value = strtoul(value, NULL, 10);
	return step->reply.name;
}

static int listen_on_loopback(unsigned short port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len)) {
		perror("faultd: listen");
		exit(1);
	}
	printf("%u\n", ntohs(addr.sin_port));
	fclose(stdout); /* so that $(...) and a pipe's reader see the end */
	return fd;
}

static FILE *open_log(const char *path)
{
	FILE *file = fopen(path, "ae");

	if (!file) {
		perror(path);
		exit(1);
	}
	return file;
}

/* Returns the port to listen on. */
static unsigned short parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", 1, NULL, 'p'},	    {"log", 1, NULL, 'l'},     {"save", 1, NULL, 's'},
		{"max-body", 1, NULL, 'b'}, {"message", 1, NULL, 'm'}, {"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	unsigned short port = 0;
	char *rest, *text;
	bool ok = true;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		ok = ok && c != '?';
		if (c == 'p')
			port = (unsigned short)atoi(optarg);
		else if (c == 'l')
			log_file = open_log(optarg);
		else if (c == 's')
			save_dir = optarg;
		else if (c == 'b')
			max_body = strtoul(optarg, NULL, 10);
		else if (c == 'm')
			message = optarg;
		else if (c == 'h')
			exit(fputs(usage, stdout) < 0);
	}
	ok = ok && optind + 1 == argc && strlen(message) <= MESSAGE_LIMIT;
	for (rest = ok ? argv[optind] : NULL; ok && (text = strsep(&rest, ","));)
		ok = step_count < STEP_LIMIT && parse_step(text, &steps[step_count++]);
	if (!ok) {
		fputs(usage, stderr);
		exit(2);
	}
	return port;
}

int main(int argc, char **argv)
{
	int fd = listen_on_loopback(parse_arguments(argc, argv));
	unsigned long connections = 0;

	for (;;) {
		struct connection *conn = malloc(sizeof(*conn));
		pthread_t thread;

		if (!conn)
			abort();
		conn->number = ++connections;
		conn->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (conn->fd < 0 || pthread_create(&thread, NULL, serve, conn)) {
			perror("faultd: accept");
			free(conn);
			return 1;
		}
		pthread_detach(thread);
	}
}
