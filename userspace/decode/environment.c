/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment variables of an exec: those of the list below, which make programs
 * load or run something, keep or lose the history of a shell, or tell where a
 * session comes from.  All others stay in the ring, where secrets may be among them.
 */
#include "decode/environment.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "decode/source.h"

#define VARIABLES_MAX 64

/* A name that ends in "*" stands for all that begin so. */
static const char *const told[] = {
	/* the loader and the C library */
	"LD_*",
	"GLIBC_TUNABLES",
	"GCONV_PATH",
	"LOCPATH",
	"MALLOC_*",
	"RESOLV_HOST_CONF",
	"RES_OPTIONS",
	"HOSTALIASES",
	/* shells */
	"BASH_ENV",
	"BASH_FUNC_*",
	"BASH_LOADABLES_PATH",
	"ENV",
	"SHELLOPTS",
	"BASHOPTS",
	"PS4",
	"PROMPT_COMMAND",
	"HISTFILE",
	"HISTSIZE",
	"HISTFILESIZE",
	"HISTCONTROL",
	"HISTIGNORE",
	/* interpreters */
	"PYTHONSTARTUP",
	"PYTHONPATH",
	"PYTHONHOME",
	"PYTHONINSPECT",
	"PERL5OPT",
	"PERL5LIB",
	"PERL5DB",
	"PERLLIB",
	"RUBYOPT",
	"RUBYLIB",
	"NODE_OPTIONS",
	"NODE_PATH",
	"JAVA_TOOL_OPTIONS",
	"_JAVA_OPTIONS",
	"JDK_JAVA_OPTIONS",
	"LUA_INIT*",
	"PHPRC",
	"PHP_INI_SCAN_DIR",
	/* programs that run others */
	"GIT_SSH_COMMAND",
	"GIT_EXTERNAL_DIFF",
	"GIT_EXEC_PATH",
	"LESSOPEN",
	"LESSCLOSE",
	"TCLLIBPATH",
	"OPENSSL_CONF",
	"OPENSSL_ENGINES",
	/* the session */
	"SSH_CONNECTION",
	"SSH_CLIENT",
	"SSH_TTY",
	"SSH_ORIGINAL_COMMAND",
	"SSH_AUTH_SOCK",
	"SUDO_USER",
	"SUDO_UID",
	"SUDO_COMMAND",
};

static bool is_told(const ProtobufCBinaryData *variable)
{
	const uint8_t *equals = variable->len ? memchr(variable->data, '=', variable->len) : NULL;
	size_t name = equals ? (size_t)(equals - variable->data) : 0;

	for (size_t i = 0; name && i < ARRAY_SIZE(told); i++) {
		size_t len = strlen(told[i]);
		bool prefix = told[i][len - 1] == '*';

		len -= prefix;
		if ((prefix ? name >= len : name == len) && !memcmp(variable->data, told[i], len))
			return true;
	}
	return false;
}

static void take(struct source *source, ProtobufCBinaryData area, Hinomi__Exec *body)
{
	while (area.len && body->n_environment < VARIABLES_MAX) {
		const uint8_t *nul = memchr(area.data, 0, area.len);
		ProtobufCBinaryData one = {.data = area.data};

		one.len = nul ? (size_t)(nul - area.data) : area.len;
		area.len -= one.len + !!nul;
		area.data += one.len + !!nul;
		if (!is_told(&one))
			continue;
		if (!body->environment)
			body->environment =
				source_alloc(source, VARIABLES_MAX * sizeof(*body->environment));
		if (!body->environment)
			return;
		body->environment[body->n_environment++] = one;
	}
	if (area.len)
		body->environment_truncated = true;
}

void environment_fill(struct source *source, const struct exec_record *rec, Hinomi__Exec *body)
{
	ProtobufCBinaryData head = source_bytes(source, &rec->environment);
	ProtobufCBinaryData tail = source_bytes(source, &rec->environment_tail);
	uint64_t looked_at = (uint64_t)head.len + tail.len;
	bool whole = looked_at == rec->environment.total;
	const uint8_t *nul;

	body->environment_total_bytes = rec->environment.total;
	body->environment_truncated = looked_at < rec->environment.total;
	if (whole && tail.len && head.data + head.len == tail.data) { /* the two pieces touch */
		head.len += tail.len;
		tail.len = 0;
	}
	take(source, head, body);
	/* it begins inside of a variable, whose value may look like anything */
	nul = tail.len ? memchr(tail.data, 0, tail.len) : NULL;
	if (!nul)
		return;
	tail.len -= (size_t)(nul + 1 - tail.data);
	tail.data = (uint8_t *)nul + 1;
	take(source, tail, body);
}
