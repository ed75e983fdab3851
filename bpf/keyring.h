/* SPDX-License-Identifier: GPL-2.0 */
/* Keys: made, asked for, read, changed, given on.  Looking for one or describing it is left out. */
#pragma once

/* JOIN_SESSION_KEYRING, UPDATE, REVOKE, CHOWN, SETPERM, CLEAR, LINK, UNLINK, READ, INSTANTIATE,
 * NEGATE, SET_TIMEOUT, ASSUME_AUTHORITY, SESSION_TO_PARENT, REJECT, INSTANTIATE_IOV, INVALIDATE,
 * GET_PERSISTENT, PKEY_DECRYPT, PKEY_SIGN, RESTRICT_KEYRING, MOVE */
#define KEYCTL_SETPERM 5
#define KEYCTL_LINK    8
#define KEYCTL_UNLINK  9
#define KEYCTL_MOVE    30
#define KEYCTL_TOLD    0x6c7dbbbeu

static __always_inline int on_keyring(struct call *call)
{
	__u32 operation = call->arg[0];
	struct keyring_record *rec;
	struct slot *slot;

	if (call->what == TAP_KEYCTL && (operation > 31 || !(KEYCTL_TOLD >> operation & 1)))
		return 0;
	slot = call_begin(call, KIND_keyring, sizeof(*rec));
	if (!slot)
		return 0;
	rec = (void *)slot->data;
	if (call->what == TAP_KEYCTL) {
		rec->operation = operation;
		rec->key = call->arg[1];
		if (operation == KEYCTL_SETPERM)
			rec->permissions = call->arg[2];
		else if (operation == KEYCTL_LINK || operation == KEYCTL_UNLINK)
			rec->keyring = call->arg[2];
		else if (operation == KEYCTL_MOVE)
			rec->keyring = call->arg[3];
	} else {
		rec->operation = call->what == TAP_ADD_KEY ? KEY_ADD : KEY_REQUEST;
		append_string(slot, &rec->type, (void *)call->arg[0], true);
		append_string(slot, &rec->description, (void *)call->arg[1], true);
		rec->key = call->result > 0 ? call->result : 0;
		if (call->what == TAP_ADD_KEY)
			rec->keyring = call->arg[4];
		else
			rec->keyring = call->arg[3];
	}
	return record_end(slot, call->result < 0 ? call->result : 0, LANE_OF_keyring);
}

CALL_EXIT_TAP(add_key, TAP_ADD_KEY, on_keyring)
CALL_EXIT_TAP(request_key, TAP_REQUEST_KEY, on_keyring)
CALL_EXIT_COMPAT(keyctl, TAP_KEYCTL, on_keyring)
