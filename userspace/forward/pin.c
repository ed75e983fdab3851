/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/pin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "frame/sealed.h"

int pin_init(struct pin *pin, int dir, const struct config_sink *sink)
{
	int err;

	*pin = (struct pin){.dir = dir};
	pthread_mutex_init(&pin->lock, NULL);
	snprintf(pin->name, sizeof(pin->name), "%s.receipt.pub", sink->name);
	if (sink->receipt_key)
		err = public_key_parse(sink->receipt_key, pin->key);
	else
		err = public_key_read(dir, pin->name, pin->key);
	pin->known = !err;
	return err == -ENOENT ? 0 : err;
}

void pin_done(struct pin *pin)
{
	pthread_mutex_destroy(&pin->lock);
}

/* The first that is signed by the key it names itself. */
static int open_first(struct pin *pin, const Hinomi__SealedReceipt *sealed, Hinomi__Receipt **ret)
{
	int err = sealed->public_key.len == PUBLIC_KEY_BYTES
			  ? sealed_open(sealed, sealed->public_key.data, ret)
			  : -EBADMSG;

	if (err)
		return err;
	err = public_key_write(pin->dir, pin->name, sealed->public_key.data);
	if (err) {
		hinomi__receipt__free_unpacked(*ret, NULL);
		return err;
	}
	memcpy(pin->key, sealed->public_key.data, sizeof(pin->key));
	pin->known = true;
	log_info("the collector's receipts are signed with a key that is believed from now on: "
		 "%s in the state directory; receipt_key in the configuration states it",
		 pin->name);
	return 0;
}

int pin_open(struct pin *pin, const Hinomi__SealedReceipt *sealed, Hinomi__Receipt **ret)
{
	int err;

	pthread_mutex_lock(&pin->lock);
	err = pin->known ? sealed_open(sealed, pin->key, ret) : open_first(pin, sealed, ret);
	pthread_mutex_unlock(&pin->lock);
	return err;
}
