# shellcheck shell=bash disable=SC2154 # the directories are cache.sh's
# Initramfs archives. The kernel unpacks several that are concatenated, later ones over earlier
# ones, so a boot is a cached base plus a small archive of what is under test. Needs kernel.sh.

# In the order in which they must be loaded; what a kernel has built in is not in its package.
readonly NETWORK_MODULES=(failover net_failover virtio virtio_ring virtio_pci_legacy_dev
	virtio_pci_modern_dev virtio_pci virtio_net)
readonly DISK_MODULES=(virtio_blk crc16 crc32c_generic libcrc32c mbcache jbd2 ext4)

# initramfs_pack DIRECTORY: writes the archive to stdout, everything owned by root. The top
# directory itself is left out: its mode would become that of the guest's root.
initramfs_pack()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --null --create --format=newc --owner=0:0 --quiet)
}

# initramfs_module KERNEL NAME DIRECTORY NUMBER: unpacks one module, if the kernel has it as one.
initramfs_module()
{
	local file into
	file=$(find "$(kernel_modules "$1")" -name "$2.ko*" | head -n 1)
	into=$(printf '%s/%02d-%s.ko' "$3" "$4" "$2")
	case $file in
	"") return 1 ;;
	*.xz) xz -dc "$file" > "$into" ;;
	*.zst) zstd -qdc "$file" > "$into" ;;
	*) cp "$file" "$into" ;;
	esac
}

# initramfs_modules KERNEL DIRECTORY DISK [NAME...]: the network's modules, a disk's unless DISK is empty, then
# those named.
initramfs_modules()
{
	local kernel=$1 into=$2 name number=0 usual=("${NETWORK_MODULES[@]}")
	[ -z "$3" ] || usual+=("${DISK_MODULES[@]}")
	shift 3
	mkdir -p "$into"
	for name in "${usual[@]}"; do
		number=$((number + 1))
		initramfs_module "$kernel" "$name" "$into" "$number" || :
	done
	for name; do
		number=$((number + 1))
		initramfs_module "$kernel" "$name" "$into" "$number" ||
			die "$kernel has no module $name"
	done
}

# initramfs_busybox ARCHITECTURE: the path of a static busybox in the cache.
initramfs_busybox()
{
	local suite=bookworm dir=$cache_dir/busybox-$1
	if [ ! -x "$dir/bin/busybox" ]; then
		mirror_closure "$suite" "$1" "$dir.part" busybox-static >&2 || return 1
		[ -x "$dir.part/bin/busybox" ] || mv "$dir.part/usr/bin" "$dir.part/bin"
		rm -rf "$dir"
		mv "$dir.part" "$dir"
	fi
	echo "$dir/bin/busybox"
}

# initramfs_libraries FILE: "HOST GUEST" for each shared library that it needs, from the sysroot when
# sysroot is set; "not found" for one that is not here.
initramfs_libraries()
{
	local todo=("$1") seen=' ' name found
	if [ -z "${sysroot:-}" ]; then
		ldd "$1" 2> /dev/null | sed -n -e 's,.*not found.*,not found,p' -e 's,^[^/]*\(/[^ ]*\) (0x.*,\1 \1,p'
		return
	fi
	name=$(readelf -l "$1" 2> /dev/null | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
	[ -z "$name" ] || echo "$sysroot$name $name"
	while [ ${#todo[@]} -gt 0 ]; do
		for name in $(readelf -d "${todo[0]}" 2> /dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
			case $seen in *" $name "*) continue ;; esac
			seen+="$name "
			found=$(find "$sysroot/usr/lib" -maxdepth 2 -name "$name" | head -n 1)
			[ -n "$found" ] && echo "$found ${found#"$sysroot/usr"}" || echo "not found"
			[ -z "$found" ] || todo+=("$found")
		done
		todo=("${todo[@]:1}")
	done
}

# initramfs_add STAGE HOST GUEST: copies a file or a folder, and the shared libraries of every
# dynamic program in it, into the stage.
initramfs_add()
{
	local stage=$1 host=$2 guest=$3 file library as
	[ -e "$host" ] || die "no such file: $host"
	if [ -d "$host" ]; then
		mkdir -p "$stage$guest"
		cp -a "$host/." "$stage$guest/"
	else
		mkdir -p "$(dirname "$stage$guest")"
		cp -L "$host" "$stage$guest"
	fi
	while IFS= read -r -d '' file; do
		while read -r library as; do
			[ "$library" != not ] || die "$file needs a library that is not here"
			[ ! -e "$stage$as" ] || continue
			mkdir -p "$(dirname "$stage$as")"
			cp -L "$library" "$stage$as"
		done < <(initramfs_libraries "$file")
	done < <(find -L "$host" -type f \( -perm -u+x -o -name '*.so*' \) -print0)
}

# initramfs_merge_usr STAGE: moves the stage's /bin, /lib, ... below /usr, where Debian's userland
# has symbolic links in their place, which a directory of that name in the archive would replace.
initramfs_merge_usr()
{
	local name
	for name in bin sbin lib lib64; do
		[ -d "$1/$name" ] || continue
		mkdir -p "$1/usr/$name"
		cp -a "$1/$name/." "$1/usr/$name/"
		rm -rf "${1:?}/$name"
	done
}
