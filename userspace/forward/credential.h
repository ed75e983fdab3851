/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold a sink's secrets, read anew for each request so that a changed one counts at
 * once. */
#pragma once

#include <stddef.h>

/* A relative name is one in $CREDENTIALS_DIRECTORY; ret is the caller's. */
int credential_path(const char *name, char **ret);
/* "Name: value" as it is, "Name: @FILE" with the file's one line; ret is the caller's and should be
 * wiped.  -errno; -EINVAL: the file is no single line of text. */
int credential_header(const char *header, char **ret);
