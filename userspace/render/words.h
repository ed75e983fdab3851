/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's numbers in words: flags, errors, signals, capabilities, addresses. */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "event.pb-c.h"

/* 4 or 16 bytes as text; false for other sizes. */
bool words_ip(const uint8_t *ip, size_t size, char ret[INET6_ADDRSTRLEN]);
/* 10.0.0.1:443, [::1]:22, a unix path, @abstract, or the family with its bytes. */
void words_address(FILE *out, const Hinomi__Address *address);
/* The same of a connection's end. */
void words_endpoint(FILE *out, const Hinomi__Endpoint *endpoint);
/* tcp, udp, unix, netlink, ... */
const char *words_protocol(const Hinomi__Socket *socket);
void words_open_flags(FILE *out, uint32_t flags);
void words_rename_flags(FILE *out, uint32_t flags);
/* EACCES and the like for a negative errno. */
void words_error(FILE *out, int32_t result);
void words_signal(FILE *out, uint32_t signal);
/* "+net_admin,sys_admin" for the bits of the set, a count when they are many. */
void words_capabilities(FILE *out, char sign, uint64_t set);
/* 12 ms, 3.4 s, 2 min 5 s */
void words_duration(FILE *out, uint64_t ns);
