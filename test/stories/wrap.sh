# wrap.sh - the recipes of README, the files of etc/.

# words WORD...: what bash, which cuts them at =, offers for the last of them
offers_bash() {
	bash -c '. "$0"; PATH=$1:$PATH; shift; COMP_LINE="crun $*"
		read -ra COMP_WORDS <<<"${COMP_LINE//=/ = }"
		[ "${@: -1}" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _crun
		printf "%s\n" "${COMPREPLY[@]}"' \
		"$here/etc/completion.bash" "$here" "$@" >out 2>err
	lines 0
	xargs <out
}

# the same of zsh, at the first use
offers_zsh() {
	cp "$here/etc/completion.zsh" _crun
	zsh -f -c 'compadd() { local w; shift $(( ${@[(i)--]} )); for w; do
			[[ $w != ${words[CURRENT]#*=}* && $w != $words[CURRENT]* ]] || print -r -- $w; done }
		compset() { : }; _files() { print -l -- $words[CURRENT]*(N) }
		fpath=($PWD); autoload -U _crun; path=($0 $path)
		words=(crun "$@") CURRENT=$(( $# + 1 )); _crun' \
		"$here" "$@" >out 2>err
	lines 0
	xargs <out
}

wrap_completion() {
	need "$1"
	shell=$1
	conf
	background -- sleep 1000
	: >c2.conf
	while IFS='|' read -r typed offered; do
		# shellcheck disable=SC2086 # words
		set -- $typed
		[ "${typed% }" = "$typed" ] || set -- "$@" ''
		is "$shell offers for \"$typed\"" "$offered" \
			"$("offers_$shell" "$@")"
	done <<-END
	st|stat stop
	stat |$name
	stop ${name%??}|$name
	stop $name |$name
	set $name me|memory=
	set $name cgr|cgroup.
	exec -|-u -w -e
	log -|-f -r
	exec -u |
	exec -u root |$name
	exec -e A=B |$name
	exec -e A= -w / |$name
	exec $name sh -c |
	reboot -t 5 |$name
	kill -s |HUP INT KILL QUIT TERM USR1 USR2 CONT STOP
	kill -s TERM |$name
	kill $name -s |$name
	exec -- |$name
	exec -- -|
	-c c2|c2.conf
	-c c2.conf readonly=|yes no
	-c c2.conf rea|readonly=
	-c c2.conf cgroup.view=v|v2 v1
	-c c2.conf --r|--ready
	-c c2.conf -- |
	-c c2.conf -- -|
	-c c2.conf -- sh -c c2|
	name=x -c c2|c2.conf
	END
	verb 0 kill "$name"
}
story 'wrap: completion for bash' wrap_completion bash
story 'wrap: completion for zsh' wrap_completion zsh

wrap_install() {
	need strip
	make -s -C "$here" install DESTDIR="$t/d" PREFIX=/usr INITDIR=/etc/init.d \
		>out 2>err || wrong 'status 0' "$(cat err)"
	is 'what is installed' '/etc/init.d/crun 755
/usr/bin/crun 755
/usr/lib/systemd/system/crun@.service 644
/usr/share/bash-completion/completions/crun 644
/usr/share/man/man1/crun.1 644
/usr/share/zsh/site-functions/_crun 644' \
		"$(cd d && find . -type f -printf '/%P %m\n' | sort)"
	! grep -r /usr/local d/etc d/usr/lib || wrong 'PREFIX' '/usr/local'
	want 0 d/usr/bin/crun -V
	make -s -C "$here" uninstall DESTDIR="$t/d" PREFIX=/usr \
		INITDIR=/etc/init.d
	is 'what is left' '' "$(find d -type f)"
}
story 'wrap: make install and uninstall' wrap_install

# host_os TREE: a copy of the tree boots as a host of its own: with crun and a
# folder in it, and as root of this host, so that it can start containers
host_os() {
	copy_tree "$1"
	make -s -C "$here" install DESTDIR="$root" INITDIR=/etc/init.d >out 2>&1
	mkdir -p "$root/etc/crun" "$root/srv"
	cp -a "$T/root" "$root/srv/box"
	echo rootfs=/srv/box >"$root/etc/crun/box.conf"
	conf userns=none nesting=yes seccomp=none \
		stop.timeout="$((60 * slow))"
}

# within STATUS WORD...: in that host
within() {
	s=$1
	shift
	secs=60 verb "$s" exec "$name" "$@"
}

# The unit is active before the container runs.
box_runs() {
	within 0 sh -c 'until crun list | grep -q "^box *running"
		do sleep 0.1; done'
}

wrap_systemd() {
	host_os "$1"
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 systemctl start crun@box
	within 0 systemctl is-active crun@box
	prints active
	box_runs
	within 0 crun exec box true
	within 0 sh -c 'cat /proc/$(crun stat box | sed -n s/^pid=//p)/cgroup'
	prints_like '0::.*/crun@box.service/crun-os/box/payload'
	within 0 systemctl stop crun@box
	within 0 crun list -q
	prints ''
	within 0 systemctl show -P Result crun@box
	prints success
	within 0 find /sys/fs/cgroup -name 'crun*'
	! grep service out || wrong 'no cgroup of it' "$(cat out)"
	# a start that fails has its reason in the journal
	within 0 sh -c 'systemctl start crun@none || :
		until systemctl is-failed crun@none; do sleep 0.1; done
		journalctl --sync; journalctl -o cat -u crun@none'
	prints_like '^crun: none'
	# it ends by itself, and with the host
	within 0 systemctl start crun@box
	box_runs
	within 0 crun stop box
	within 0 systemctl show -P Result crun@box
	prints success
	within 0 systemctl start crun@box
	secs=100 verb 0 stop "$name"
	gone
}
secs=110 limit=200
story 'wrap: crun@.service of systemd' wrap_systemd bookworm

wrap_openrc() {
	host_os "$1"
	ln -s crun "$root/etc/init.d/crun.box"
	secs=100 run 0 -q -d --ready="$((90 * slow))"
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 rc-service crun.box start
	within 0 rc-service crun.box status
	prints_like 'status: running'
	within 0 crun exec box true
	within 0 rc-service crun.box stop
	within 0 crun list -q
	prints ''
	within 3 rc-service crun.box status
	within 0 rc-update add crun.box default
	within 0 rc-service crun.box start
	secs=100 verb 0 stop "$name"
	gone
}
secs=110 limit=200
story -w 'wrap: the script for OpenRC' wrap_openrc openrc

# recipe FIRST-WORDS: the line of README that begins so, without its indent
recipe() {
	line=$(sed -n "s,^    \($1.*\),\1,p" "$here/README" | head -n 1)
	[ "$line" ] || wrong "in README: $1" none
	echo "$line"
}

wrap_inittab() {
	host_os "$1"
	line=$(recipe 'web:')
	is 'a line of inittab' 4 "$(echo "$line" | awk -F: '{ print NF }')"
	echo "$line" | sed 's/^web:2345:/::/; s/crun -c web/crun -c box/' \
		>>"$root/etc/inittab"
	run 0 -q -d --ready
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	soon sh -c "$crun exec $name crun list -q | grep box"
	within 0 crun exec box true
	# powered off, it comes again; killed too
	pid=$("$crun" exec "$name" crun stat box | grep ^pid=)
	within 0 crun stop box
	soon sh -c "$crun exec $name crun stat box | grep ^pid= | grep -vx $pid"
	verb 0 stop "$name"
	gone
}
story 'wrap: a line of inittab' wrap_inittab busybox

wrap_loop() {
	host_os "$1"
	for n in a b c; do
		cp "$root/etc/crun/box.conf" "$root/etc/crun/$n.conf"
		cp -a "$root/srv/box" "$root/srv/$n"
		echo "rootfs=/srv/$n" >"$root/etc/crun/$n.conf"
	done
	run 0 -q -d --ready
	sup=$(sed -n '2s/ .*//p' "/run/crun-os/$name/pid")
	within 0 sh -c "$(recipe 'for f in /etc/crun')"
	within 0 crun list -q
	prints 'a
b
box
c'
	within 0 sh -c "$(recipe 'crun list -q .')"
	within 0 crun list -q
	prints ''
	verb 0 stop "$name"
	gone
}
story 'wrap: every file of /etc/crun, in a loop' wrap_loop busybox

# waiting_below PID: a child of that process has a pidfd
waiting_below() {
	waiting "$(pgrep -P "$1")"
}

wrap_wait() {
	own_root
	conf
	cp c.conf job.conf
	PATH=$here:$PATH
	export PATH
	recipe 'crun -d --ready -c web.conf ||' |
		sed 's/web.conf/job.conf/' >script
	echo "crun exec $name touch /tmp/done && crun stop $name" >>script
	recipe 'crun wait web' | sed "s/web/$name/" >waiter
	want 0 sh -e script
	[ -e "$root/tmp/done" ]
	background --ready
	sh waiter >out 2>err &
	w=$!
	soon waiting_below "$w"
	verb 0 stop "$name"
	ends 0 "$w"
	background --ready
	sh waiter >wout 2>err &
	w=$!
	soon waiting_below "$w"
	verb 0 kill "$name"
	ends 0 "$w"
	is 'what the script says' 'it ended with 137' "$(cat wout)"
	gone
}
story 'wrap: waiting in a script' wrap_wait
