// SPDX-License-Identifier: Apache-2.0
/* Every key with its kind, limits and default: the only place that has them. */
#include "config/reader.h"

#define KIB		     1024ULL
#define MIB		     (1024 * KIB)
#define GIB		     (1024 * MIB)

#define MEMBER(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define NUMBER(type, name, kind, member, low, high, preset)               \
	{                                                                 \
		name, kind, MEMBER(type, member), low, high, preset, NULL \
	}
#define TEXT(type, name, kind, member, preset)                    \
	{                                                         \
		name, kind, MEMBER(type, member), 0, 0, 0, preset \
	}

static const struct key sensor_keys[] = {
	TEXT(struct config, "spool", VALUE_PATH, spool, "/var/lib/hinomi/spool"),
	NUMBER(struct config, "spool_limit", VALUE_SIZE, spool_limit_bytes, 16 * MIB, 1024 * GIB,
	       GIB),
	NUMBER(struct config, "spool_age", VALUE_DURATION, spool_age_ms, 0, 10ULL * 365 * 86400000,
	       30ULL * 86400000),
	NUMBER(struct config, "ring_keep", VALUE_RING, ring_keep_bytes, 256 * KIB, GIB, 4 * MIB),
	NUMBER(struct config, "ring_bulk", VALUE_RING, ring_bulk_bytes, 256 * KIB, GIB, 16 * MIB),
	NUMBER(struct config, "summaries", VALUE_COUNT, summaries, 256, 1048576, 8192),
	TEXT(struct config, "cgroup", VALUE_PATH, cgroup, NULL),
	TEXT(struct config, "classes_off", VALUE_CLASSES, classes_off, NULL),
	TEXT(struct config, "classes_on", VALUE_CLASSES, classes_on, NULL),
	TEXT(struct config, "watch", VALUE_WATCH, watch, NULL),
	NUMBER(struct config, "hash_file_max", VALUE_SIZE, hash_file_max_bytes, 0, 64 * GIB,
	       64 * MIB),
	NUMBER(struct config, "heartbeat", VALUE_DURATION, heartbeat_ms, 100, 5000, 5000),
	NUMBER(struct config, "canary", VALUE_DURATION, canary_ms, 1000, 40000, 30000),
	NUMBER(struct config, "coverage", VALUE_DURATION, coverage_ms, 1000, 86400000, 3600000),
	TEXT(struct config, "receipts", VALUE_PATH, receipts, "/var/lib/hinomi-forward"),
	TEXT(struct config, "reader_group", VALUE_GROUP, reader_group, "hinomi-forward"),
};

static const struct key filter_keys[] = {
	TEXT(struct config, "rule", VALUE_RULE, rules, NULL),
};

static const struct key sink_keys[] = {
	TEXT(struct config_sink, "type", VALUE_SINK_TYPE, type, NULL),
	TEXT(struct config_sink, "url", VALUE_URL, url, NULL),
	TEXT(struct config_sink, "ca_file", VALUE_CREDENTIAL, ca_file, NULL),
	TEXT(struct config_sink, "cert_file", VALUE_CREDENTIAL, cert_file, NULL),
	TEXT(struct config_sink, "key_file", VALUE_CREDENTIAL, key_file, NULL),
	TEXT(struct config_sink, "receipt_key", VALUE_PUBLIC_KEY, receipt_key, NULL),
	TEXT(struct config_sink, "header", VALUE_HEADER, headers, NULL),
	NUMBER(struct config_sink, "batch_events", VALUE_COUNT, batch_events, 1, 10000, 512),
	NUMBER(struct config_sink, "batch_size", VALUE_SIZE, batch_bytes, 64 * KIB, 64 * MIB, MIB),
	NUMBER(struct config_sink, "timeout", VALUE_DURATION, timeout_ms, 100, 600000, 30000),
	NUMBER(struct config_sink, "gzip", VALUE_SWITCH, gzip, 0, 1, 1),
	NUMBER(struct config_sink, "event_name_attribute", VALUE_SWITCH, event_name_attribute, 0, 1,
	       1),
};

_Static_assert(ARRAY_SIZE(sensor_keys) <= CONFIG_KEYS_MAX, "");
_Static_assert(ARRAY_SIZE(sink_keys) <= CONFIG_KEYS_MAX, "");

const struct section section_sensor = {"sensor", sensor_keys, ARRAY_SIZE(sensor_keys)};
const struct section section_filter = {"filter", filter_keys, ARRAY_SIZE(filter_keys)};
const struct section section_sink = {"sink", sink_keys, ARRAY_SIZE(sink_keys)};
