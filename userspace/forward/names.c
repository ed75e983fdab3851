/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Sorted by path. */
static const struct name names[] = {
	{.path = "args", .key = "process.command_args", .shared = true},
	{.path = "args_count", .key = "process.args_count"},
	{.path = "code", .key = "process.exit.code", .always = true},
	{.path = "cwd", .key = "process.working_directory"},
	{.path = "file.changed_ns", .key = "file.changed", .form = FORM_REAL},
	{.path = "file.gid", .key = "file.group.id", .form = FORM_DECIMAL, .always = true},
	{.path = "file.inode", .key = "file.inode", .form = FORM_DECIMAL},
	{.path = "file.mode", .key = "file.mode", .form = FORM_OCTAL, .also = true},
	{.path = "file.path", .key = "file.path"},
	{.path = "file.size", .key = "file.size", .always = true},
	{.path = "file.uid", .key = "file.owner.id", .form = FORM_DECIMAL, .always = true},
	{.path = "local.ip", .key = "network.local.address", .form = FORM_IP},
	{.path = "local.path", .key = "network.local.address", .shared = true},
	{.path = "local.port", .key = "network.local.port"},
	{.path = "peer.ip", .key = "network.peer.address", .form = FORM_IP},
	{.path = "peer.path", .key = "network.peer.address", .shared = true},
	{.path = "peer.port", .key = "network.peer.port"},
	{.path = "process.args", .key = "process.command_args", .shared = true},
	{.path = "process.cgroup_path", .key = "process.linux.cgroup"},
	{.path = "process.container_id", .key = "container.id"},
	{.path = "process.credentials.euid", .key = "process.user.id", .always = true},
	{.path = "process.credentials.suid", .key = "process.saved_user.id", .always = true},
	{.path = "process.credentials.uid", .key = "process.real_user.id", .always = true},
	{.path = "process.credentials.user", .key = "process.user.name"},
	{.path = "process.executable", .key = "process.executable.path"},
	{.path = "process.key.pid", .key = "process.pid", .always = true},
	{.path = "process.key.start_ns",
	 .key = "process.creation.time",
	 .form = FORM_BOOT,
	 .also = true},
	{.path = "process.namespace_pid", .key = "process.vpid"},
	{.path = "process.parent.pid", .key = "process.parent_pid", .always = true},
	{.path = "process.pod_uid", .key = "k8s.pod.uid"},
	{.path = "tid", .key = "thread.id"},
};

static int compare(const void *path, const void *name)
{
	return strcmp(path, ((const struct name *)name)->path);
}

const struct name *name_of(const char *path)
{
	return bsearch(path, names, ARRAY_SIZE(names), sizeof(*names), compare);
}
