/* SPDX-License-Identifier: Apache-2.0 */
/* hinomi describe: the data dictionary, out of the descriptors that everything else uses. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "event/event.h"
#include "frame.pb-c.h"

#define PATH_BYTES_MAX 128

static const char help[] =
	"Usage: hinomi describe [CLASS | MESSAGE]\n"
	"Lists the classes of events, or the fields of one, or of a message of the\n"
	"contract (process, event, frame_header): name as in filters and JSON, type,\n"
	"number.\n"
	"\n"
	"  -h, --help   this text\n";

static const char *type_name(const ProtobufCFieldDescriptor *field)
{
	static const char *const names[] = {
		[PROTOBUF_C_TYPE_INT32] = "int32",	 [PROTOBUF_C_TYPE_SINT32] = "sint32",
		[PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
		[PROTOBUF_C_TYPE_SINT64] = "sint64",	 [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
		[PROTOBUF_C_TYPE_UINT32] = "uint32",	 [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
		[PROTOBUF_C_TYPE_UINT64] = "uint64",	 [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
		[PROTOBUF_C_TYPE_FLOAT] = "float",	 [PROTOBUF_C_TYPE_DOUBLE] = "double",
		[PROTOBUF_C_TYPE_BOOL] = "bool",	 [PROTOBUF_C_TYPE_STRING] = "string",
		[PROTOBUF_C_TYPE_BYTES] = "bytes",
	};

	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return ((const ProtobufCEnumDescriptor *)field->descriptor)->short_name;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
	return names[field->type];
}

/* The schema is not recursive; what would not fit in a path is not described. */
static void print_fields(const ProtobufCMessageDescriptor *type, const char *path)
{
	char name[PATH_BYTES_MAX];

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			continue; /* the classes, each described by its own name */
		if ((size_t)snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "",
				     field->name) >= sizeof(name))
			continue;
		printf("%-42s %s%-*s %6u\n", name, repeated ? "repeated " : "", repeated ? 9 : 18,
		       type_name(field), field->id);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			print_fields(field->descriptor, name);
	}
}

static const char *lane_of(unsigned kind)
{
	if (kind_is_by_rights(kind))
		return "either";
	return kind_lane(kind) == LANE_KEEP ? "keep" : "bulk";
}

static void print_classes(void)
{
	const ProtobufCMessageDescriptor *type = &hinomi__event__descriptor;

	printf("%-14s %6s  %-6s %s\n", "CLASS", "NUMBER", "LANE", "MESSAGE");
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			printf("%-14s %6u  %-6s %s\n", field->name, field->id, lane_of(field->id),
			       type_name(field));
	}
	puts("\nEvery event has the fields of `event`, and `process` says who did it:\n"
	     "(hinomi describe event, hinomi describe process, hinomi describe exec).");
}

static const ProtobufCMessageDescriptor *find(const char *name)
{
	static const struct {
		const char *name;
		const ProtobufCMessageDescriptor *type;
	} messages[] = {
		{"event", &hinomi__event__descriptor},
		{"process", &hinomi__process__descriptor},
		{"frame", &hinomi__frame__descriptor},
		{"frame_header", &hinomi__frame_header__descriptor},
	};
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(&hinomi__event__descriptor, name);

	if (field && field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return field->descriptor;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		if (!strcmp(messages[i].name, name))
			return messages[i].type;
	return NULL;
}

int command_describe(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	const ProtobufCMessageDescriptor *type;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? usage_help(help) : usage_refused();
	if (argc - optind > 1)
		return usage_error("one class at a time");
	if (optind == argc) {
		print_classes();
		return finish(STATUS_OK);
	}
	type = find(argv[optind]);
	if (!type)
		return usage_error("there is no class or message '%s'; hinomi describe lists them",
				   argv[optind]);
	printf("%-42s %-18s %6s\n", "FIELD", "TYPE", "NUMBER");
	/* an event of the class is found under its name, other messages stand for themselves */
	print_fields(type, strcmp(argv[optind], "event") ? argv[optind] : "");
	return finish(STATUS_OK);
}
