/* SPDX-License-Identifier: Apache-2.0 */
/* Which values of which settings are said to weaken the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decode/sysctl.h"

static bool weakens(const char *name, const char *value)
{
	ProtobufCBinaryData n = {.data = (uint8_t *)name, .len = strlen(name)};
	ProtobufCBinaryData v = {.data = (uint8_t *)value, .len = strlen(value)};

	return sysctl_weakens(&n, &v, false);
}

static void test_values(void **state)
{
	static const struct {
		const char *name, *value;
		bool weakens;
	} cases[] = {
		{"kernel.randomize_va_space", "0\n", true},
		{"kernel.randomize_va_space", "1\n", true},
		{"kernel.randomize_va_space", "2\n", false},
		{"kernel.kptr_restrict", " 0", true},
		{"kernel.kptr_restrict", "1", false},
		{"kernel.yama.ptrace_scope", "0", true},
		{"kernel.core_pattern", "|/tmp/x %p", true},
		{"kernel.core_pattern", "core", false},
		{"kernel.modprobe", "", true},
		{"fs.protected_symlinks", "0", true},
		{"net.ipv4.conf.eth0/7.forwarding", "1", true},
		{"net.ipv4.ip_forward", "0", false},
		{"vm.mmap_min_addr", "0x800", true},
		{"vm.swappiness", "0", false},
		{"kernel.kptr_restrict", "", false},
		{"kernel.kptr_restrict", "\xff\xfe", false},
		{"", "0", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (weakens(cases[i].name, cases[i].value) != cases[i].weakens)
			fail_msg("%s = %s", cases[i].name, cases[i].value);
}

static void test_bytes(void **state)
{
	char name[400], value[400];
	ProtobufCBinaryData none = {0};

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	memset(value, '9', sizeof(value) - 1);
	name[sizeof(name) - 1] = value[sizeof(value) - 1] = 0;
	assert_false(weakens(name, "0"));
	assert_true(weakens("kernel.sysrq", value));
	assert_false(sysctl_weakens(&none, &none, true));
	assert_true(sysctl_weakens(&(ProtobufCBinaryData){20, (uint8_t *)"kernel.kptr_restrict"},
				   &none, true)); /* nobody knows what was written */
	assert_true(sysctl_is_text(&(ProtobufCBinaryData){15, (uint8_t *)"kernel.modprobe"}));
	assert_false(sysctl_is_text(&(ProtobufCBinaryData){20, (uint8_t *)"kernel.kptr_restrict"}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
