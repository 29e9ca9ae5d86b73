# keys.sh - each key of a file: what is taken, what is refused.

needs_root=''

# web.conf, with line 4 for the story, and what its keys need around it
web_conf() {
	printf '%s\n' '# a comment' 'rootfs=/r' 'bridge=br0' "$1" \
		'ip=10.0.0.2/24' >web.conf
	case $1 in
	rootfs=*) sed -i 2s/.*// web.conf ;;
	bridge=*) sed -i 3s/.*// web.conf ;;
	uidmap=*) echo 'gidmap=0:1:1' >>web.conf ;;
	gidmap=*) echo 'uidmap=0:1:1' >>web.conf ;;
	esac
}

good() {
	web_conf "$1"
	want 0 "$crun" -n -c web.conf
	lines 0
	grep -qxF -e "$1" out || wrong "on standard output: $1" "$(cat out)"
}

while IFS= read -r row; do
	story "config: $row is taken" good "$row"
done <<'END'
name=web-1_x.2
rootfs=/srv/web
rootfs.follow=yes
init=/sbin/init --verbose 3
hostname=web.example
env=LANG=C
env=EMPTY=
container=docker
userns=auto
userns=none
userns=100000
userns=100000:4096
uidmap=0:100000:65536
gidmap=0:100000:65536
bridge=br-lan.5
net=bridge
eth1.net=nat
dhcp=yes
port=8080:80
port=8080:80/tcp
port=198.51.100.2:53:53/udp
port=8000-8010:80-90
vlan=4094
route=10.1.0.0/16
route=10.1.0.0/16:10.0.0.1
route=0.0.0.0/0
gateway=10.9.9.9:onlink
gateway=auto
gateway=fe80::1
host.link=web0
isolate=yes
ip=10.1.2.3/8
ip=fd00::1/64
gateway=10.0.0.1
dns=9.9.9.9
dns=2620:fe::fe
ifname=net0
mac=02:00:00:00:00:01
mtu=1400
memory=512M
memory=1T
memory=1048576
swap=0
cpus=1.5
cpus=0.01
cpu.weight=10000
cpuset=0-1,3
pids=500
io.weight=1
cgroup.memory.high=400M
cgroup.cgroup.max.depth=3
cgroup.view=v1
bind=/a:/b
bind=/a:/b/c:ro,nosuid,nodev,noexec,rec,optional,idmap,follow
tmpfs=/t
tmpfs=/t:size=1M,mode=700
readonly=yes
caps=+net_raw -mknod
device=/dev/disk/by-id/a:rw,follow
device=/dev/sr0:follow
nesting=yes
rlimit.nofile=1024:4096
rlimit.core=unlimited
sysctl.net.ipv4.ip_forward=1
sysctl.net.ipv4.conf.eth0/1.rp_filter=1
stop.signal=RTMIN+4
stop.signal=SIGPWR
reboot.signal=15
stop.timeout=86400
console.log=64K
END

# bad KEY=VALUE WHY: one line with FILE:LINE, the key, and why
bad() {
	web_conf "$1"
	want 2 "$crun" -n -c web.conf
	prints ''
	says "^crun: web.conf:4: ${1%%=*}[ =].*$2"
	lines 1
}

long64=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg
while IFS='|' read -r row why; do
	story "config: $row is refused" bad "$row" "$why"
done <<END
name=.web|the first neither
name=-web|the first neither
name=a/b|letters, digits
name=a b|letters, digits
name=${long64}x|longer than 64
rootfs=|no value
init=sbin/init|absolute
hostname=a b|letters
hostname=-web|letters
hostname=${long64}x|at most 64
env=LANG|NAME=VALUE
env==C|NAME=VALUE
env=1A=b|NAME=VALUE
env=A-B=c|NAME=VALUE
container=a b|letters
userns=yes|auto, none
userns=0|from 1 up
userns=-1|from 1 up
userns=100000:0|HOSTID:COUNT
userns=4294967295|auto, none
userns=1000:4294967000|auto, none
uidmap=0:1|INSIDE:OUTSIDE:COUNT
uidmap=0:1:0|INSIDE:OUTSIDE:COUNT
uidmap=0:1:2:3|INSIDE:OUTSIDE:COUNT
uidmap=0:root:1|INSIDE:OUTSIDE:COUNT
uidmap=0:4294967290:100|32 bits
uidmap=0:0:65536|maps the host.s root
gidmap=5:0:1|maps the host.s root
gidmap=0:-1:1|INSIDE:OUTSIDE:COUNT
gidmap=0:4294967296:1|32 bits
port=8080|must be PORT:INSIDE
port=0:80|numbers from 1 to 65535
port=80:65536|numbers from 1 to 65535
port=80-79:1-2|numbers from 1 to 65535
port=80-82:1-2|of one length
port=80:80/sctp|must be tcp or udp
port=host:80:80|is one of IPv4, or of IPv6 between \[ and \]
port=2001:db8::1:80:80|is one of IPv4, or of IPv6 between \[ and \]
port=[192.0.2.1]:80:80|is one of IPv4, or of IPv6 between \[ and \]
port=[fe80::1]:80:80|is of one link alone
port=[]:80:80|is one of IPv4
port=:80:80|is one of IPv4
net=brigde|must be none, nat, bridge, host or host:root
net=nat|bridge is set already
route=10.1.0.0|must be ADDRESS/PREFIX
route=10.1.0.1/16|has bits after the prefix
route=10.1.0.0/33|must be ADDRESS/PREFIX
route=10.1.0.0/16:10.0.0.1/8|the gateway is no
route=fd00::/64:10.0.0.1|the gateway must be of the same family
gateway=10.0.0.1:on|must be an IPv4 or IPv6 address
host.link=a/b|no interface's name
isolate=perhaps|must be yes or no
vlan=0|from 1 to 4094
vlan=4095|from 1 to 4094
eth1.macvlan=a:b|bridge, private, vepa or passthru
eth1.ipvlan=a:l4|l2, l3 or l3s
eth1.phys=a:b|no interface's name
macvlan=eth0|bridge is set already
bridge=a/b|no interface's name
bridge=0123456789abcdef|at most 15
ip=0.0.0.0/0|no address that a host can have
ip=127.0.0.1/8|no address that a host can have
ip=224.0.0.1/24|no address that a host can have
ip=10.0.0.0/24|no address that a host can have
ip=10.0.0.255/24|no address that a host can have
ip=::1/64|no address that a host can have
ip=ff02::1/64|no address that a host can have
mac=00:00:00:00:00:00|not all of it may be zero
ifname=default|not lo, all or default
bind=/etc:/proc|what crun mounts itself
bind=/etc://sys/|what crun mounts itself
tmpfs=/dev|what crun mounts itself
ip=10.0.0.1|no prefix.*10.0.0.1/24
ip=fd00::1|no prefix.*fd00::1/64
ip=10.0.0.1/33|no IPv4 or IPv6
ip=10.0.0.256/24|no IPv4 or IPv6
ip=fd00::1/129|no IPv4 or IPv6
ip=10.0.0.1/|no IPv4 or IPv6
ip=web/24|no IPv4 or IPv6
gateway=10.0.0.1/24|without a prefix
gateway=router|must be an IPv4 or IPv6
gateway=10.9.0.1|subnet of no ip
gateway=fd00::1|needs an ip of its kind
dns=example.org|no IPv4 or IPv6
dns=9.9.9.9/32|without a prefix
ifname=lo|not lo
ifname=eth/0|no interface's name
ifname=..|no interface's name
ifname=0123456789abcdef|at most 15
mac=02:00:00:00:00|six bytes
mac=02-00-00-00-00-01|six bytes
mac=02:00:00:00:00:0g|six bytes
mac=03:00:00:00:00:01|multicast
mtu=67|from 68 to 65535
mtu=65536|from 68 to 65535
mtu=large|from 68 to 65535
memory=1023K|at least 1048576
seccomp=maybe|must be default or none
device=/etc/passwd|must be /dev/NAME
device=fuse|must be /dev/NAME
device=/dev/|must be /dev/NAME
device=/dev/../etc/passwd|must be /dev/NAME
device=/dev/fuse:|has no access
device=/dev/fuse:rx|x: access is one or more of r
device=/dev/fuse:rw,|has no access
device=/dev/fuse:r,optional|o: access is one or more of r
device=/dev/pts/3|is one that every container has of its own
device=/dev/console|is one that every container has of its own
device=all:r|must be /dev/NAME
console.log=1K|at least 16384
console.log=2G|at most 1073741824
memory=1.5G|digits, then
memory=512X|digits, then
memory=-1|digits, then
memory=512 M|digits, then
memory=99999999999999999999|digits, then
memory=8388608T|digits, then
swap=lots|digits, then
cpus=0|from 0.01
cpus=1.2345|from 0.01
cpus=1.|from 0.01
cpus=-1|from 0.01
cpus=8193|to 8192
cpu.weight=0|from 1 to 10000
cpu.weight=10001|from 1 to 10000
cpuset=3-1|list of processors
cpuset=0-|list of processors
cpuset=0,,1|list of processors
cpuset=all|list of processors
pids=0|from 1 to
pids=4194305|from 1 to
io.weight=0|from 1 to 10000
io.weight=many|from 1 to 10000
cgroup.memory=1|no file of a controller
cgroup.memory.=1|no file of a controller
cgroup.memory./../x=1|no file of a controller
cgroup.cgroup.procs=1|only the max
cgroup.view=v3|auto, v2, v1 or none
bind=/a|SOURCE:TARGET
bind=/a:b|absolute
bind=/a:/|absolute
bind=/a:/b/../c|must not contain
bind=/a:/b:rw|unknown option rw
bind=/a:/b:ro,|unknown option
tmpfs=t|absolute
tmpfs=/./t|must not contain
tmpfs=/t:size=0|bad option size=0
tmpfs=/t:size=x|bad option size=x
tmpfs=/t:mode=999|bad option mode=999
tmpfs=/t:uid=1|bad option uid=1
readonly=true|yes or no
rootfs.follow=1|yes or no
nesting=1|yes or no
caps=net_raw|must be
caps=+nothing|must be
caps=+|must be
rlimit.files=1|no such limit
rlimit.nofile=9:8|SOFT not above HARD
rlimit.nofile=few|SOFT or SOFT:HARD
rlimit.nofile=1:2:3|SOFT or SOFT:HARD
sysctl.kernel.panic=1|not namespaced
sysctl.vm.swappiness=1|not namespaced
sysctl.kernel.hostnamex=1|not namespaced
sysctl.net/../vm/swappiness=1|no name of a sysctl
stop.signal=FOO|must be a signal
stop.signal=0|must be a signal
stop.signal=65|must be a signal
stop.signal=RTMIN+31|must be a signal
reboot.signal=TERM+1|must be a signal
stop.timeout=0|from 1 to 86400
stop.timeout=86401|from 1 to 86400
stop.timeout=soon|from 1 to 86400
END

# conf_n LINE...: web.conf of these lines
lines_of() {
	printf '%s\n' "$@" >web.conf
}

# refused REGEX LINE...: that web.conf is refused with that one line
refused() {
	why=$1
	shift
	lines_of "$@"
	want 2 "$crun" -n -c web.conf
	prints ''
	says "^crun: $why"
	lines 1
}

while IFS='|' read -r title why conf; do
	# shellcheck disable=SC2086 # a word a line of the file
	story "config: $title" refused "$why" $conf
done <<'END'
an unknown key names the nearest|web.conf:2: .*memroy.*mean memory|rootfs=/r memroy=1M
a key's beginning names it|web.conf:2: .*mem; did you mean memory|rootfs=/r mem=1M
a key of a family that is misspelt|web.conf:2: .*rlimt.nofile; did you mean rlimit.nofile|rootfs=/r rlimt.nofile=5
a key with another alphabet's letter|web.conf:2: .*which has a character that no key has|rootfs=/r mеmory=1M
an ip twice is refused|web.conf:4: ip 10.0.0.2/16 is set twice|rootfs=/r bridge=b ip=10.0.0.2/24 ip=10.0.0.2/16
a gateway that is an ip is refused|web.conf:4: gateway 10.0.0.2 is the container's own|rootfs=/r bridge=b ip=10.0.0.2/24 gateway=10.0.0.2
an mtu too small for IPv6 is refused|web.conf:4: mtu must be 1280|rootfs=/r bridge=b ip=fd00::2/64 mtu=1000
a key like no other is named|web.conf:2: .*blah|rootfs=/r blahblahblah=1
a family needs a name after its dot|web.conf:2: rlimit. needs a name|rootfs=/r rlimit.=5
a line without = is refused|web.conf:2: no =|rootfs=/r memory
a line without a key is refused|web.conf:2: |rootfs=/r =5
a key without a value is refused|web.conf:2: memory has no value|rootfs=/r memory=
a key twice names the first line|web.conf:3: pids is set twice.*line 1|pids=1 rootfs=/r pids=2
a family's name twice is refused|web.conf:3: rlimit.nofile is set twice|rlimit.nofile=1 rootfs=/r rlimit.nofile=2
rootfs is needed|web.conf: rootfs is not set|memory=1M
an ip without a bridge is refused|web.conf:2: ip needs a kind of link|rootfs=/r ip=10.0.0.1/24
a mac without a bridge is refused|web.conf:2: mac needs a kind of link|rootfs=/r mac=02:00:00:00:00:01
a gateway without an ip is refused|web.conf:3: gateway 10.0.0.1 needs an ip|rootfs=/r bridge=b gateway=10.0.0.1
net=bridge without a bridge|web.conf:2: net=bridge needs bridge=|rootfs=/r net=bridge
net=bridge and another kind|web.conf:3: net=bridge needs bridge=|rootfs=/r macvlan=eth0 net=bridge
net=nat and a bridge|web.conf:3: bridge=b: net is set already|rootfs=/r net=nat bridge=b
net=nat and two addresses|web.conf:4: with net=nat there may be one ip|rootfs=/r net=nat ip=10.88.0.2/24 ip=10.88.0.3/24
a port of a macvlan|web.conf:3: port needs net=nat or a bridge|rootfs=/r macvlan=e port=1:1
a port without an address|web.conf:3: port needs an IPv4 ip|rootfs=/r bridge=b port=1:1
a port that is forwarded already|web.conf:4: port 85:1 is forwarded already, by 80-90:180-190|rootfs=/r net=nat port=80-90:180-190 port=85:1
a port of another interface that is forwarded already|web.conf:5: eth1.port 1:1 is forwarded already|rootfs=/r net=nat port=1:1 eth1.net=nat eth1.port=1:1
hosts of a bridge|web.conf:3: hosts needs net=nat|rootfs=/r bridge=b hosts=yes
hosts with the network of the host|web.conf:3: hosts needs net=nat|rootfs=/r net=host hosts=yes
nat6 of a bridge|web.conf:3: nat6 needs net=nat|rootfs=/r bridge=b nat6=yes
spoof=no of a macvlan|web.conf:3: spoof=no needs net=nat or a bridge|rootfs=/r macvlan=e spoof=no
dhcp of a macvlan|web.conf:3: dhcp needs net=nat or a bridge|rootfs=/r macvlan=e dhcp=yes
dhcp without an address|web.conf:3: dhcp has no IPv4 ip to give|rootfs=/r bridge=b dhcp=yes
net=nat and a vlan|web.conf:3: vlan cannot be set with net=nat|rootfs=/r net=nat vlan=7
net=none and a bridge|web.conf:3: net=none, but bridge is set|rootfs=/r bridge=b net=none
net=host and a bridge|web.conf:3: bridge cannot be set with net=host|rootfs=/r net=host bridge=b
net=host and an ifname|web.conf:3: ifname cannot be set with net=host|rootfs=/r net=host ifname=a
net=host and another interface|web.conf:3: eth1.bridge cannot be set with net=host|rootfs=/r net=host eth1.bridge=b
net=host of one interface|web.conf:2: eth1.net=host: is of the whole container|rootfs=/r eth1.net=host
net=host and a sysctl of the network|web.conf:3: sysctl.net.ipv4.ip_forward cannot be set with net=host|rootfs=/r net=host sysctl.net.ipv4.ip_forward=1
a vlan without a link is refused|web.conf:2: vlan needs a kind of link|rootfs=/r vlan=5
an ifname without a link is refused|web.conf:2: ifname is of no link|rootfs=/r ifname=a
a mac with ipvlan is refused|web.conf:3: mac cannot be set with ipvlan|rootfs=/r ipvlan=e mac=02:00:00:00:00:01
a mac with mode passthru is refused|web.conf:3: mac cannot be set with mode passthru|rootfs=/r macvlan=e:passthru mac=02:00:00:00:00:01
two kinds of link are refused|web.conf:3: macvlan=e: bridge is set already|rootfs=/r bridge=b macvlan=e
a gateway of a route outside the subnets|web.conf:4: route 10.5.0.0/16:10.4.0.1 is in the subnet of no ip.*add a route to it|rootfs=/r bridge=b ip=10.0.0.2/24 route=10.5.0.0/16:10.4.0.1
gateway=auto without a bridge|web.conf:4: gateway=auto needs a bridge|rootfs=/r macvlan=b ip=10.0.0.2/24 gateway=auto
gateway=auto twice|web.conf:5: gateway=auto is set twice|rootfs=/r bridge=b ip=10.0.0.2/24 gateway=auto gateway=auto
gateway=auto without an ip|web.conf:3: gateway=auto needs an ip|rootfs=/r bridge=b gateway=auto
host.link of a macvlan|web.conf:3: host.link needs a bridge|rootfs=/r macvlan=b host.link=c
isolate of a macvlan|web.conf:3: isolate needs a bridge|rootfs=/r macvlan=b isolate=yes
an unknown key of an interface|web.conf:2: .*eth1.brigde; did you mean eth1.bridge|rootfs=/r eth1.brigde=b
a key of the whole container with an interface|web.conf:2: .*memory is no key of an interface|rootfs=/r eth1.memory=1M
a key of an interface twice|web.conf:3: eth1.bridge is set twice.*line 2|rootfs=/r eth1.bridge=b eth1.bridge=c
a key of the first interface twice, once by its name|web.conf:3: bridge is set twice.*line 2|rootfs=/r bridge=b eth0.bridge=c
a key of an interface of no name|web.conf:2: .bridge: "" is no interface|rootfs=/r .bridge=b
a key of an interface lo|web.conf:2: lo.bridge: "lo" is no interface's name|rootfs=/r lo.bridge=b
a second interface without a bridge|web.conf:3: eth1.ip needs a kind of link|rootfs=/r bridge=b eth1.ip=10.0.0.2/24
a gateway in another interface's subnet|web.conf:5: eth1.gateway 10.0.0.1 needs an ip|rootfs=/r bridge=b ip=10.0.0.2/24 eth1.bridge=b eth1.gateway=10.0.0.1
a gateway outside the subnets is refused|web.conf:4: gateway 10.0.1.1 is in the subnet of no ip; .* add :onlink|rootfs=/r bridge=b ip=10.0.0.2/24 gateway=10.0.1.1
uidmap without gidmap is refused|web.conf:2: .*gidmap is missing|rootfs=/r uidmap=0:1:1
gidmap without uidmap is refused|web.conf:2: .*uidmap is missing|rootfs=/r gidmap=0:1:1
userns beside uidmap is refused|web.conf:4: userns cannot|rootfs=/r uidmap=0:1:1 gidmap=0:1:1 userns=auto
maps that overlap inside are refused|web.conf:4: uidmap 5:100:10 overlaps|rootfs=/r uidmap=0:1:10 gidmap=0:1:1 uidmap=5:100:10
maps that overlap outside are refused|web.conf:4: gidmap 50:5:10 overlaps|rootfs=/r uidmap=0:1:10 gidmap=0:1:10 gidmap=50:5:10
maps without root are refused|web.conf.*: no gidmap maps|rootfs=/r uidmap=0:1:1 gidmap=1:1:1
END
