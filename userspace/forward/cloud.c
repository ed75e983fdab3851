/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/cloud.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "config/config.h"

#define SERVICE	   "http://169.254.169.254"
#define TIMEOUT_MS 1000
#define BODY_MAX   65536
#define TOKEN_MAX  512
#define TRIES	   3 /* the network may be coming up */
#define PAUSE_S	   1

struct answer {
	char body[BODY_MAX];
	size_t size;
	bool google; /* has the header that GCP's service always sends */
};

struct question {
	const char *base, *path;
	const char *method; /* NULL: GET */
	const char *header;
};

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct answer *answer = ctx;

	size *= count;
	if (size > sizeof(answer->body) - answer->size)
		return 0; /* curl ends the transfer */
	memcpy(answer->body + answer->size, data, size);
	answer->size += size;
	return size;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	static const char google[] = "Metadata-Flavor: Google";
	struct answer *answer = ctx;

	size *= count;
	if (size >= sizeof(google) - 1 && !strncasecmp(data, google, sizeof(google) - 1))
		answer->google = true;
	return size;
}

static void set_question(CURL *curl, const struct question *question, const char *url,
			 struct curl_slist *headers, struct answer *answer)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (question->method)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, question->method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
}

static int ask(const struct question *question, struct answer *answer)
{
	struct curl_slist *headers = curl_slist_append(NULL, question->header);
	CURL *curl = curl_easy_init();
	char url[512];
	CURLcode code = CURLE_OUT_OF_MEMORY;

	answer->size = 0;
	answer->google = false;
	snprintf(url, sizeof(url), "%s%s", question->base, question->path);
	if (curl && headers) {
		set_question(curl, question, url, headers, answer);
		code = curl_easy_perform(curl);
	}
	if (curl)
		curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code == CURLE_HTTP_RETURNED_ERROR || code == CURLE_WRITE_ERROR)
		return -EBADMSG;
	return code ? -ENOENT : 0;
}

/* The token goes into a header: nothing may be in it that ends one. */
static int token_header(const struct answer *answer, char *ret, size_t size)
{
	if (!answer->size || answer->size > TOKEN_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < answer->size; i++)
		if (answer->body[i] <= ' ' || answer->body[i] > '~')
			return -EBADMSG;
	snprintf(ret, size, "X-aws-ec2-metadata-token: %.*s", (int)answer->size, answer->body);
	return 0;
}

static int ask_aws(const char *base, struct answer *answer, struct cloud *ret)
{
	struct question token = {base, "/latest/api/token", "PUT",
				 "X-aws-ec2-metadata-token-ttl-seconds: 60"};
	char header[TOKEN_MAX + 64];
	struct question document = {base, "/latest/dynamic/instance-identity/document", NULL,
				    header};
	int err = ask(&token, answer);

	err = err ?: token_header(answer, header, sizeof(header));
	err = err ?: ask(&document, answer);
	explicit_bzero(header, sizeof(header));
	if (!err)
		cloud_read_aws(ret, answer->body, answer->size);
	return err;
}

static int ask_azure(const char *base, struct answer *answer, struct cloud *ret)
{
	/* of this version, since later ones hand out what a user put in for the instance */
	struct question question = {base, "/metadata/instance/compute?api-version=2020-09-01", NULL,
				    "Metadata: true"};
	int err = ask(&question, answer);

	if (!err)
		cloud_read_azure(ret, answer->body, answer->size);
	return err;
}

static int ask_gcp(const char *base, struct answer *answer, struct cloud *ret)
{
	static const char *const names[] = {"instance/id", "instance/zone", "instance/machine-type",
					    "instance/image", "project/project-id"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];
		struct question question = {base, path, NULL, "Metadata-Flavor: Google"};
		int err;

		snprintf(path, sizeof(path), "/computeMetadata/v1/%s", names[i]);
		err = ask(&question, answer);
		if (!err && !answer->google)
			err = -EBADMSG;
		if (err && (!i || err != -EBADMSG)) /* an instance need not have an image */
			return err;
		if (!err)
			cloud_read_gcp(ret, names[i], answer->body, answer->size);
	}
	return 0;
}

int cloud_ask(const char *provider, const char *base, struct cloud *ret)
{
	CLEANUP(free) struct answer *answer = calloc(1, sizeof(*answer));
	struct cloud cloud = {.nlabels = 0};
	int err = -EINVAL;

	if (!answer)
		return -ENOMEM;
	if (!base)
		base = SERVICE;
	if (!strcmp(provider, "aws"))
		err = ask_aws(base, answer, &cloud);
	else if (!strcmp(provider, "gcp"))
		err = ask_gcp(base, answer, &cloud);
	else if (!strcmp(provider, "azure"))
		err = ask_azure(base, answer, &cloud);
	if (!err && cloud.nlabels <= 2)
		err = -EBADMSG; /* it said nothing that we know */
	if (!err)
		*ret = cloud;
	return err;
}

const char *cloud_guess(const char *root)
{
	static const struct {
		const char *file, *text, *provider;
	} signs[] = {
		{"sys_vendor", "Amazon EC2", "aws"},
		{"bios_version", "amazon", "aws"},
		{"product_name", "Google Compute Engine", "gcp"},
		{"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		CLEANUP(fclose) FILE *file = NULL;
		char path[256], line[256] = "";

		snprintf(path, sizeof(path), "%s/sys/class/dmi/id/%s", root, signs[i].file);
		file = fopen(path, "re");
		if (file && fgets(line, sizeof(line), file) && strstr(line, signs[i].text))
			return signs[i].provider;
	}
	return NULL;
}

static int append(struct config *config, const char *key, const char *value)
{
	struct config_label *labels =
		reallocarray(config->labels, config->nlabels + 1, sizeof(*labels));
	struct config_label *label;

	if (!labels)
		return -ENOMEM;
	config->labels = labels;
	label = &labels[config->nlabels++];
	*label = (struct config_label){strdup(key), strdup(value)};
	return label->key && label->value ? 0 : -ENOMEM;
}

/* What the operator asked for, no label any more; NULL: nothing. */
static char *take_wish(struct config *config)
{
	for (size_t i = 0; i < config->nlabels; i++) {
		struct config_label label = config->labels[i];

		if (strcmp(label.key, "cloud") != 0)
			continue;
		config->nlabels--;
		memmove(&config->labels[i], &config->labels[i + 1],
			(config->nlabels - i) * sizeof(label));
		free(label.key);
		return label.value;
	}
	return NULL;
}

int cloud_label(struct config *config)
{
	CLEANUP(free) char *wish = take_wish(config);
	const char *provider = wish && !strcmp(wish, "auto") ? cloud_guess("") : wish;
	struct cloud cloud = {.nlabels = 0};
	int err = -ENOENT;

	if (!wish || !strcmp(wish, "off"))
		return 0;
	if (!provider) {
		log_info("the firmware names no cloud that is known: events go without its labels");
		return 0;
	}
	for (int i = 0; i < TRIES && err == -ENOENT; i++) {
		if (i)
			sleep(PAUSE_S);
		err = cloud_ask(provider, NULL, &cloud);
	}
	if (err)
		log_warning("the metadata service of %s: %s; events go without its labels until "
			    "the next start",
			    provider, err == -ENOENT ? "no answer" : strerror(-err));
	err = 0;
	for (size_t i = 0; i < cloud.nlabels && !err; i++)
		err = append(config, cloud.labels[i].key, cloud.labels[i].value);
	return err;
}
