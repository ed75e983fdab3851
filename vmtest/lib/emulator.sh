# shellcheck shell=bash disable=SC2154 # the directories are cache.sh's
# QEMU: the machine's own from version 10 on, else one from trixie in the cache, run with its own
# libraries. QEMU 7.2 (Debian 12) is refused: under it 6.12 guests double-fault. Needs mirror.sh.

readonly EMULATOR_SUITE=trixie EMULATOR_MAJOR=10

# emulator_find: sets emulator to the command line that starts QEMU; 1 when it cannot be had.
emulator_find()
{
	local own root=$cache_dir/qemu-$EMULATOR_SUITE
	own=$(command -v qemu-system-x86_64 || :)
	if [ -n "$own" ] && [ "$("$own" --version | sed -n 's/.*version \([0-9]*\).*/\1/p')" -ge \
		"$EMULATOR_MAJOR" ]; then
		emulator=("$own")
		return 0
	fi
	if [ ! -e "$root/complete" ]; then
		say "fetching QEMU from $EMULATOR_SUITE, once"
		rm -rf "$root"
		mirror_closure "$EMULATOR_SUITE" "$root" qemu-system-x86 seabios || return 1
		touch "$root/complete"
	fi
	# shellcheck disable=SC2034 # read by the caller
	emulator=(env "QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu"
		"$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
		--library-path "$root/usr/lib/x86_64-linux-gnu"
		"$root/usr/bin/qemu-system-x86_64"
		-L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
}
