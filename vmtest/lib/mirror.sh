# shellcheck shell=bash disable=SC2154 # the directories are cache.sh's
# Packages of any Debian suite and architecture, from the mirror that this machine's apt is
# configured with (HINOMI_MIRROR and HINOMI_SECURITY_MIRROR override it), through an apt root of
# our own: the machine's packages and sources are not touched. Needs cache.sh.

# mirror_url SUITE: the archive that holds the suite.
mirror_url()
{
	local codename release url
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	release=$codename
	url=${HINOMI_MIRROR:-}
	case $1 in
	*-security)
		release=$codename-security
		url=${HINOMI_SECURITY_MIRROR:-}
		;;
	esac
	if [ -z "$url" ]; then
		# shellcheck disable=SC2016 # apt's own variables
		url=$(apt-get indextargets --no-release-info \
			--format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
			awk -v r="$release" '$1 == r && $2 == "main" { print $3; exit }')
	fi
	[ -n "$url" ] || return 1
	echo "$url"
}

# mirror_open SUITE ARCHITECTURE: refreshes the suite's package lists (at most once an hour) and
# exports APT_CONFIG, so that what follows in this subshell sees this suite only.
mirror_open()
{
	local root=$cache_dir/apt/$1-$2 url
	url=$(mirror_url "$1") || {
		say "apt is configured with no mirror for $1: set HINOMI_MIRROR"
		return 1
	}
	mkdir -p "$root"/{lists/partial,archives/partial,empty}
	: > "$root/status"
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$url" "$1" > "$root/sources.list"
	cat > "$root/apt.conf" <<-END
		Dir::State "$root";
		Dir::State::status "$root/status";
		Dir::Cache "$root";
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "$root/empty";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$root/empty";
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
		APT::Update::Error-Mode "any";
	END
	export APT_CONFIG=$root/apt.conf
	if [ -z "$(find "$root/stamp" -mmin -60 2> /dev/null)" ]; then
		apt-get -qq update >&2 || {
			say "the mirror did not give the package lists of $1 ($2)"
			return 1
		}
		touch "$root/stamp"
	fi
}

# mirror_download SUITE ARCHITECTURE PACKAGE=VERSION DIRECTORY: leaves the .deb in the directory.
mirror_download()
(
	mirror_open "$1" "$2" && cd "$4" && apt-get -qq download "$3" >&2
)

# mirror_newest SUITE ARCHITECTURE REGEX: "PACKAGE VERSION" of the highest package name that matches.
mirror_newest()
(
	local name
	mirror_open "$1" "$2" || exit 1
	name=$(apt-cache pkgnames | grep -E -x "$3" | sort -V | tail -n 1)
	[ -n "$name" ] || exit 1
	apt-cache show --no-all-versions "$name" | awk -v n="$name" '/^Version: / { print n, $2; exit }'
)

# mirror_sum SUITE ARCHITECTURE PACKAGE=VERSION: its SHA-256, as the archive's signed lists have it.
mirror_sum()
(
	mirror_open "$1" "$2" && apt-cache show "$3" | awk '/^SHA256: / { print $2; exit }'
)

# mirror_closure SUITE ARCHITECTURE DIRECTORY PACKAGE...: unpacks the packages and all that they need.
mirror_closure()
(
	local suite=$1 arch=$2 into=$3 deb
	shift 3
	mirror_open "$suite" "$arch" || exit 1
	apt-get -qq -y --download-only install "$@" >&2 || exit 1
	mkdir -p "$into"
	for deb in "${APT_CONFIG%/*}"/archives/*.deb; do
		dpkg-deb -x "$deb" "$into"
	done
	apt-get -qq clean
)
