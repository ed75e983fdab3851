// SPDX-License-Identifier: Apache-2.0
/* System calls that only 32-bit programs have. */
#include <errno.h>
#include <hinomi/kinds.h>

#include "e2e.h"

#if defined(__x86_64__)
#include "int80.h"

enum { NR_stime = 25, NR_setgroups16 = 81, NR_setresuid16 = 164 };

/* With 16-bit ids; and one that sets the clock, here from where nothing is. */
static void act_old(struct facts *facts)
{
	int80_probe(facts);
	if (int80(NR_setresuid16, 0, 0, 0) != -EPERM || int80(NR_setgroups16, 0, 0, 0) != -EPERM)
		act_fail(facts, "ids of root");
	facts->error[0] = -(int)int80(NR_stime, 1, 0, 0);
}

static void want_refused_call(struct check *check, uint32_t call)
{
	const struct seen *seen = take(check, KIND_cred_change);

	if (!seen)
		return;
	want_result(check, EPERM, seen);
	want_number(check, "compat", 1, seen->event->compat);
	want_number(check, "cred_change.refused_call", call,
		    seen->event->cred_change->refused_call);
}

static void check_old(struct check *check)
{
	take(check, KIND_fork);
	take(check, KIND_exit);
	want_refused_call(check, NR_setresuid16);
	want_refused_call(check, NR_setgroups16);
	/* the function below the calls is not reached by this one */
	if (check->facts->error[0] == EFAULT && tier_of(check, KIND_system) > 1) {
		const struct seen *seen = take(check, KIND_kernel_attempt);

		if (seen)
			want_result(check, EFAULT, seen);
	}
}

const struct test compat_old_tests[] = {
	{"compat/old", NULL, act_old, check_old, .nobody = true},
	{},
};

#else
const struct test compat_old_tests[] = {{}};
#endif
