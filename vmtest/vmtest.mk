# The VM matrix: `make vmtest KERNEL=6.12` boots one kernel, `make vmtest` all of them.
VMTEST_PACKAGES := cpio xz-utils mmdebstrap
VMTEST_KERNELS := $(shell awk '!/^\#/ && !seen[$$1]++ { print $$1 }' vmtest/kernels.tsv)

.PHONY: vmtest vmtest-selftest vmtest-facts coverage-matrix budget cost
vmtest:
	vmtest/run $(or $(KERNEL),$(VMTEST_KERNELS))

vmtest-selftest:
	vmtest/selftest $(KERNEL)

# What each kernel says of itself, into tables that are committed and that the tests compare with.
vmtest-facts: all test-tools arm64
	printf '%s\n' $(VMTEST_KERNELS) | HINOMI_PAYLOAD=vmtest/facts.txt xargs -n 1 -P 2 vmtest/run
coverage-matrix: vmtest-facts
	vmtest/tables coverage
# What it costs the verifier, and the machine: more than 5 % worse is not written but with ACCEPT=1.
budget: vmtest-facts cost
	vmtest/tables budget $(if $(ACCEPT),--accept)
cost: all test-tools
	vmtest/cost
	vmtest/tables cost $(if $(ACCEPT),--accept)
