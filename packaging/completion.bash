# bash completion for hinomi(1)
# The help texts are asked for commands and options, so that this file knows none of them.

_hinomi_options()
{
	"$1" "$2" --help 2>&1 | grep -oE -- '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sort -u
}

_hinomi()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words="--help --version $("$1" --help 2>&1 | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u)"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $before in
	-o | --output) words='text json' ;;
	--lane) words='keep bulk' ;;
	-c | --class) words=$("$1" describe 2>&1 | sed -n 's/^ *\([a-z_]*\) .*/\1/p') ;;
	--spool | --store | --cgroup | --state)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	*)
		case $word in
		-*) words=$(_hinomi_options "$1" "${COMP_WORDS[1]}") ;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o filenames -F _hinomi hinomi
