/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks: the sensor, its host, and the operator's labels. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "forward/attribute.h"
#include "forward/names.h"
#include "forward/ocsf.h"
#include "forward/record.h"
#include "frame/frame.h"
#include "otlp.pb-c.h"

#define VALUE_MAX    4096
#define RESOURCE_MAX (384u << 10) /* as many labels as a configuration may have */

/* Names of OpenTelemetry for what uname(2) calls a machine. */
static const char *arch_of(const char *machine)
{
	static const char *const names[][2] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(machine, names[i][0]))
			return names[i][1];
	return machine;
}

static void put_default(struct attributes *out, const char *key, const char *value)
{
	if (value && *value && !attribute_has(out, key))
		attribute_string(out, key, value);
}

/* 16 bytes as a UUID. */
static void put_uuid(struct attributes *out, const char *key, const ProtobufCBinaryData *id)
{
	char text[37], *p = text;

	if (id->len != 16)
		return;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = "0123456789abcdef"[id->data[i] >> 4];
		*p++ = "0123456789abcdef"[id->data[i] & 15];
	}
	*p = '\0';
	put_default(out, key, text);
}

static void put_host(struct attributes *out)
{
	CLEANUP(close_fd) int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	char id[33] = "";
	struct utsname names;
	ssize_t size = fd < 0 ? 0 : read(fd, id, 32);

	if (size == 32 && strspn(id, "0123456789abcdef") == 32)
		put_default(out, "host.id", id);
	put_default(out, "os.type", "linux");
	if (uname(&names))
		return;
	put_default(out, "host.name", names.nodename);
	put_default(out, "host.arch", arch_of(names.machine));
	put_default(out, "os.version", names.release);
}

/* field numbers of Resource and ResourceLogs */
enum { ATTRIBUTES = 1 };
enum { RESOURCE = 1, SCHEMA_URL = 3 };

struct workplace {
	uint8_t scratch[2 * ATTRIBUTE_VALUE_MAX];
	uint8_t resource[RESOURCE_MAX], logs[RESOURCE_MAX];
};

static void put_all(struct attributes *out, const struct frame *frame,
		    const struct config_label *labels, size_t nlabels)
{
	for (size_t i = 0; i < nlabels; i++)
		put_default(out, labels[i].key, labels[i].value);
	put_default(out, "service.name", "hinomi");
	put_default(out, "service.version", HINOMI_VERSION);
	put_uuid(out, "service.instance.id", &frame->header->sensor_id);
	put_uuid(out, "hinomi.boot_id", &frame->header->boot_id);
	put_uuid(out, "hinomi.rings_id", &frame->header->rings_id);
	put_host(out);
}

int resource_pack(const struct frame *frame, const struct config_label *labels, size_t nlabels,
		  uint8_t **ret, size_t *size)
{
	CLEANUP(free) struct workplace *place = malloc(sizeof(*place));
	struct wire resource = {.capacity = RESOURCE_MAX}, logs = {.capacity = RESOURCE_MAX};
	struct attributes out;

	if (!place)
		return -ENOMEM;
	resource.data = place->resource;
	logs.data = place->logs;
	attributes_init(&out, &resource, ATTRIBUTES, VALUE_MAX, place->scratch);
	put_all(&out, frame, labels, nlabels);
	wire_bytes(&logs, RESOURCE, resource.data, resource.size);
	wire_bytes(&logs, SCHEMA_URL, NAMES_SCHEMA_URL, strlen(NAMES_SCHEMA_URL));
	*ret = malloc(logs.size + 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, logs.data, logs.size);
	*size = logs.size;
	return 0;
}

static ProtobufCBinaryData literal(const char *text)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)text, .len = strlen(text)};
}

int scope_pack(uint8_t **ret, size_t *size)
{
	Otlp__ScopeLogs logs = OTLP__SCOPE_LOGS__INIT;
	Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
	Otlp__KeyValue version = OTLP__KEY_VALUE__INIT, *attributes[] = {&version};
	Otlp__AnyValue value;

	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = literal(OCSF_VERSION);
	version.key = literal("ocsf.version");
	version.value = &value;
	scope.name = literal("hinomi");
	scope.version = literal(HINOMI_VERSION);
	scope.attributes = attributes;
	scope.n_attributes = 1;
	logs.scope = &scope;
	logs.schema_url = literal(NAMES_SCHEMA_URL);
	*ret = malloc(otlp__scope_logs__get_packed_size(&logs));
	if (!*ret)
		return -ENOMEM;
	*size = otlp__scope_logs__pack(&logs, *ret);
	return 0;
}
