/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a request to the metadata service: what comes of it is one of the known classes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Hinomi__MetadataRequest request = HINOMI__METADATA_REQUEST__INIT;
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	metadata_parse(copy, size, &request);
	if (!request.method && (request.path || request.version || !request.incomplete))
		abort();
	free(copy);
	return 0;
}
