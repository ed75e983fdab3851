/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP log records as OTLP has them in JSON, foreign ones too. */
#pragma once

#include <stdio.h>

#include "otlp.pb-c.h"

#define OTLP_DEPTH_MAX	32	   /* values in values */
#define OTLP_NESTED_MAX (1u << 20) /* bytes of a value in a value: each level holds a copy */

/* 0; -EBADMSG: text that is not UTF-8 or a value that is none; -ELOOP, -EMSGSIZE: nested too deep
 * or too large.  Something may have been written before. */
int render_otlp_record(FILE *out, const Otlp__LogRecord *record);
/* {"key":...,"value":...},... without brackets */
int render_otlp_attributes(FILE *out, Otlp__KeyValue *const *attributes, size_t count);
int render_otlp_text(FILE *out, const ProtobufCBinaryData *text);
