/* SPDX-License-Identifier: Apache-2.0 */
/* Which request is for whom: paths, methods and types of the collector. */
#pragma once

#include "collect/accept.h"
#include "collect/server.h"

struct logs;

struct routes {
	struct accept_options accept;
	struct logs *logs;
};

/* server_handler; ctx: struct routes */
void route(void *ctx, const struct server_request *request, struct server_reply *reply);
