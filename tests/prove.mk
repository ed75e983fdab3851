# make behaviours, make evasions: every row performed in a virtual machine, and looked for in what was delivered;
# what a row declares missed and is seen on the first kernel becomes seen, in the row and on the page.
EVADE := $(B)/tests/evasions/evade
$(EVADE): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/evasions/*.c))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS_ALL)) -static-pie -o $@ $^ -lpthread
test-tools: $(EVADE)

.PHONY: behaviours evasions
behaviours evasions: all $(EVADE)
	@packaging/deps build test
	tests/prove/prove --all --build $(B) $(if $(KERNEL),--kernel $(KERNEL),--accept) $(if $(ROW),-k $(ROW)) $@
	@tests/prove/prove --write $@
