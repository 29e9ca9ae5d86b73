# doc.sh - documents and the binary.

doc_check() {
	want 0 sh "$here/test/doc" --check
}
story 'doc: README, crun.1 and -h say the same' doc_check

doc_walls() {
	sed -n '/^How it is shown/,/^Beside/s/^ *\([0-9][0-9]*\)  [A-Za-z].*/\1/p' \
		"$here/README" >told
	sh "$here/test.sh" -l '\(wall [0-9]+\)' |
		sed 's/.*(wall \([0-9]*\)).*/\1/' | sort -nu >shown
	is 'numbers of walls' "$(xargs <told)" "$(xargs <shown)"
	[ "$(wc -l <told)" -gt 15 ] || wrong 'more than 15' "$(cat told)"
}
story 'doc: each wall that README tells of has its stories' doc_walls

doc_mandoc() {
	need mandoc
	want 0 mandoc -T lint -W warning "$here/crun.1"
	prints ''
}
story 'doc: the manual page is well-formed' doc_mandoc

binary_hardened() {
	need readelf
	want 0 readelf -h -l -d -s -W "$crun"
	prints_like 'Type: +DYN'
	prints_like 'GNU_RELRO'
	prints_like 'GNU_STACK.* RW '
	prints_like '(BIND_NOW|FLAGS_1.*NOW)'
	prints_like '__stack_chk_fail'
	! grep -q -e INTERP -e NEEDED out ||
		wrong 'no interpreter, no library' "$(cat out)"
}
story 'doc: (wall 15) the binary is static-PIE, with RELRO, NX and canaries' \
	binary_hardened

binary_size() {
	need strip
	strip -o stripped "$crun"
	size=$(wc -c <stripped)
	[ "$size" -lt 524288 ] || wrong 'less than 512 KiB' "$size"
}
story 'doc: the binary is small' binary_size


secs=

# README's first command, in a copy
doc_make_run() {
	mkdir copy
	cp -a "$here"/* copy/
	echo poweroff | want 0 make -C copy run
	prints_like 'Requesting system poweroff'
}
limit=200
story 'doc: make run' doc_make_run

doc_no_library() {
	need ldd
	rc=0
	cmd="ldd $crun"
	ldd "$crun" >out 2>&1 || rc=$?
	prints_like '(statically linked|not a dynamic executable)'
}
story 'doc: the binary needs no library' doc_no_library

# alone in a folder, with no file of the system's
doc_alone() {
	mkdir -p alone/rootfs
	cp "$crun" alone/crun
	cp -a "$root/." alone/rootfs
	printf 'name=alone\nrootfs=/rootfs\n' >alone/c.conf
	conf bind="$t/alone:/mnt"
	want 0 chroot alone /crun -n -c /c.conf
	prints_like '^rootfs=/rootfs$'
}
story 'doc: it runs where there is nothing else' doc_alone
