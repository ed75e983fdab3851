/* SPDX-License-Identifier: Apache-2.0 */
/* What a metadata service answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forward/cloud.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"instance/zone", "instance/id", "other"};
	char *text = malloc(size + !size); /* so that a byte too far is seen */
	struct cloud cloud[3] = {0};

	if (!text)
		return 0;
	memcpy(text, data, size);
	cloud_read_aws(&cloud[0], text, size);
	cloud_read_azure(&cloud[1], text, size);
	for (int i = 0; i < 3; i++)
		cloud_read_gcp(&cloud[2], names[i], text, size);
	for (int i = 0; i < 3; i++)
		for (size_t k = 0; k < cloud[i].nlabels; k++)
			if (strlen(cloud[i].labels[k].value) >= CLOUD_VALUE_MAX)
				abort();
	free(text);
	return 0;
}
