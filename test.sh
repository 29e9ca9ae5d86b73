#!/bin/sh
# test.sh - every test of crun.
#
#	./test.sh [-ackl] [-j N] [NAME ...]
#
# runs the stories of "make test"; with NAME (grep -E) all those whose title
# matches one of them.
#
#	-a	the long ones too: all trees, machines and kernels (make test-all)
#	-c	only those that the layout of cgroups can change, or that need
#		what many kernels do not have
#	-k	only those that a kernel, or that layout, can change
#	-l	list them
#	-j N	N side by side; without it two more than processors, one of
#		them for stories that wait
#
# The stories stand in test/stories/, in a file for each part of crun.  A line
#
#	story [-cklsw] TITLE COMMAND [ARG ...]
#
# (test/lib/story.sh) runs COMMAND, mostly the function over it, in a shell and
# a folder of its own, with a time limit.  What COMMAND is made of stands in
# test/lib/steps.sh.  After each story the host is compared with what it was
# before (test/host.c): what a container leaves behind fails its story.
#
# The stories run in lines side by side.  As root each line has mount, network
# and pid namespaces of its own (test/lib/line.sh): its bridge, and all that
# might be left, is not seen by the rest of the machine.  In a virtual machine
# of test/vm (CRUN_IN_VM) there is one line, and the host itself is looked at.
#
# The last line is the sum; the exit status is 0 when nothing has failed.
set -eu
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
umask 022

here=$(cd "$(dirname "$0")" && pwd -P)
crun=$here/crun
pty=$here/build/test/pty
probe=$here/build/test/probe
uid=$(id -u)
# every time limit is multiplied by it: what else runs takes its time
slow=$(awk -v n="$(getconf _NPROCESSORS_ONLN)" '{ print 1 + int($1 / n) }' \
	/proc/loadavg)
fewer=1			# what is done many times is done so much less often
races=50		# how often a race is run
[ ! "${CRUN_IN_VM:-}" ] || slow=4 fewer=4 races=25
races=${CRUN_RACES:-$races}

. "$here/test/lib/story.sh"
. "$here/test/lib/line.sh"
. "$here/test/lib/steps.sh"

wrong_call() {
	sed -n '4s/^#	/usage: /p' "$0" >&2
	exit 2
}

all='' only='' list='' lines=$(($(getconf _NPROCESSORS_ONLN) + 2)) line=''
[ ! "${CRUN_IN_VM:-}" ] || lines=1
while getopts acklj:w: option; do
	case $option in
	a) all=1 ;;
	c) only=c ;;
	k) only=ck ;;
	l) list=1 ;;
	j) lines=$OPTARG ;;
	w) line=$OPTARG ;;
	*) wrong_call ;;
	esac
done
shift $((OPTIND - 1))

if [ "$line" ]; then	# one of the lines, called below
	run_line "$@"
	exit
fi

run=$(mktemp -d /var/tmp/crt.XXXXXX)
trap end_run EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
names_of_line 0
load_stories
choose "$@" >"$run/chosen"
if [ "$list" ]; then
	sort -n -k 2 "$run/chosen" | cut -d ' ' -f 4-
	exit
fi
[ -s "$run/chosen" ] || echo 'no story has such a name; -l lists them' >&2
prepare
begin_lines "$lines" working waiting
begin_lines 1 alone
sum
