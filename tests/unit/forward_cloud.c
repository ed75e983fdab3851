/* SPDX-License-Identifier: Apache-2.0 */
/* Which cloud this is, asked of a service that speaks as the three providers document theirs. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config.h"
#include "forward/cloud.h"

#define TOKEN "AQAEAJ-token=="

#define AWS_DOCUMENT                                                                  \
	"{\n  \"accountId\" : \"123456789012\",\n  \"availabilityZone\" : \"eu-1a\"," \
	"\n  \"billingProducts\" : [ \"x\", {\"region\": \"no\"} ],"                  \
	"\n  \"imageId\" : \"ami-0abc\",\n  \"instanceId\" : \"i-0abc\","             \
	"\n  \"instanceType\" : \"t3.micro\",\n  \"kernelId\" : null,"                \
	"\n  \"region\" : \"eu-1\",\n  \"version\" : \"2017-09-30\"\n}"
#define AZURE_DOCUMENT                                                                  \
	"{\"azEnvironment\":\"AzurePublicCloud\",\"location\":\"japaneast\","           \
	"\"sku\":\"12-gen2\",\"storageProfile\":{\"imageReference\":{\"sku\":\"no\"}}," \
	"\"subscriptionId\":\"8d10da13\",\"tags\":\"a\\\"b\",\"vmId\":\"02aab8a4\","    \
	"\"vmSize\":\"Standard_B1s\",\"zone\":\"1\"}"

/* What is asked, what must be in the request besides, and what comes of it. */
static const struct {
	const char *request, *header, *headers_back, *body;
} answers[] = {
	{"PUT /latest/api/token ", "X-aws-ec2-metadata-token-ttl-seconds: 60", "", TOKEN},
	{"GET /latest/dynamic/instance-identity/document ", "X-aws-ec2-metadata-token: " TOKEN, "",
	 AWS_DOCUMENT},
	{"GET /metadata/instance/compute?api-version=2020-09-01 ", "Metadata: true", "",
	 AZURE_DOCUMENT},
#define GCP(name, text)                                                         \
	{                                                                       \
		"GET /computeMetadata/v1/" name " ", "Metadata-Flavor: Google", \
			"Metadata-Flavor: Google\r\n", text                     \
	}
	GCP("instance/id", "4567890123"),
	GCP("instance/zone", "projects/42/zones/asia-northeast1-b"),
	GCP("instance/machine-type", "projects/42/machineTypes/e2-medium"),
	GCP("project/project-id", "my-project"),
	/* no image: 404 */
	{"PUT /split/latest/api/token ", "", "", "a\r\nInjected: yes"},
	{"GET /plain/computeMetadata/v1/instance/id ", "", "", "4567890123"},
	{"GET /junk/metadata/instance/compute?api-version=2020-09-01 ", "", "",
	 "{\"vmId\":\"two words\",\"location\":\"\\u0041\",\"zone\""},
};

static void answer(int fd)
{
	char request[4096] = "",
	     reply[4096] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	size_t size = 0;

	while (size < sizeof(request) - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t n = read(fd, request + size, sizeof(request) - 1 - size);

		if (n <= 0)
			return;
		size += (size_t)n;
	}
	if (!strncmp(request, "GET /silent", 11) || !strncmp(request, "PUT /silent", 11))
		pause();
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (!strncmp(request, answers[i].request, strlen(answers[i].request)) &&
		    strstr(request, answers[i].header))
			snprintf(reply, sizeof(reply),
				 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n%s",
				 strlen(answers[i].body), answers[i].headers_back, answers[i].body);
	if (write(fd, reply, strlen(reply)) < 0)
		return;
}

static pid_t service;
static char base[64], dir[] = "/tmp/hinomi-cloud-XXXXXX";

static int setup(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (bind(listener, (void *)&at, len) || listen(listener, 8) ||
	    getsockname(listener, (void *)&at, &len) || !mkdtemp(dir))
		return -1;
	snprintf(base, sizeof(base), "http://127.0.0.1:%u", ntohs(at.sin_port));
	service = fork();
	for (int fd; !service && (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
		answer(fd);
	close(listener);
	return service < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	kill(service, SIGKILL);
	waitpid(service, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void want(const struct cloud *cloud, const char *const labels[][2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *found = NULL;

		for (size_t k = 0; k < cloud->nlabels; k++)
			if (!strcmp(cloud->labels[k].key, labels[i][0]))
				found = cloud->labels[k].value;
		assert_non_null(found);
		assert_string_equal(found, labels[i][1]);
	}
	assert_int_equal(cloud->nlabels, n);
}

static void three_providers(void **state)
{
	static const char *const aws[][2] = {{"cloud.provider", "aws"},
					     {"cloud.platform", "aws_ec2"},
					     {"cloud.account.id", "123456789012"},
					     {"cloud.region", "eu-1"},
					     {"cloud.availability_zone", "eu-1a"},
					     {"host.id", "i-0abc"},
					     {"host.type", "t3.micro"},
					     {"host.image.id", "ami-0abc"}};
	static const char *const azure[][2] = {
		{"cloud.provider", "azure"},	  {"cloud.platform", "azure.vm"},
		{"cloud.account.id", "8d10da13"}, {"cloud.region", "japaneast"},
		{"cloud.availability_zone", "1"}, {"host.id", "02aab8a4"},
		{"host.type", "Standard_B1s"},	  {"host.image.id", "12-gen2"}};
	static const char *const gcp[][2] = {{"cloud.provider", "gcp"},
					     {"cloud.platform", "gcp_compute_engine"},
					     {"cloud.account.id", "my-project"},
					     {"cloud.region", "asia-northeast1"},
					     {"cloud.availability_zone", "asia-northeast1-b"},
					     {"host.id", "4567890123"},
					     {"host.type", "e2-medium"}};
	struct cloud cloud;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:9", 1); /* nobody's business */
	assert_int_equal(cloud_ask("aws", base, &cloud), 0);
	want(&cloud, aws, ARRAY_SIZE(aws));
	assert_int_equal(cloud_ask("azure", base, &cloud), 0);
	want(&cloud, azure, ARRAY_SIZE(azure));
	assert_int_equal(cloud_ask("gcp", base, &cloud), 0);
	want(&cloud, gcp, ARRAY_SIZE(gcp));
	unsetenv("http_proxy");
}

static void strangers(void **state)
{
	struct cloud cloud;
	char url[80];

	(void)state;
	snprintf(url, sizeof(url), "%s/split", base); /* a token that would be two headers */
	assert_int_equal(cloud_ask("aws", url, &cloud), -EBADMSG);
	snprintf(url, sizeof(url), "%s/plain", base); /* not Google's */
	assert_int_equal(cloud_ask("gcp", url, &cloud), -EBADMSG);
	snprintf(url, sizeof(url), "%s/junk", base);
	assert_int_equal(cloud_ask("azure", url, &cloud), -EBADMSG);
	snprintf(url, sizeof(url), "%s/elsewhere", base);
	assert_int_equal(cloud_ask("aws", url, &cloud), -EBADMSG);
	assert_int_equal(cloud_ask("mars", base, &cloud), -EINVAL);
	assert_int_equal(cloud_ask("aws", "http://127.0.0.1:1", &cloud), -ENOENT);
}

/* The last one: the service answers nobody after it. */
static void silence(void **state)
{
	struct cloud cloud;
	char url[80];
	uint64_t begin_ns = clock_boot_ns();

	(void)state;
	snprintf(url, sizeof(url), "%s/silent", base);
	assert_int_equal(cloud_ask("aws", url, &cloud), -ENOENT);
	assert_true(clock_boot_ns() - begin_ns < 3 * NS_PER_SEC);
}

static void firmware(void **state)
{
	char path[256];
	FILE *file;

	(void)state;
	assert_null(cloud_guess(dir));
	snprintf(path, sizeof(path), "mkdir -p %s/sys/class/dmi/id", dir);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/sys/class/dmi/id/product_name", dir);
	file = fopen(path, "we");
	fputs("Google Compute Engine\n", file);
	fclose(file);
	assert_string_equal(cloud_guess(dir), "gcp");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_providers),
		cmocka_unit_test(strangers),
		cmocka_unit_test(firmware),
		cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
