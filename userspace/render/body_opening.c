/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of tls_hello and metadata_request. */
#include "render/body.h"

#include "base/cleanup.h"
#include "render/words.h"

static const char *version_word(uint32_t version)
{
	static const char *const words[] = {"SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
	uint32_t minor = version - 0x300;

	return minor < ARRAY_SIZE(words) ? words[minor] : "TLS";
}

void say_tls_hello(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__TlsHello *hello = event->tls_hello;

	fprintf(body->what, "%s to ", version_word(hello->version));
	if (hello->server_name.len) {
		body_bytes(body->what, &hello->server_name);
		fputs(" at ", body->what);
	}
	if (hello->socket)
		words_address(body->what, hello->socket->peer);
	for (size_t i = 0; i < hello->n_protocols; i++) {
		fputs(i ? "," : "  offers ", body->note);
		body_bytes(body->note, &hello->protocols[i]);
	}
	if (hello->encrypted)
		body_note(body, STYLE_YELLOW, "the name is not the real one (ECH)");
	if (hello->malformed)
		body_note(body, STYLE_YELLOW, "malformed");
	else if (hello->incomplete)
		body_note(body, STYLE_DIM, "incomplete");
}

static const char *method_word(Hinomi__MetadataRequest__Method method)
{
	static const char *const words[] = {
		[HINOMI__METADATA_REQUEST__METHOD__METHOD_GET] = "GET ",
		[HINOMI__METADATA_REQUEST__METHOD__METHOD_PUT] = "PUT ",
		[HINOMI__METADATA_REQUEST__METHOD__METHOD_POST] = "POST ",
		[HINOMI__METADATA_REQUEST__METHOD__METHOD_HEAD] = "HEAD ",
	};

	return (unsigned)method < ARRAY_SIZE(words) && words[method] ? words[method] : "";
}

static const char *path_word(Hinomi__MetadataRequest__PathClass path)
{
	switch (path) {
	case HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_TOKEN:
		return "a session token";
	case HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_CREDENTIALS:
		return "credentials";
	case HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_IDENTITY:
		return "the instance's identity";
	case HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_USER_DATA:
		return "user data";
	case HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_OTHER:
		return "other data";
	default:
		return "something";
	}
}

void say_metadata_request(const struct body *body, const Hinomi__Event *event)
{
	const Hinomi__MetadataRequest *request = event->metadata_request;

	fprintf(body->what, "%s%s of the cloud's metadata at ", method_word(request->method),
		path_word(request->path));
	if (request->socket)
		words_address(body->what, request->socket->peer);
	if (request->path == HINOMI__METADATA_REQUEST__PATH_CLASS__PATH_CREDENTIALS)
		body_note(body, STYLE_ALARM, "cloud credentials");
	if (request->version == HINOMI__METADATA_REQUEST__VERSION__VERSION_1)
		body_note(body, STYLE_YELLOW, "version 1");
	if (request->forwarded)
		body_note(body, STYLE_ALARM, "forwarded");
	if (request->incomplete)
		body_note(body, STYLE_DIM, "incomplete");
}
