// SPDX-License-Identifier: Apache-2.0
/* Changes of credentials. */
#include <errno.h>
#include <grp.h>
#include <hinomi/kinds.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "e2e.h"

/* What the C library calls: in 32-bit programs the plain numbers are those of 16-bit ids. */
#ifdef SYS_setresuid32
#define CALLED_SETRESUID SYS_setresuid32
#define CALLED_SETGROUPS SYS_setgroups32
#else
#define CALLED_SETRESUID SYS_setresuid
#define CALLED_SETGROUPS SYS_setgroups
#endif

/*
 * The next change, after which real, effective and saved ids are these.  On tier 2 the kernel
 * does not tell the old ones: an earlier event of the process does, or nothing does.
 */
static const Hinomi__CredChange *changed(struct check *check, uint32_t uid, uint32_t gid)
{
	const struct seen *seen = take(check, KIND_cred_change);
	const Hinomi__CredChange *change;

	if (!seen)
		return NULL;
	change = seen->event->cred_change;
	want_ids(check, "process.credentials", uid, gid, seen->process->credentials);
	want_result(check, 0, seen);
	if (seen->event->tier == 1)
		want_number(check, "cred_change.old_known", 1, change->old_known);
	return change->old_known ? change : NULL;
}

static void act_setuid(struct facts *facts)
{
	must(setresgid(NOBODY, NOBODY, NOBODY));
	must(setresuid(NOBODY, NOBODY, NOBODY));
}

static void check_setuid(struct check *check)
{
	const Hinomi__CredChange *change = changed(check, 0, NOBODY);

	if (change)
		want_ids(check, "cred_change.old", 0, 0, change->old);
	change = changed(check, NOBODY, NOBODY);
	if (!change)
		return;
	want_ids(check, "cred_change.old", 0, NOBODY, change->old);
	want_true(check, "cred_change.old.cap_effective of root", change->old->cap_effective);
}

static void act_setfsuid(struct facts *facts)
{
	(void)facts;
	setfsgid(NOBODY);
	setfsuid(NOBODY);
}

static void check_setfsuid(struct check *check)
{
	const struct seen *gid = take(check, KIND_cred_change);
	const struct seen *uid = take(check, KIND_cred_change);

	if (!gid || !uid)
		return;
	want_number(check, "process.credentials.fsgid", NOBODY, gid->process->credentials->fsgid);
	want_number(check, "process.credentials.fsuid", 0, gid->process->credentials->fsuid);
	want_number(check, "process.credentials.fsuid", NOBODY, uid->process->credentials->fsuid);
	want_number(check, "process.credentials.euid", 0, uid->process->credentials->euid);
}

static int capabilities(struct __user_cap_data_struct data[2], long call)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(call, &head, data);
}

#define BIT(capability) (1u << (capability))

static void act_capset(struct facts *facts)
{
	struct __user_cap_data_struct data[2];

	must(capabilities(data, SYS_capget));
	facts->number[0] = data[0].permitted | (uint64_t)data[1].permitted << 32;
	memset(data, 0, sizeof(data));
	data[0].permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL);
	data[0].effective = BIT(CAP_KILL);
	data[0].inheritable = BIT(CAP_KILL);
	must(capabilities(data, SYS_capset));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	act_tried(facts, 0, setgid(0)); /* changes nothing, but tells what is there */
}

static void check_capset(struct check *check)
{
	const struct seen *seen = take(check, KIND_cred_change);
	const Hinomi__Credentials *last = NULL;

	if (!seen)
		return;
	want_number(check, "cap_permitted", BIT(CAP_CHOWN) | BIT(CAP_KILL),
		    seen->process->credentials->cap_permitted);
	want_number(check, "cap_effective", BIT(CAP_KILL),
		    seen->process->credentials->cap_effective);
	want_number(check, "cap_inheritable", BIT(CAP_KILL),
		    seen->process->credentials->cap_inheritable);
	if (seen->event->cred_change->old_known)
		want_number(check, "cred_change.old.cap_permitted", check->facts->number[0],
			    seen->event->cred_change->old->cap_permitted);
	/* tier 1 sees the ambient set rise; tier 2 has no hook on prctl, but on setgid */
	while (there_is(check, KIND_cred_change))
		last = take(check, KIND_cred_change)->process->credentials;
	want_true(check, "another cred_change with cap_ambient",
		  last && last->cap_ambient == BIT(CAP_KILL));
}

static void act_groups(struct facts *facts)
{
	must(setgroups(3, (gid_t[]){NOBODY, 7, 5}));
	facts->number[0] = (uint64_t)must(prctl(PR_GET_SECUREBITS));
	must(prctl(PR_SET_SECUREBITS, facts->number[0] | SECBIT_NO_SETUID_FIXUP));
	must(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT));
}

static void check_groups(struct check *check)
{
	const struct seen *groups = take(check, KIND_cred_change);
	const struct seen *bits = take(check, KIND_cred_change);
	const struct seen *bounding = take(check, KIND_cred_change);
	const Hinomi__CredChange *change;

	if (!groups || !bits || !bounding)
		return;
	change = groups->event->cred_change;
	want_number(check, "cred_change.groups_count", 3, change->groups_count);
	want_number(check, "cred_change.groups (how many)", 3, change->n_groups);
	for (size_t i = 0; i < 3 && i < change->n_groups; i++) /* the kernel sorts them */
		want_number(check, "cred_change.groups", (uint32_t[]){5, 7, NOBODY}[i],
			    change->groups[i]->gid);
	change = bits->event->cred_change;
	want_number(check, "cred_change.securebits",
		    check->facts->number[0] | SECBIT_NO_SETUID_FIXUP, change->securebits);
	change = bounding->event->cred_change;
	want_true(check, "cred_change.cap_bounding",
		  change->cap_bounding && !(change->cap_bounding >> CAP_SYS_BOOT & 1));
	if (!change->rest_known)
		return;
	want_true(check, "cred_change.old_cap_bounding",
		  change->old_cap_bounding >> CAP_SYS_BOOT & 1);
	want_number(check, "cred_change.old_securebits",
		    check->facts->number[0] | SECBIT_NO_SETUID_FIXUP, change->old_securebits);
	want_number(check, "cred_change.old_groups_count", 3, change->old_groups_count);
	want_number(check, "cred_change.old_user_namespace", bounding->process->namespaces->user,
		    change->old_user_namespace);
}

static void act_failed(struct facts *facts)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	if (act_tried(facts, 0, setresuid(0, 0, 0)) != EPERM)
		act_fail(facts, "setresuid");
	if (!syscall(SYS_setuid, 1) || !syscall(SYS_setgid, 1) || !syscall(SYS_setreuid, -1, 1) ||
	    !syscall(SYS_setregid, 1, -1) || !syscall(SYS_setresgid, -1, -1, 1))
		act_fail(facts, "an id of somebody else");
	data[0].permitted = 1;
	if (act_tried(facts, 2, syscall(SYS_capset, &head, data)) != EPERM)
		act_fail(facts, "capset");
	if (act_tried(facts, 1, setgroups(0, NULL)) != EPERM)
		act_fail(facts, "setgroups");
}

static void want_refused(struct check *check, uint32_t call, const uint32_t *id)
{
	const struct seen *seen = take(check, KIND_cred_change);
	const Hinomi__CredChange *change;

	if (!seen)
		return;
	change = seen->event->cred_change;
	want_result(check, EPERM, seen);
	want_ids(check, "process.credentials", NOBODY, NOBODY, seen->process->credentials);
	want_number(check, "cred_change.refused_call", call, change->refused_call);
	want_number(check, "cred_change.refused_id_known", id != NULL, change->refused_id_known);
	want_number(check, "cred_change.refused_id", id ? *id : 0, change->refused_id);
}

static void check_failed(struct check *check)
{
	const uint32_t root = 0, user = 1;

	want_refused(check, CALLED_SETRESUID, &root);
	want_refused(check, SYS_setuid, &user);
	want_refused(check, SYS_setgid, &user);
	want_refused(check, SYS_setreuid, &user);
	want_refused(check, SYS_setregid, &user);
	want_refused(check, SYS_setresgid, &user);
	want_refused(check, SYS_capset, NULL);
	want_refused(check, CALLED_SETGROUPS, NULL);
}

static void act_user_namespace(struct facts *facts)
{
	if (unshare(CLONE_NEWUSER))
		act_skip(facts, "unshare(CLONE_NEWUSER): %s", strerror(errno));
	namespaces_read(facts->number);
}

static void check_user_namespace(struct check *check)
{
	const struct seen *seen;

	/* not a system call of the setuid family: only tier 1 sees the capabilities rise */
	if (tier_of(check, KIND_cred_change) == 1) {
		seen = take(check, KIND_cred_change);
		if (seen)
			want_true(check, "process.credentials.cap_effective in the new namespace",
				  seen->process->credentials->cap_effective);
	}
	seen = take_of(check, KIND_exit, check->facts->actor);
	if (seen)
		want_number(check, "process.namespaces.user", check->facts->number[NS_USER],
			    seen->process->namespaces->user);
}

const struct test creds_tests[] = {
	{"cred_change/setuid", NULL, act_setuid, check_setuid},
	{"cred_change/setfsuid", NULL, act_setfsuid, check_setfsuid},
	{"cred_change/capset", NULL, act_capset, check_capset},
	{"cred_change/groups", NULL, act_groups, check_groups},
	{"cred_change/failed", NULL, act_failed, check_failed, .nobody = true},
	{"cred_change/user-namespace", NULL, act_user_namespace, check_user_namespace,
	 .nobody = true},
	{},
};
