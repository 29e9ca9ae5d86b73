# bash completion for crun.  The lists are from crun -h, by test/doc.
_crun_options='--ready -V -c -d -h -n -q -v'
_crun_verbs='list -q
stat
exec -u -w -e
console
log -f -r
stop -t
reboot -t
kill -s
freeze
thaw
set
wait
clean'
_crun_keys='name= rootfs= init= hostname= env= container= userns= uidmap= gidmap= bridge= ip= gateway= dns= ifname= mac= mtu= memory= swap= cpus= cpu.weight= cpuset= pids= io.weight= cgroup. cgroup.view= bind= tmpfs= readonly= caps= seccomp= device= nesting= rlimit. sysctl. stop.signal= reboot.signal= stop.timeout= console.log='
_crun_live='memory= swap= cpus= cpu.weight= cpuset= pids= io.weight= cgroup.'
_crun_values='rootfs=FOLDER
userns=auto|none
cgroup.view=auto|v2|v1|none
bind=SOURCE:TARGET[:OPTION,...]
readonly=yes|no
seccomp=default|none
nesting=yes|no'
# end of the lists

# the containers that run
_crun_names() {
	command crun list -q 2>/dev/null
}

# the files of /etc/crun by their short names, and those here
_crun_files() {
	local f
	for f in /etc/crun/*.conf; do
		[ ! -e "$f" ] || basename "$f" .conf
	done
	compgen -f -- "$1"
}

# words that begin as the one being typed; a key goes on without a blank
_crun_offer() {
	mapfile -t COMPREPLY <<<"$(compgen -W "$1" -- "$cur")"
	[ "${COMPREPLY[0]}" ] || COMPREPLY=()
	case ${COMPREPLY[0]} in
	*= | *.) compopt -o nospace 2>/dev/null ;;
	esac
}

_crun_key() {
	local key=${cur%%=*} kind
	case $cur in
	*=*) ;;
	*) _crun_offer "$_crun_keys" && return ;;
	esac
	kind=$(grep "^$key=" <<<"$_crun_values")
	cur=${cur#*=}
	case $kind in
	*=FOLDER | *=SOURCE*) mapfile -t COMPREPLY <<<"$(compgen -f -- "$cur")" ;;
	*=*'|'*) _crun_offer "$(tr '|' ' ' <<<"${kind#*=}")" ;;
	esac
}

_crun_verb() {
	local verb=${words[1]} i named=0
	for ((i = 2; i < cword; i++)); do
		case ${words[i]} in
		-[uwets]) [ "${words[i]}" = -e ] || ((i++)) ;;
		-*) ;;
		*) named=$((named + 1)) ;;
		esac
	done
	case $verb:$prev in
	kill:-s) _crun_offer 'HUP INT KILL QUIT TERM USR1 USR2 CONT STOP' ;;
	list:* | clean:*) _crun_offer "$(_crun_letters "$verb")" ;;
	stop:-t | reboot:-t | exec:-[uwe]) ;;
	*)
		if [ "${cur:0:1}" = - ] && [ "$named" -eq 0 ]; then
			_crun_offer "$(_crun_letters "$verb")"
		elif [ "$verb" = set ] && [ "$named" -gt 0 ]; then
			_crun_offer "$_crun_live"
		elif [ "$verb" != exec ] || [ "$named" -eq 0 ]; then
			_crun_offer "$(_crun_names)"
		fi
		;;
	esac
}

# the options of a verb
_crun_letters() {
	grep "^$1 " <<<"$_crun_verbs" | cut -d ' ' -f 2-
}

_crun() {
	local cur prev words cword
	words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	cur=${words[cword]} prev=${words[cword - 1]}
	# bash cuts words at =
	if [ "$cur" = = ]; then
		cur=$prev=
	elif [ "$prev" = = ]; then
		cur=${words[cword - 2]}=$cur
	fi
	COMPREPLY=()
	if [ "$prev" = -c ]; then
		_crun_offer "$(_crun_files "$cur")"
	elif [ "$cword" -eq 1 ] && [ "${cur:0:1}" != - ]; then
		_crun_offer "$(cut -d ' ' -f 1 <<<"$_crun_verbs")"
	elif [ "${words[1]:0:1}" != - ]; then
		_crun_verb
	elif [ "${cur:0:1}" = - ]; then
		_crun_offer "$_crun_options"
	else
		_crun_key
	fi
}
complete -F _crun crun
