# shellcheck shell=bash disable=SC2154 # the directories are cache.sh's
# The pinned kernels: kernels.tsv, and their images and modules in the cache. Needs mirror.sh.

# kernel_names: every name in the list, once, in its order.
kernel_names()
{
	awk -F '\t' '!/^#/ && !seen[$1]++ { print $1 }' "$vmtest_dir/kernels.tsv"
}

# kernel_rows NAME: its packages, as rows of kernels.tsv.
kernel_rows()
{
	awk -F '\t' -v n="$1" '!/^#/ && $1 == n' "$vmtest_dir/kernels.tsv"
}

# kernel_arch NAME: Debian's name of its architecture.
kernel_arch()
{
	kernel_rows "$1" | cut -f 2 | head -n 1
}

# kernel_build NAME: the folder of the tree with the programs for its architecture.
kernel_build()
{
	local arch
	arch=$(kernel_arch "$1")
	[ "$arch" = "$(dpkg --print-architecture)" ] && echo build || echo "build/$arch"
}

# kernel_dir NAME: where it is unpacked; a changed pin is another directory.
kernel_dir()
{
	echo "$cache_dir/kernels/$1-$(kernel_rows "$1" | sha256sum | head -c 12)"
}

# kernel_image NAME, kernel_modules NAME: the boot image, and the folder with its modules.
kernel_image()
{
	find "$(kernel_dir "$1")" -name 'vmlinu[zx]*' -type f | head -n 1
}

kernel_modules()
{
	find "$(kernel_dir "$1")" -type d -path '*/modules/*/kernel' | head -n 1
}

# kernel_pinned ROW DIRECTORY: downloads the very package that the row pins.
kernel_pinned()
{
	local name arch suite package version sum deb
	IFS=$'\t' read -r name arch suite package version sum <<< "$1"
	mirror_download "$suite" "$arch" "$package=$version" "$2" || {
		say "$name: the mirror no longer has $package $version in $suite"
		return 1
	}
	deb=("$2/$package"_*.deb)
	echo "$sum ${deb[0]}" | sha256sum --check --quiet >&2 || {
		rm -rf "$2"
		die "$name: $package $version is not the package that kernels.tsv pins"
	}
}

# kernel_pattern ROW: what packages of the same kind and series are called.
kernel_pattern()
{
	local name arch suite package stem series flavour
	IFS=$'\t' read -r name arch suite package _ <<< "$1"
	stem=$(sed -E 's/-[0-9].*//' <<< "$package")
	flavour=$(grep -o -E '(-cloud)?-(amd64|arm64)(-[a-z0-9]+)?$' <<< "$package")
	series=$(sed -E 's/^[a-z-]+-([0-9]+)[.]([0-9]+).*/\1[.]\2/' <<< "$package")
	[ "$name" != newest ] || series='[0-9]+[.][0-9]+'
	echo "$stem-$series([.-][^-]*(-[0-9]+)?)?$flavour"
}

# kernel_best ROW: "SUITE PACKAGE VERSION" of the highest version of that kind and series in its suite;
# `newest` is looked for in sid and experimental.
kernel_best()
{
	local name arch suite suites found best=''
	IFS=$'\t' read -r name arch suites _ <<< "$1"
	[ "$name" != newest ] || suites='sid experimental'
	for suite in $suites; do
		found=$(mirror_newest "$suite" "$arch" "$(kernel_pattern "$1")") || continue
		[ -n "$best" ] && dpkg --compare-versions "${found#* }" le "${best##* }" || best="$suite $found"
	done
	[ -n "$best" ] || say "$name: $suites has no package of that series at all"
	[ -n "$best" ] && echo "$best"
}

# kernel_drifted ROW DIRECTORY: downloads the newest package of the same series in the same suite.
kernel_drifted()
{
	local name arch suite package found version
	IFS=$'\t' read -r name arch suite package _ <<< "$1"
	found=$(kernel_best "$1") || return 1
	read -r suite package version <<< "$found"
	say "WARNING: $name: NOT THE PINNED KERNEL: taking $package $version instead, checked by" \
		"apt's signature only; renew the pin in kernels.tsv"
	mirror_download "$suite" "$arch" "$package=$version" "$2"
}

# kernel_fetch NAME: makes sure that the kernel is in the cache; 1 when it cannot be had.
kernel_fetch()
{
	local into part rows row deb how=kernel_pinned
	rows=$(kernel_rows "$1")
	[ -n "$rows" ] || die "no kernel is called $1; there are: $(kernel_names | tr '\n' ' ')"
	into=$(kernel_dir "$1")
	[ ! -e "$into/complete" ] || return 0
	mkdir -p "$cache_dir/kernels"
	part=$(mktemp -d "$into.XXXXXX")
	while :; do
		while IFS= read -r row; do
			"$how" "$row" "$part" < /dev/null || break
			row=
		done <<< "$rows"
		[ -n "$row" ] || break
		rm -f "$part"/*.deb
		if [ "$how" = kernel_drifted ]; then
			rm -rf "$part"
			return 1
		fi
		how=kernel_drifted
	done
	for deb in "$part"/*.deb; do
		dpkg-deb -x "$deb" "$part"
		rm "$deb"
	done
	# A kernel that is not the pinned one serves this boot only: the next fetch asks again.
	[ "$how" = kernel_drifted ] || touch "$part/complete"
	rm -rf "$into"
	mv "$part" "$into"
}
