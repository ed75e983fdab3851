/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes of credentials that were refused, at the exit of the system calls: the
 * functions that they share are inlined.  All have the number of one hook, which a
 * canary proves with setresuid.
 */
#pragma once

static __always_inline int on_creds_call(struct call *call)
{
	__u32 asked = -1;

	if (call->what == TAP_CREDS)
		asked = FIRST_ID(call->arg[0], FIRST_ID(call->arg[1], call->arg[2]));
	return on_creds_refused(call->result, asked, call->hook, call->tier);
}

#if defined(__TARGET_ARCH_x86)
#define CREDS_CALL(program, nr, tap)                                                      \
	CALL_EXIT_ONE(program, creds_refused, "?fexit/" CALL_FUNCTION #nr, false, tap,    \
		      on_creds_call)                                                      \
	CALL_EXIT_ONE(program##_ia32, creds_refused, "?fexit/__ia32_sys_" #nr, true, tap, \
		      on_creds_call)
#else
#define CREDS_CALL(program, nr, tap)                                                   \
	CALL_EXIT_ONE(program, creds_refused, "?fexit/" CALL_FUNCTION #nr, false, tap, \
		      on_creds_call)
#endif

/* Of 32-bit programs, with 16-bit ids. */
#if defined(__TARGET_ARCH_x86)
#define CREDS_CALL16(program, nr, tap)                                                  \
	CALL_EXIT_ONE(program, creds_refused, "?fexit/__ia32_sys_" #nr "16", true, tap, \
		      on_creds_call)
#else
#define CREDS_CALL16(program, nr, tap)                                                     \
	CALL_EXIT_ONE(program, creds_refused, "?fexit/" CALL_FUNCTION #nr "16", true, tap, \
		      on_creds_call)
#endif

CREDS_CALL(creds_refused, setresuid, TAP_CREDS)
CREDS_CALL(setresgid_refused, setresgid, TAP_CREDS)
CREDS_CALL(setreuid_refused, setreuid, TAP_CREDS)
CREDS_CALL(setregid_refused, setregid, TAP_CREDS)
CREDS_CALL(setuid_refused, setuid, TAP_CREDS)
CREDS_CALL(setgid_refused, setgid, TAP_CREDS)
CREDS_CALL(setgroups_refused, setgroups, TAP_GROUPS)
CREDS_CALL(capset_refused, capset, TAP_GROUPS)
CREDS_CALL16(setresuid16_refused, setresuid, TAP_CREDS)
CREDS_CALL16(setresgid16_refused, setresgid, TAP_CREDS)
CREDS_CALL16(setreuid16_refused, setreuid, TAP_CREDS)
CREDS_CALL16(setregid16_refused, setregid, TAP_CREDS)
CREDS_CALL16(setuid16_refused, setuid, TAP_CREDS)
CREDS_CALL16(setgid16_refused, setgid, TAP_CREDS)
CREDS_CALL16(setgroups16_refused, setgroups, TAP_GROUPS)
