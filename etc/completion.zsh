#compdef crun
# zsh completion for crun.  The lists are from crun -h, by test/doc.
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

_crun_names() {
	compadd -- ${(f)"$(command crun list -q 2>/dev/null)"}
}

# the options of a verb
_crun_letters() {
	local line
	for line in ${(f)_crun_verbs}; do
		[[ $line != "$1 "* ]] || compadd -- ${=${line#* }}
	done
}

_crun_key() {
	local key=$words[CURRENT] line
	if [[ $key != *=* ]]; then
		compadd -S '' -- ${=1}
		return
	fi
	key=${key%%=*}
	for line in ${(f)_crun_values}; do
		[[ $line == "$key="* ]] || continue
		compset -P '*='
		case ${line#*=} in
		FOLDER | SOURCE*) _files ;;
		*'|'*) compadd -- ${(s:|:)line#*=} ;;
		esac
	done
}

_crun_verb() {
	local verb=$words[2] ended=
	integer i
	# to the first word that is no option nor its argument
	for (( i = 3; i < CURRENT; i++ )); do
		case $words[i] in
		--) ended=1 && (( i++ )) && break ;;
		-[uwets]) (( i++ )) ;;
		-*) ;;
		*) break ;;
		esac
	done
	# how far behind that: -1 is in an option's argument, 0 at the NAME
	case $(( CURRENT - i )):$verb:$ended$words[CURRENT] in
	-1:kill:*) compadd -- HUP INT KILL QUIT TERM USR1 USR2 CONT STOP ;;
	-1:*) ;;
	0:list: | 0:*:-*) _crun_letters $verb ;;
	*:list:* | *:clean:*) ;;
	0:* | *:stop:* | *:kill:* | *:freeze:* | *:thaw:*) _crun_names ;;
	*:set:*) _crun_key "$_crun_live" ;;
	esac
}

_crun() {
	local line
	if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
		for line in ${(f)_crun_verbs}; do
			compadd -- ${line%% *}
		done
	elif [[ $words[2] != -* && $words[2] != *=* ]]; then
		_crun_verb
	elif [[ " ${words[2,CURRENT-1]} " == *' -- '* ]]; then
		: # the program's own
	elif [[ $words[CURRENT-1] == -c ]]; then
		compadd -- /etc/crun/*.conf(N:t:r)
		_files
	elif [[ $words[CURRENT] == -* ]]; then
		compadd -- ${=_crun_options}
	else
		_crun_key "$_crun_keys"
	fi
}

# the first use loads this file as the function; else a script has read it
if [[ $funcstack[1] == _crun ]]; then
	_crun "$@"
elif (( $+functions[compdef] )); then
	compdef _crun crun
fi
