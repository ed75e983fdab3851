# The VM matrix: `make vmtest KERNEL=6.12` boots one kernel, `make vmtest` all of them.
VMTEST_PACKAGES := cpio xz-utils mmdebstrap
VMTEST_KERNELS := $(shell awk '!/^\#/ && !seen[$$1]++ { print $$1 }' vmtest/kernels.tsv)

.PHONY: vmtest vmtest-selftest
vmtest:
	vmtest/run $(or $(KERNEL),$(VMTEST_KERNELS))

vmtest-selftest:
	vmtest/selftest $(KERNEL)
