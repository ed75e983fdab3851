/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much there is in a message for those who read it, as proto/frame.proto counts
 * it: a few bytes of ENCODING_DELTA can stand for much.
 */
#pragma once

#include <stddef.h>

/* Without what is in a oneof; NULL: 0. */
size_t message_weight(const void *message);
