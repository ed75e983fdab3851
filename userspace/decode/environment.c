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

#define ALL(name)                            \
	{                                    \
		name, sizeof(name) - 1, true \
	} /* that begin so */
#define ONE(name)                             \
	{                                     \
		name, sizeof(name) - 1, false \
	}

static const struct {
	const char *name;
	uint8_t size;
	bool is_prefix;
} told[] = {
	/* the loader and the C library */
	ALL("LD_"),
	ONE("GLIBC_TUNABLES"),
	ONE("GCONV_PATH"),
	ONE("LOCPATH"),
	ALL("MALLOC_"),
	ONE("RESOLV_HOST_CONF"),
	ONE("RES_OPTIONS"),
	ONE("HOSTALIASES"),
	/* shells */
	ONE("BASH_ENV"),
	ALL("BASH_FUNC_"),
	ONE("BASH_LOADABLES_PATH"),
	ONE("ENV"),
	ONE("SHELLOPTS"),
	ONE("BASHOPTS"),
	ONE("PS4"),
	ONE("PROMPT_COMMAND"),
	ONE("HISTFILE"),
	ONE("HISTSIZE"),
	ONE("HISTFILESIZE"),
	ONE("HISTCONTROL"),
	ONE("HISTIGNORE"),
	/* interpreters */
	ONE("PYTHONSTARTUP"),
	ONE("PYTHONPATH"),
	ONE("PYTHONHOME"),
	ONE("PYTHONINSPECT"),
	ONE("PERL5OPT"),
	ONE("PERL5LIB"),
	ONE("PERL5DB"),
	ONE("PERLLIB"),
	ONE("RUBYOPT"),
	ONE("RUBYLIB"),
	ONE("NODE_OPTIONS"),
	ONE("NODE_PATH"),
	ONE("JAVA_TOOL_OPTIONS"),
	ONE("_JAVA_OPTIONS"),
	ONE("JDK_JAVA_OPTIONS"),
	ALL("LUA_INIT"),
	ONE("PHPRC"),
	ONE("PHP_INI_SCAN_DIR"),
	/* programs that run others */
	ONE("GIT_SSH_COMMAND"),
	ONE("GIT_EXTERNAL_DIFF"),
	ONE("GIT_EXEC_PATH"),
	ONE("LESSOPEN"),
	ONE("LESSCLOSE"),
	ONE("TCLLIBPATH"),
	ONE("OPENSSL_CONF"),
	ONE("OPENSSL_ENGINES"),
	/* the session */
	ONE("SSH_CONNECTION"),
	ONE("SSH_CLIENT"),
	ONE("SSH_TTY"),
	ONE("SSH_ORIGINAL_COMMAND"),
	ONE("SSH_AUTH_SOCK"),
	ONE("SUDO_USER"),
	ONE("SUDO_UID"),
	ONE("SUDO_COMMAND"),
};

#define BEGINNING 3 /* bytes; no name is shorter */

/* The names of the list by how they begin, since most variables begin otherwise. */
struct beginnings {
	uint8_t first[256], next[ARRAY_SIZE(told)]; /* 1 + index; 0: no more */
};

static uint8_t beginning_of(const void *name)
{
	const uint8_t *p = name;

	return (uint8_t)((p[0] * 33u + p[1]) * 33u + p[2]);
}

static void beginnings_fill(struct beginnings *by)
{
	memset(by->first, 0, sizeof(by->first));
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		uint8_t *first = &by->first[beginning_of(told[i].name)];

		by->next[i] = *first;
		*first = (uint8_t)(i + 1);
	}
}

static bool is_told(const struct beginnings *by, const ProtobufCBinaryData *variable)
{
	size_t i = variable->len > BEGINNING ? by->first[beginning_of(variable->data)] : 0, name;
	const uint8_t *equals = i ? memchr(variable->data, '=', variable->len) : NULL;

	if (!equals)
		return false;
	name = (size_t)(equals - variable->data);
	for (; i; i = by->next[i - 1]) {
		size_t size = told[i - 1].size;

		if ((told[i - 1].is_prefix ? name >= size : name == size) &&
		    !memcmp(variable->data, told[i - 1].name, size))
			return true;
	}
	return false;
}

static void take(struct source *source, ProtobufCBinaryData area, Hinomi__Exec *body)
{
	struct beginnings by;

	if (!area.len)
		return;
	beginnings_fill(&by);
	while (area.len && body->n_environment < VARIABLES_MAX) {
		const uint8_t *nul = memchr(area.data, 0, area.len);
		ProtobufCBinaryData one = {.data = area.data};

		one.len = nul ? (size_t)(nul - area.data) : area.len;
		area.len -= one.len + !!nul;
		area.data += one.len + !!nul;
		if (!is_told(&by, &one))
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
