# story.sh - what a story is, how it is chosen, run and judged, and the sum.
#
# $run is the folder of the whole run.  In it: chosen, a line LIMIT NUMBER
# FLAGS TITLE for each story to be run; taken/NUMBER for each that a line has
# begun; results, a line for each that has ended.

number=0
limit=60		# seconds that the next story may take
secs=''			# seconds that a command in it may take

# story [-cklsw] TITLE COMMAND [ARG ...]: puts it on the list.
#	-c	the layout of cgroups can change it, v1 or v2; or it needs what
#		many kernels do not have
#	-k	a kernel can
#	-l	long: only with -a, or by its name
#	-s	single: nothing may run beside it
#	-w	it waits for most of its time, and so takes no processor
story() {
	flags=- OPTIND=1
	while getopts cklsw option; do
		flags=$flags$option
	done
	shift $((OPTIND - 1))
	number=$((number + 1))
	eval "title_$number=\$1 flags_$number=\$flags limit_$number=\$limit
		secs_$number=\$secs needs_root_$number=\$needs_root"
	shift
	quote "$@"
	eval "command_$number=\$quoted"
	limit=60
}

# quote WORD...: in $quoted, for eval
quote() {
	quoted=''
	for word; do
		done=''
		while :; do
			case $word in
			*\'*) done="$done${word%%\'*}'\\''" word=${word#*\'} ;;
			*) break ;;
			esac
		done
		quoted="$quoted '$done$word'"
	done
}

load_stories() {
	for stories in "$here"/test/stories/*.sh; do
		needs_root=1
		# shellcheck source=/dev/null
		. "$stories"
	done
}

# choose [NAME ...]: those that take longest first
choose() {
	n=0
	while [ "$n" -lt "$number" ]; do
		n=$((n + 1))
		eval "printf '%s\n' \"\$title_$n\""
	done >"$run/titles"
	printf '%s\n' "$@" >"$run/names"
	if [ "$*" ]; then
		all=1
	fi
	grep -nE -f "$run/names" "$run/titles" | while IFS=: read -r n title; do
		eval "flags=\$flags_$n limit=\$limit_$n"
		case $flags in
		*l*) [ "$all" ] || continue ;;
		esac
		case $flags in
		*["$only"]*) ;;
		*) [ ! "$only" ] || continue ;;
		esac
		echo "$limit $n $flags $title"
	done | sort -s -k 1,1nr
}

# take_stories KIND: runs those of a kind that no other line has taken: alone,
# and if not, waiting or working; 3 is the list
take_stories() {
	exec 3<"$run/chosen"
	while read -r _ n flags _ <&3; do
		case $flags in
		*s*) kind=alone ;;
		*w*) kind=waiting ;;
		*) kind=working ;;
		esac
		[ "$kind" = "$1" ] || continue
		if claim "$n"; then
			judge "$n"
		fi
	done
}

# claim NUMBER: 0 when no line has begun it before
claim() {
	claimed=0
	set -C
	{ true >"$run/taken/$1"; } 2>/dev/null || claimed=1
	set +C
	return "$claimed"
}

# act COMMAND...: this shell is the story's
act() {
	cd "$t"
	: >kids
	cmd='' sup=''
	trap end_of_story EXIT
	trap 'exit 143' TERM
	"$@"
	exit 0
}

# Those that run still are asked to end, and killed 0.3 s later.
end_kids() {
	tries=0
	while read -r p; do
		kill -TERM "$p" 2>/dev/null || :
	done <kids
	while read -r p; do
		while [ -e "/proc/$p/exe" ] && [ "$tries" -lt 15 ]; do
			tries=$((tries + 1))
			sleep 0.02
		done
		kill -KILL "$p" 2>/dev/null || :
	done <kids
}

# What a story has left running or mounted is ended, and whatever else it has
# commands for in "undo".
end_of_story() {
	rc=$?
	trap - EXIT
	[ ! -e undo ] || sh undo >/dev/null 2>&1 || :
	end_kids
	tac mounted 2>/dev/null | while read -r m; do
		umount -l "$m" || :
	done
	case $rc in
	0 | 1 | 77) ;;
	*) echo "status $rc of the story itself, after: $cmd" ;;
	esac
	exit "$rc"
}

# try NUMBER: that story in a process of its own; its status is in rc
try() {
	eval "limit=\$limit_$1 secs=\$secs_$1 command=\$command_$1"
	rc=0
	(eval "act $command") >"$T/log" 2>&1 </dev/null 3<&- &
	job=$!
	"$probe" watch "$((limit * slow))" "$job" &
	watch=$!
	wait "$job" || rc=$?
	wait "$watch" || { rc=$? && echo "no end in $limit s, times $slow" >>"$T/log"; }
	job=''
	[ "$uid" -ne 0 ] || compare || rc=1
}

# judge NUMBER: tries the story and says how it went
judge() {
	number=$1
	eval "title=\$title_$1 needs_root=\$needs_root_$1"
	t=$T/$1
	mkdir "$t"
	if [ "$needs_root" ] && [ "$uid" -ne 0 ]; then
		skipped 'only root can start a container'
	else
		read -r begun _ </proc/uptime
		try "$1"
		read -r ended _ </proc/uptime
		echo "$begun $ended $title" >>"$run/took"
		case $rc in
		0) passed ;;
		77) skipped "$(grep -v '^# ' "$T/log" | tail -n 1)" ;;
		*)
			failed
			[ "$uid" -ne 0 ] || sweep
			;;
		esac
	fi
	rm -rf --one-file-system "$t"
}

# What is printed of one story is one write, as lines run side by side.
passed() {
	if [ -s "$T/log" ] && grep -q '^# ' "$T/log"; then
		printf '%s\n' "ok $number - $title
$(grep '^# ' "$T/log")"
	else
		echo "ok $number - $title"
	fi
	echo passed >>"$run/results"
}

failed() {
	printf '%s\n' "not ok $number - $title
$(awk '{ sub(/^# /, ""); print "# " $0 }' "$T/log")"
	echo failed >>"$run/results"
}

skipped() {
	echo "ok $number - $title # SKIP $1"
	echo "skipped $1" >>"$run/results"
}

# slowest: the stories that took longest, in seconds
slowest() {
	[ ! -e "$run/took" ] || awk '{ s = $2 - $1; $1 = $2 = ""
		if (s > 10) printf "# %d s:%s\n", s, substr($0, 2) }' \
		"$run/took" | sort -k 2,2nr | head -n 12
}

# sum: of all lines, after the reasons of the skips; fails when a story did
sum() {
	sed -n 's/^skipped //p' "$run/results" | sort | uniq -c |
		sed 's/^ *\([0-9]*\)/# \1 skipped:/'
	slowest
	left=$(leftovers)
	[ ! "$left" ] || echo "left behind by some story: $left"
	begun=$(wc -l <"$run/chosen")
	ended=$(wc -l <"$run/results")
	[ "$begun" -eq "$ended" ] ||
		echo "$((begun - ended)) stories were not run to their end"
	for what in passed failed skipped; do
		eval "$what=$(grep -c "^$what" "$run/results")" || :
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$ended" -gt 0 ] && [ "$begun" -eq "$ended" ] &&
		[ ! "$left" ]
}
