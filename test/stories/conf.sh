# conf.sh - files, their words and the command line.

needs_root=''

# A byte order mark, as some editors put it; slashes as they are typed.
config_lenient() {
	printf '\357\273\277rootfs=//srv//web/\n' >web.conf
	want 0 "$crun" -n -c web.conf
	prints_like '^rootfs=/srv/web$'
}
story 'config: a byte order mark, and slashes too many' config_lenient

config_all_errors() {
	lines_of memory=lots 'rootfs=/r' nonsense=1 'pids=0' 'pids=1'
	want 2 "$crun" -n -c web.conf
	for line in 1 3 4 5; do
		says "^crun: web.conf:$line: "
	done
	lines 4
}
story 'config: all errors are shown at once' config_all_errors

# all that this kernel has, in both of sysctl(8)'s spellings
config_sysctls() {
	find /proc/sys -type f 2>/dev/null | sed 's,^/proc/sys/,,' |
		tr ./ /. | sort >all
	grep -e '^net\.' -e '^kernel\.hostname$' -e '^kernel\.domainname$' \
		-e '^kernel\.sem$' -e '^kernel\.msg' -e '^kernel\.shm' \
		-e '^fs\.mqueue\.' all >own
	grep -vxFf own all >hosts
	[ "$(wc -l <hosts)" -gt 100 ] || wrong 'a hundred' "$(wc -l <hosts)"
	{
		sed 's/.*/sysctl.&=1/' hosts
		tr ./ /. <hosts | sed 's/.*/sysctl.&=1/'
	} >web.conf
	cp web.conf lines
	echo rootfs=/r >>web.conf
	want 2 "$crun" -n -c web.conf
	prints ''
	sed -n 's/^crun: web.conf:\([0-9]*\): .*\(not namespaced\|no name\).*/\1/p' \
		err | sort -nu >seen
	seq "$(wc -l <lines)" >wanted
	cmp -s wanted seen || wrong 'all refused' \
		"$(diff wanted seen | sed -n 's/^< //p' | while read -r n; do
			sed -n "${n}p" lines
		done)"
	{ echo rootfs=/r && sed 's/.*/sysctl.&=1/' own; } >web.conf
	want 0 "$crun" -n -c web.conf
	lines 0
}
story 'config: (wall 14) no sysctl of the host is taken, of all that there are' \
	config_sysctls

# raw FORMAT: web.conf is printf's output
raw() {
	# shellcheck disable=SC2059 # that is what it is for
	printf "$1" >web.conf
}

config_control() {
	raw "$1"
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf:2: .*control character'
	lines 1
}
story 'config: (wall 9) a NUL is refused' config_control 'rootfs=/r\npids=1\0002\n'
story 'config: (wall 9) an escape is refused' config_control \
	'rootfs=/r\nenv=A=\033[31m\n'
story 'config: a lone carriage return is refused' config_control \
	'rootfs=/r\nenv=A=x\ry\n'

config_crlf() {
	raw 'rootfs=/r\r\n\r\n# x\r\npids=5\r\n'
	want 0 "$crun" -n -c web.conf
	prints_like '^pids=5$'
	prints_like '^rootfs=/r$'
}
story 'config: lines may end in CR LF' config_crlf

config_blanks() {
	raw '\n  \t\n  rootfs  =  /r a \t\n\t# x\n pids=7'
	want 0 "$crun" -n -c web.conf
	prints_like '^pids=7$'
	prints_like '^rootfs=/r a$'
}
story 'config: blanks around and a missing last newline are nothing' \
	config_blanks

config_escaped() {
	raw 'rootfs=/r\n'
	want 2 "$crun" -n -c web.conf "$(printf 'env=A=\033[31m')"
	says 'command line: '
	# the first byte of a character, and then none that belongs to one
	want 2 "$crun" -n -c web.conf "$(printf 'a\360\237AA=')"
	says '\\xf0\\x9fAA'
	mkdir "$(printf 'x\033y')"
	want 2 "$crun" -n -c "$(printf 'x\033y/z')"
	says 'x\\x1by/z'
}
story 'config: (wall 9) control characters are never printed as they are' \
	config_escaped

config_long_line() {
	{ echo rootfs=/r && printf 'env=A=%04090d\n' 0; } >web.conf
	want 0 "$crun" -n -c web.conf
	{ echo rootfs=/r && printf 'env=A=%04091d\n' 0; } >web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf:2: .*4096'
	lines 1
	{ echo rootfs=/r && printf '#%04096d\n' 0; } >web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf:2: .*4096'
}
story 'config: (wall 9) a line has at most 4096 bytes' config_long_line

config_long_word() {
	conf
	long=$(printf '%05000d' 7)
	run 2 -n "env=LONG=$long"
	says '^crun: command line: a line of more than 4096 bytes$'
	lines 1
	printf 'rootfs=/\nbind=%s:/mnt\n' "$(printf '%04080d' 7)" >d.conf
	want 2 "$crun" -n -c d.conf
	says '^crun: d.conf:2: a line of more than 4096 bytes$'
}
story 'config: (wall 9) and so have a word and a path' config_long_word

config_large() {
	{
		echo rootfs=/r
		head -c 1048566 /dev/zero | tr '\0' '\n'
	} >web.conf
	want 0 "$crun" -n -c web.conf
	echo >>web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: larger than 1048576'
	want 2 "$crun" -n -c - <web.conf
	says 'larger than 1048576'
	lines 1
}
story 'config: (wall 9) a file has at most 1 MiB' config_large

config_writable() {
	raw 'rootfs=/r\n'
	chmod "$1" web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: .*chmod'
	ln -s web.conf link.conf
	want 2 "$crun" -n -c link.conf
	says '^crun: link.conf: .*chmod'
	lines 1
}
story 'config: (wall 9) a file that its group can write is refused' \
	config_writable 664
story 'config: (wall 9) a file that others can write is refused' \
	config_writable 646

config_foreign() {
	[ "$uid" -eq 0 ] || skip 'only root can give a file away'
	raw 'rootfs=/r\n'
	chown 65534 web.conf
	want 2 "$crun" -n -c web.conf
	says '^crun: web.conf: belongs to user 65534.*chown'
	lines 1
}
story 'config: (wall 9) the file of another user is refused' config_foreign

config_kind() {
	"$1" web.conf
	want 2 "$crun" -n -c web.conf
	says "^crun: web.conf: $2"
	lines 1
}
story 'config: a FIFO is refused and not waited for' config_kind mkfifo \
	'not a regular file'
story 'config: a folder is passed over in the search' config_kind mkdir \
	'no such file here'
story 'config: a missing file is said' config_kind true 'no such file'

config_missing_path() {
	want 2 "$crun" -n -c ./web.conf
	says '^crun: ./web.conf: No such file'
	lines 1
}
story 'config: a path that is missing is said' config_missing_path

config_folder() {
	mkdir web.conf
	want 2 "$crun" -n -c ./web.conf
	says '^crun: ./web.conf: not a regular file'
	lines 1
}
story 'config: a path to a folder is refused' config_folder

config_long_path() {
	want 2 "$crun" -n -c "$(printf '%05000d' 0)"
	says '^crun: 0*'
	lines 1
}
story 'config: a FILE longer than a path can be is refused' config_long_path

config_no_folder() {
	mkdir here
	want 2 sh -c 'cd here && rmdir ../here && exec "$@"' - "$crun" -n -c - \
		rootfs=r bind=s:/t
	says '^crun: the working folder: No such file or directory$'
}
story 'config: a working folder that is gone is said' config_no_folder

# /etc/crun is covered by ours in a mount namespace
config_search() {
	[ "$uid" -eq 0 ] || skip 'only root can mount over /etc'
	mkdir etc
	echo rootfs=/1 >etc/web
	echo rootfs=/2 >etc/web.conf
	echo rootfs=/3 >etc/db.conf
	cat >script <<-'END'
	set -e
	mkdir -p upper work
	mount -t tmpfs none work
	mkdir work/etc work/etc/crun
	cp etc/* work/etc/crun/
	cp /etc/passwd work/etc/
	mount --bind work/etc /etc
	for f in web db web.conf; do
		"$1" -n -c "$f" | grep -e ^rootfs= -e ^name=
	done
	cd work
	! "$1" -n -c etc/db.conf
	echo rootfs=/4 >db
	"$1" -n -c db | grep ^rootfs=
	END
	want 0 unshare -m sh script "$crun"
	prints 'name=web
rootfs=/1
name=db
rootfs=/3
name=web
rootfs=/2
rootfs=/4'
	says '^crun: etc/db.conf: No such file'
}
story 'config: a name is looked for here, then in /etc/crun' config_search

config_stdin() {
	raw 'name=x\nrootfs=r\n'
	want 0 "$crun" -n -c - <web.conf
	prints_like "^rootfs=$t/r\$"
	raw 'name=x\npids=0\nrootfs=r\n'
	want 2 "$crun" -n -c - <web.conf
	says '^crun: .*:2: pids=0'
	raw 'rootfs=/r\n'
	want 2 "$crun" -n -c - <web.conf
	says 'name is not set'
	lines 1
}
story 'config: - is standard input, which needs a name' config_stdin

config_relative() {
	mkdir sub
	printf 'rootfs=r\nbind=../data:/d\n' >sub/web.conf
	want 0 "$crun" -n -c sub/web.conf
	prints_like "^rootfs=$t/sub/r\$"
	prints_like "^bind=$t/sub/../data:/d\$"
	want 0 "$crun" -n -c "$t/sub/web.conf" rootfs=here
	prints_like "^rootfs=$t/here\$"
}
story 'config: relative paths are relative to the file' config_relative

# FILE may be reached by a link, what it names may not
config_relative_link() {
	mkdir -p real/sub
	ln -s real/sub link
	printf 'rootfs=r\nbind=../data:/d\n' >real/sub/web.conf
	want 0 "$crun" -n -c link/web.conf
	prints_like "^rootfs=$t/real/sub/r\$"
	prints_like "^bind=$t/real/sub/../data:/d\$"
	want 0 "$crun" -n -c "$t/link/web.conf"
	prints_like "^rootfs=$t/real/sub/r\$"
	cd link
	want 0 "$crun" -n -c web.conf bind=x:/d
	prints_like "^rootfs=$t/real/sub/r\$"
	prints_like "^bind=$t/real/sub/x:/d\$"
	cd "$t"
	[ "$uid" -eq 0 ] || return 0
	mkdir "$t/root"
	cp "$crun" "$t/root/"
	cp -a "$t/real" "$t/link" "$t/root/"
	want 0 chroot "$t/root" /crun -n -c link/web.conf
	prints_like "^rootfs=/real/sub/r\$"
}
story 'config: relative paths of a file in a folder that is a link' \
	config_relative_link

config_override() {
	lines_of rootfs=/r pids=5 env=A=1 env=B=2 dns=9.9.9.9 \
		rlimit.core=1 rlimit.cpu=2
	want 0 "$crun" -n -c web.conf pids=6 env=C=3 env=D=4 rlimit.core=7
	prints_like '^pids=6$'
	is 'the env keys' 'env=C=3 env=D=4' "$(grep ^env= out | xargs)"
	prints_like '^rlimit.core=7$'
	prints_like '^rlimit.cpu=2$'
	prints_like '^dns=9.9.9.9$'
	want 2 "$crun" -n -c web.conf pids=0
	says '^crun: command line: pids=0'
	for second in 2 ''; do
		want 2 "$crun" -n -c web.conf pids=1 pids="$second"
		says '^crun: command line: pids is set twice'
		lines 1
	done
}
story 'config: KEY=VALUE replaces what the file says' config_override

config_override_bad() {
	lines_of rootfs=/r pids=none
	want 0 "$crun" -n -c web.conf pids=6
	prints_like '^pids=6$'
	want 2 "$crun" -n -c web.conf nosuch=6
	says '^crun: command line: .*nosuch'
}
story 'config: KEY=VALUE replaces a bad value too' config_override_bad

config_unset() {
	lines_of rootfs=/r pids=5 env=A=1 env=B=2 stop.timeout=7
	want 0 "$crun" -n -c web.conf pids= env= stop.timeout=
	prints_like '^#pids=$'
	prints_like '^#env=$'
	prints_like '^stop.timeout=30$'
}
story 'config: an empty KEY= unsets what the file says' config_unset

config_idempotent() {
	lines_of rootfs=r bridge=br0 ip=10.0.0.2/24 gateway=10.0.0.1 \
		'init=/bin/sh -c' bind=a:/b:ro bind=/c:/d env=A=1 \
		cgroup.memory.high=1M rlimit.core=0 sysctl.net.a=b \
		caps=-mknod mac=02:00:00:00:00:01 uidmap=0:1:5 gidmap=0:1:5
	want 0 "$crun" -n -c web.conf
	cp out first
	want 0 "$crun" -n -c - <first
	cmp -s first out || wrong "$(cat first)" "$(cat out)"
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	cp out first
	want 0 "$crun" -n -c - <first
	cmp -s first out || wrong "$(cat first)" "$(cat out)"
}
story 'config: what -n prints is a file that says the same' \
	config_idempotent

config_names() {
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	prints_like '^name=web$'
	cp web.conf .conf
	want 2 "$crun" -n -c .conf
	says '\.conf: no name'
	lines 1
	cp web.conf 'my web.conf'
	want 2 "$crun" -n -c 'my web.conf'
	says 'my web.conf: no name.*set name'
	lines 1
}
story "config: the name is the file's without .conf" config_names

config_init_program() {
	lines_of rootfs=/r init=/sbin/init
	want 2 "$crun" -n -c web.conf -- id
	says '^crun: web.conf:2: init cannot be set beside'
	lines 1
}
story 'config: init beside -- PROGRAM is refused' config_init_program

config_help() {
	want 0 "$crun" -h
	lines 0
	n=$(grep -c '^\[KEY_' "$here/conf/keys.c")
	is 'keys in conf/keys.c' "$n" "$(grep -c '^  [a-z0-9.]*\(NAME\)*=' out)"
	sed -n 's/^\[KEY_.*= { "\([a-z0-9.]*\)".*/\1/p' "$here/conf/keys.c" |
		while read -r key; do
			grep -q "^  ${key}[N=]" out || wrong "$key in -h" ''
		done
	lines_of rootfs=/r
	want 0 "$crun" -n -c web.conf
	is 'keys in -n' "$n" "$(grep -c = out)"
}
story 'config: -h and -n list every key' config_help

# usage STATUS REGEX ARG...
usage() {
	s=$1 regex=$2
	shift 2
	lines_of rootfs=/r
	want "$s" "$crun" "$@"
	says "$regex"
}
config_version() {
	want 0 "$crun" -V
	prints_like '^crun [0-9.]+$'
	lines 0
}
story 'config: -V prints the version' config_version
story 'config: an unknown option is refused' usage 2 'unknown option -x' -x
story 'config: an unknown option among others is refused' usage 2 \
	'unknown option -z' -nz -c web.conf
story 'config: no -c is a usage error' usage 2 '^usage: crun' -n
story 'config: -c without FILE is a usage error' usage 2 '^usage: crun' -c
story 'config: a word that is no KEY=VALUE is refused' usage 2 \
	'"bash" is neither' -n -c web.conf bash
story 'config: -- without PROGRAM is refused' usage 2 '-- needs a PROGRAM' \
	-n -c web.conf --

config_touches_nothing() {
	need strace
	lines_of rootfs=r bridge=nosuch ip=10.0.0.2/24 bind=/nosuch:/x
	want 0 strace -f -o trace "$crun" -n -c web.conf
	# the calls and their flags; not the paths, which may hold such words
	bad=$(sed 's/"[^"]*"//g' trace | grep -E \
		'O_WRONLY|O_RDWR|O_CREAT|mkdir|mount|clone|fork|socket|unlink|chdir' \
		|| :)
	is 'system calls that change something' '' "$bad"
}
story 'config: -n touches nothing' config_touches_nothing

config_full_output() {
	lines_of rootfs=r
	[ -w /dev/full ] || skip 'no /dev/full here'
	rc=0
	cmd='crun -n >/dev/full'
	"$crun" -n -c web.conf >/dev/full 2>err || rc=$?
	is status 125 "$rc"
}
story 'config: -n into a full file fails' config_full_output

config_setuid() {
	[ "$uid" -eq 0 ] || skip 'only root can make a setuid file'
	need setpriv
	cp "$crun" crun
	chmod 4755 crun
	lines_of rootfs=/r
	chmod 755 .
	want 2 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$t/crun" -n -c web.conf
	says 'refuses to run setuid'
	lines 1
	chmod 755 crun
	want 0 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$t/crun" -n -c web.conf
}
story 'config: (wall 10) a setuid copy refuses to run' config_setuid
