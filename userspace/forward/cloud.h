/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cloud instance this is, from the cloud's metadata service: for the
 * forwarder alone, and only when the configuration asks for it.  Nothing secret
 * is asked for, and no proxy is ever given the question.
 */
#pragma once

#include <stddef.h>

#define CLOUD_LABELS_MAX 8
#define CLOUD_VALUE_MAX	 256 /* with its NUL */

struct config;

/* Attributes of OpenTelemetry's conventions. */
struct cloud {
	struct {
		const char *key;
		char value[CLOUD_VALUE_MAX];
	} labels[CLOUD_LABELS_MAX];
	size_t nlabels;
};

/* "aws", "gcp", "azure" by what the firmware says below root, NULL where it says none of them. */
const char *cloud_guess(const char *root);
/* provider: aws, gcp or azure; base: URL of the service, NULL for the usual one.  -ENOENT: nobody
 * answers there, -EBADMSG: nobody who is this provider.  Takes a second per request at most. */
int cloud_ask(const char *provider, const char *base, struct cloud *ret);
/* Does what the label `cloud` of the configuration says: takes it away, and appends what was found
 * as labels behind the operator's own.  May take some seconds.  -ENOMEM. */
int cloud_label(struct config *config);

/* For cloud_ask, and for its fuzzer: fills in from the body of an answer. */
void cloud_read_aws(struct cloud *cloud, const char *document, size_t size);
void cloud_read_azure(struct cloud *cloud, const char *document, size_t size);
/* name: of GCP's value below /computeMetadata/v1/ */
void cloud_read_gcp(struct cloud *cloud, const char *name, const char *text, size_t size);
