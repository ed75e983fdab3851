# From a fresh clone to a running sensor, or to all tests, with one command.
.PHONY: run test

run:
	@packaging/deps build
	@$(MAKE) --no-print-directory all
	@exec $(B)/hinomi run $(ARGS)

test:
	@packaging/deps build test cross
	@B=$(B) tests/run
