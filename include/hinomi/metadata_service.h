/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* Where clouds answer an instance's questions about itself, credentials among them. */
#pragma once

#define FOR_EACH_METADATA_V4(V4)                                                  \
	V4(0xa9fea9fe) /* EC2, GCE (metadata.google.internal), Azure, OCI, ... */ \
	V4(0xa9feaa02) /* ECS tasks, 169.254.170.2 */                             \
	V4(0xa9feaa17) /* EKS pods, 169.254.170.23 */                             \
	V4(0x646464c8) /* Alibaba, 100.100.100.200 */

/* the first and the last 32 bits; between them are zeros */
#define FOR_EACH_METADATA_V6(V6)                       \
	V6(0xfd000ec2, 0x254) /* EC2, fd00:ec2::254 */ \
	V6(0xfd000ec2, 0x23)  /* EKS pods */           \
	V6(0xfd2000ce, 0x254) /* GCE, fd20:ce::254 */
