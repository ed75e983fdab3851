# make install DESTDIR= PREFIX=/usr     programs, units, default configuration, manual pages
# make uninstall                        takes away what install put there; keeps /etc/hinomi when changed,
#                                       and what was recorded
DESTDIR ?=
INSTALL ?= install

SYSCONFDIR := /etc/hinomi
UNITS := $(patsubst packaging/systemd/%.in,%,$(wildcard packaging/systemd/*.service.in))
MANUALS := $(notdir $(wildcard packaging/man/*.[1-9]))
DOCS := README.md LICENSE $(wildcard docs/dependencies.md)

# What is compiled in: objects that name PREFIX or the version are built again when these change.
IDENTITY_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(shell grep -lwE 'PREFIX|HINOMI_VERSION' $(wildcard userspace/*.c userspace/*/*.c)))
$(IDENTITY_OBJ): $(B)/identity
$(B)/identity: always
	@mkdir -p $(@D)
	@echo '$(PREFIX) $(VERSION)' | cmp -s - $@ || echo '$(PREFIX) $(VERSION)' > $@

$(B)/systemd/%: packaging/systemd/%.in $(B)/identity
	@mkdir -p $(@D)
	sed 's,@PREFIX@,$(PREFIX),g' $< > $@

# every file with its mode and source, as words MODE:SOURCE:DESTINATION
INSTALLED := \
	755:$(B)/hinomi:$(PREFIX)/bin/hinomi \
	755:$(B)/hinomi-verify:$(PREFIX)/libexec/hinomi/hinomi-verify \
	$(foreach p,sensor forward collect,755:$(B)/libexec/hinomi-$(p):$(PREFIX)/libexec/hinomi/hinomi-$(p)) \
	$(foreach u,$(UNITS),644:$(B)/systemd/$(u):$(PREFIX)/lib/systemd/system/$(u)) \
	644:packaging/systemd/sysusers.conf:$(PREFIX)/lib/sysusers.d/hinomi.conf \
	644:packaging/systemd/tmpfiles.conf:$(PREFIX)/lib/tmpfiles.d/hinomi.conf \
	644:packaging/vendor.conf:$(PREFIX)/lib/hinomi/hinomi.conf \
	644:packaging/completion.bash:$(PREFIX)/share/bash-completion/completions/hinomi \
	$(foreach m,$(MANUALS),644:packaging/man/$(m):$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(m)) \
	$(foreach p,$(wildcard proto/*.proto),644:$(p):$(PREFIX)/share/hinomi/$(p)) \
	$(foreach d,$(wildcard $(DOCS)),644:$(d):$(PREFIX)/share/doc/hinomi/$(notdir $(d))) \
	644:bpf/LICENSE:$(PREFIX)/share/doc/hinomi/LICENSE.bpf

.PHONY: install uninstall always
install: $(PROGRAMS) $(UNITS:%=$(B)/systemd/%)
	@set -e; for word in $(INSTALLED); do \
		IFS=:; set -- $$word; unset IFS; \
		$(INSTALL) -D -m "$$1" "$$2" '$(DESTDIR)'"$$3"; \
	done
	@$(INSTALL) -d '$(DESTDIR)$(SYSCONFDIR)/hinomi.conf.d'
	@if [ -e '$(DESTDIR)$(SYSCONFDIR)/hinomi.conf' ]; then \
		echo '$(SYSCONFDIR)/hinomi.conf is there already and stays as it is'; \
	else \
		$(INSTALL) -m 644 packaging/hinomi.conf '$(DESTDIR)$(SYSCONFDIR)/hinomi.conf'; \
	fi
	@[ -n '$(DESTDIR)' ] || printf '%s\n' 'Installed. To start it:' \
		'  systemd-sysusers && systemd-tmpfiles --create hinomi.conf && systemctl daemon-reload' \
		'  systemctl enable --now hinomi-sensor hinomi-forward'

uninstall:
	@for word in $(INSTALLED); do rm -f '$(DESTDIR)'"$${word##*:}"; done
	@! cmp -s packaging/hinomi.conf '$(DESTDIR)$(SYSCONFDIR)/hinomi.conf' || \
		rm '$(DESTDIR)$(SYSCONFDIR)/hinomi.conf'
	@for dir in $(SYSCONFDIR)/hinomi.conf.d $(SYSCONFDIR) $(PREFIX)/libexec/hinomi $(PREFIX)/lib/hinomi \
		$(PREFIX)/share/hinomi/proto $(PREFIX)/share/hinomi $(PREFIX)/share/doc/hinomi; do \
		[ ! -d '$(DESTDIR)'"$$dir" ] || rmdir --ignore-fail-on-non-empty '$(DESTDIR)'"$$dir"; \
	done
