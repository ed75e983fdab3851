# shellcheck shell=bash disable=SC2034 # variables are read by the scripts that source this
# The cache outside the tree, and how the scripts speak. Sourced by every script of this folder.

vmtest_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tree_dir=$(dirname "$vmtest_dir")
build_dir=$tree_dir/build/vmtest
cache_dir=${HINOMI_CACHE:-/var/cache/hinomi}

# What a script returns when a kernel or a userland cannot be had here: skipped by name, not failed.
readonly STATUS_SKIP=77

say()
{
	printf 'vmtest: %s\n' "$*" >&2
}

die()
{
	say "$@"
	exit 2
}

skip()
{
	say "$@"
	exit "$STATUS_SKIP"
}

# need COMMAND PACKAGE: the command must be there; the message names the package that has it.
need()
{
	[ -n "$(command -v "$1")" ] || die "$1 is missing: apt-get install $2"
}

# triplet ARCHITECTURE: as its libraries' folder is called.
triplet()
{
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	*) die "the architecture $1 is not known here" ;;
	esac
}

# scratch_new: sets scratch to a directory of our own, removed when the script ends.
scratch_new()
{
	mkdir -p "$build_dir"
	scratch=$(mktemp -d "$build_dir/tmp.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
}
