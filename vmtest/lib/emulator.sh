# shellcheck shell=bash disable=SC2034,SC2154 # variables are boot's, the directories are cache.sh's
# QEMU for each architecture: the machine's own from version 10 on, else one from trixie in the cache,
# run with its own libraries. QEMU 7.2 (Debian 12) is refused: under it 6.12 guests double-fault.
# Needs mirror.sh.

readonly EMULATOR_SUITE=trixie EMULATOR_MAJOR=10

# emulator_find ARCHITECTURE: sets emulator to the command line that starts QEMU; 1 when it cannot be had.
emulator_find()
{
	local root=$cache_dir/qemu-$EMULATOR_SUITE program=qemu-system-x86_64 packages=(qemu-system-x86 seabios)
	local own here
	if [ "$1" = arm64 ]; then
		root=$root-arm64
		program=qemu-system-aarch64
		packages=(qemu-system-arm)
	fi
	own=$(command -v "$program" || :)
	if [ -n "$own" ] && [ "$("$own" --version | sed -n 's/.*version \([0-9]*\).*/\1/p')" -ge \
		"$EMULATOR_MAJOR" ]; then
		emulator=("$own")
		return 0
	fi
	here=$(dpkg --print-architecture)
	if [ ! -e "$root/complete" ]; then
		say "fetching QEMU for $1 from $EMULATOR_SUITE, once"
		rm -rf "$root"
		mirror_closure "$EMULATOR_SUITE" "$here" "$root" "${packages[@]}" || return 1
		touch "$root/complete"
	fi
	own=$root/usr/lib/$(triplet "$here")
	emulator=(env "QEMU_MODULE_DIR=$own/qemu" "$(echo "$own"/ld-linux-*.so.*)" --library-path "$own"
		"$root/usr/bin/$program" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
}

# emulator_machine ARCHITECTURE: sets machine to what is emulated, arguments to what its kernels are told,
# and console, out and last to what the guest calls its serial lines: the kernel's, the command's output,
# the last words.
emulator_machine()
{
	case $1 in
	amd64)
		machine=(-cpu max)
		arguments=(syscall.x32=y no_timer_check) # the first is Debian's switch; under load the timer is late
		console=ttyS0 out=/dev/ttyS1 last=/dev/ttyS2
		;;
	arm64) # not -cpu max: its pointer authentication is what an emulated kernel would mostly do
		machine=(-machine "virt,gic-version=3" -cpu neoverse-n1)
		console=ttyAMA0 out=/dev/ttyS0 last=/dev/ttyS1
		;;
	*) die "kernels of $1 cannot be emulated here" ;;
	esac
}

# emulator_serial ARCHITECTURE LOG OUT LAST: sets serial to the three lines.
emulator_serial()
{
	serial=(-serial "file:$2" -chardev "$3" -chardev "file,id=last,path=$4")
	if [ "$1" = arm64 ]; then
		serial+=(-device "pci-serial-2x,chardev1=out,chardev2=last")
	else
		serial+=(-serial chardev:out -serial chardev:last)
	fi
}
