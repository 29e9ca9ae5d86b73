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
_crun_keys='name= rootfs= rootfs.follow= init= hostname= env= container= userns= uidmap= gidmap= net= bridge= macvlan= ipvlan= phys= vlan= ip= route= gateway= mac= mtu= host.link= isolate= dhcp= nat6= spoof= port= ifname= dns= hosts= memory= swap= cpus= cpu.weight= cpuset= pids= io.weight= cgroup. cgroup.view= bind= tmpfs= readonly= caps= seccomp= device= nesting= rlimit. sysctl. stop.signal= reboot.signal= stop.timeout= console.log='
_crun_live='memory= swap= cpus= cpu.weight= cpuset= pids= io.weight= cgroup.'
_crun_values='rootfs=FOLDER
rootfs.follow=yes|no
userns=auto|none
net=none|nat|bridge|host
isolate=yes|no
dhcp=yes|no
nat6=yes|no
spoof=yes|no
hosts=yes|no
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
	local verb=${words[1]} i ended=
	# to the first word that is no option nor its argument
	for ((i = 2; i < cword; i++)); do
		case ${words[i]} in
		--) ended=1 && ((i++)) && break ;;
		-[uwets]) ((i++)) ;;
		-*) ;;
		*) break ;;
		esac
	done
	# how far behind that: -1 is in an option's argument, 0 at the NAME
	case $((cword - i)):$verb:$ended$cur in
	-1:kill:*) _crun_offer 'HUP INT KILL QUIT TERM USR1 USR2 CONT STOP' ;;
	-1:*) ;;
	0:list: | 0:*:-*) _crun_offer "$(_crun_letters "$verb")" ;;
	*:list:* | *:clean:*) ;;
	0:* | *:stop:* | *:kill:* | *:freeze:* | *:thaw:*)
		_crun_offer "$(_crun_names)"
		;;
	*:set:*) _crun_offer "$_crun_live" ;;
	esac
}

# the options of a verb
_crun_letters() {
	grep "^$1 " <<<"$_crun_verbs" | cut -d ' ' -f 2-
}

_crun() {
	local cur prev words=() cword i rest=" $COMP_LINE"
	# bash cuts at = and : too; a word of crun's begins after a blank
	for ((i = 0; i <= COMP_CWORD; i++)); do
		case $rest in
		[[:space:]]*) words+=("${COMP_WORDS[i]}") ;;
		*) words[-1]+=${COMP_WORDS[i]} ;;
		esac
		rest=${rest#*"${COMP_WORDS[i]}"}
	done
	cword=$((${#words[@]} - 1))
	cur=${words[cword]} prev=${words[cword - 1]}
	COMPREPLY=()
	if [ "$cword" -eq 1 ] && [ "${cur:0:1}" != - ]; then
		_crun_offer "$(cut -d ' ' -f 1 <<<"$_crun_verbs")"
	elif [[ ${words[1]} != -* && ${words[1]} != *=* ]]; then
		_crun_verb
	elif [[ " ${words[*]:1:cword-1} " = *' -- '* ]]; then
		: # the program's own
	elif [ "$prev" = -c ]; then
		_crun_offer "$(_crun_files "$cur")"
	elif [ "${cur:0:1}" = - ]; then
		_crun_offer "$_crun_options"
	else
		_crun_key
	fi
}
complete -F _crun crun
