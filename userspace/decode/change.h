/* SPDX-License-Identifier: Apache-2.0 */
/* What asks to change the network, its filters or the audit, out of bytes that any process may have
 * sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.pb-c.h"

struct source;

#define CHANGES_MAX 16

/* A new change of `to`; NULL, with `truncated` set, when there are enough. */
Hinomi__Change *change_add(struct source *source, Hinomi__NetChange *to);

/* Netlink messages to `protocol` (NETLINK_*); cut: there were more bytes than these. */
void netlink_parse(struct source *source, uint32_t protocol, const uint8_t *bytes, size_t size,
		   bool cut, Hinomi__NetChange *to);
/* The value of a socket option. */
void option_parse(struct source *source, uint32_t level, uint32_t option, const uint8_t *bytes,
		  size_t size, Hinomi__NetChange *to);
/* What the argument of an ioctl points to; compat: as a 32-bit program has it. */
void ioctl_parse(struct source *source, uint32_t command, const uint8_t *bytes, size_t size,
		 bool compat, Hinomi__NetChange *to);

/* netlink_audit.c: what an audit message (AUDIT_SET, AUDIT_ADD_RULE, ...) says, behind its head. */
void audit_message(uint32_t type, const uint8_t *bytes, size_t size, Hinomi__Change *change);
