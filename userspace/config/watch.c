// SPDX-License-Identifier: Apache-2.0
/* The watch list: files whose reading is told. */
#include <string.h>

#include "config/reader.h"

/* Secrets, what gives rights, what tells of the past, and memory and disks beside the file systems.
 */
static const char *const preset[] = {
	"/etc/shadow",
	"/etc/shadow-",
	"/etc/gshadow",
	"/etc/gshadow-",
	"/etc/security/opasswd",
	"/etc/sudoers",
	"/etc/sudoers.d",
	"/etc/ssh/ssh_host_*_key",
	"/etc/krb5.keytab",
	"/etc/ssl/private",
	"/etc/kubernetes",
	"/root/.ssh",
	"/root/.aws",
	"/root/.config/gcloud",
	"/root/.azure",
	"/root/.kube",
	"/root/.docker",
	"/root/.git-credentials",
	"/root/.netrc",
	"/root/.gnupg",
	"/root/.bash_history",
	"/root/.zsh_history",
	"/home/*/.ssh",
	"/home/*/.aws",
	"/home/*/.config/gcloud",
	"/home/*/.azure",
	"/home/*/.kube",
	"/home/*/.docker",
	"/home/*/.git-credentials",
	"/home/*/.netrc",
	"/home/*/.gnupg",
	"/home/*/.bash_history",
	"/home/*/.zsh_history",
	"/var/lib/hinomi",
	"/var/log/audit",
	"/var/log/journal",
	"/var/spool/cron",
	"/run/docker.sock",
	"/run/containerd/containerd.sock",
	"/run/secrets",
	"/dev/mem",
	"/dev/kmem",
	"/dev/port",
	"/dev/sd*",
	"/dev/vd*",
	"/dev/xvd*",
	"/dev/nvme*",
	"/dev/dm-*",
	"/dev/md*",
};

int watch_preset(struct config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(preset); i++) {
		int r = list_append(&config->watch, &config->nwatch, preset[i]);

		if (r)
			return r;
	}
	return 0;
}

static bool is_there(const struct config *config, const char *line)
{
	for (size_t i = 0; i < config->nwatch; i++)
		if (!strcmp(config->watch[i], line))
			return true;
	return false;
}

int watch_add(struct reader *reader, const char *value)
{
	struct config *config = reader->config;
	char line[CONFIG_LINE_MAX + 1];
	size_t len = strlen(value);

	if (!len) {
		list_free(&config->watch, &config->nwatch);
		return 0;
	}
	if (*value != '/')
		return reader_fail(reader,
				   "watch = %.60s is no absolute path; write it from / on, "
				   "without quotes",
				   value);
	memcpy(line, value, len + 1);
	while (len && line[len - 1] == '/')
		line[--len] = 0;
	if (!len)
		return reader_fail(reader, "watch = / would watch every file there is");
	if (strstr(line, "//") || strstr(line, "/../") || strstr(line, "/./"))
		return reader_fail(reader, "watch = %.60s is not in its shortest form", value);
	if (is_there(config, line))
		return 0;
	if (config->nwatch == CONFIG_WATCH_MAX)
		return reader_fail(reader, "more than %d lines of watch", CONFIG_WATCH_MAX);
	return list_append(&config->watch, &config->nwatch, line);
}
