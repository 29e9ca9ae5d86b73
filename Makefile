# crun: make, make run, make test, make bench, make check, make install
#
# With musl-gcc (Debian: musl-tools) libcap-ng is built for musl from the
# distribution's own source package.  Any other CC links the system's static
# libcap-ng: on Alpine libcap-ng-static, on glibc libcap-ng-dev.

PREFIX = /usr/local
MANDIR = $(PREFIX)/share/man
CC := $(shell command -v musl-gcc || echo cc)
MIRROR = http://deb.debian.org/debian

# A room is a folder: see crun.h.
SRC = $(wildcard *.c lib/*.c conf/*.c idmap/*.c mount/*.c cgroup/*.c net/*.c \
	ns/*.c sec/*.c tty/*.c sup/*.c cmd/*.c)
HDR = crun.h config.h $(wildcard */*.h)
OBJ = $(SRC:%.c=build/%.o)

WARN = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic
CFLAGS = -Os -g
HARDEN = -fPIE -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=. \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
LINK = -Wl,-z,relro,-z,now,-z,noexecstack,--build-id=none,--gc-sections

ifneq (,$(findstring musl-gcc,$(CC)))
# musl-gcc sees no kernel headers, and its specs know no static-PIE
ARCH := $(shell cc -print-multiarch 2>/dev/null)
CRT = /usr/lib/$(subst gnu,musl,$(ARCH))
INC = -isystem build/include
CAPNG = build/libcap-ng.a
STATIC = -nostartfiles -static -Wl,-pie,--no-dynamic-linker,-z,text \
	$(CRT)/rcrt1.o $(CRT)/crti.o
END = $(CAPNG) $(CRT)/crtn.o
else
STATIC = -static-pie
END = -lcap-ng
endif

all: crun

# make V=1 shows the whole commands
Q = $(if $(V),,@)
SAY = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@echo)

crun: $(OBJ) $(CAPNG)
	$(SAY) ld $@
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(STATIC) $(OBJ) $(END)

build/%.o: %.c $(HDR) Makefile $(CAPNG)
	@mkdir -p $(@D)
	$(SAY) cc $<
	$(Q)$(CC) $(WARN) $(CFLAGS) $(HARDEN) -I. $(INC) -c -o $@ $<

build/include:
	@mkdir -p build/include.new
	$(Q)ln -sfn /usr/include/linux build/include.new/linux
	$(Q)ln -sfn /usr/include/asm-generic build/include.new/asm-generic
	$(Q)ln -sfn /usr/include/$(ARCH)/asm build/include.new/asm
	$(Q)mv build/include.new $@

build/libcap-ng.a: | build/include
	$(Q)CC='$(CC)' MIRROR='$(MIRROR)' sh test/libcap-ng build

# The packages that a target needs; nothing is done where all are there.
setup:
	sh test/setup build

run:
	sh test/setup build demo
	@$(MAKE) --no-print-directory crun >&2
	sh test/demo

test:
	sh test/setup build test
	@$(MAKE) --no-print-directory crun
	./test.sh

# Also the OS folders, machines and kernels that take long, and races ten times
# as long: before a release.
test-all:
	sh test/setup build test
	@$(MAKE) --no-print-directory crun
	CRUN_RACES=$${CRUN_RACES:-500} ./test.sh -a

# Does a story fail when a line of the program is wrong?
mutants:
	sh test/setup build test
	@$(MAKE) --no-print-directory crun
	sh test/mutants

bench:
	sh test/setup build bench
	@$(MAKE) --no-print-directory crun
	sh test/bench

check:
	sh test/setup build check
	@$(MAKE) --no-print-directory crun
	sh test/check

# The unit goes to where systemd looks; the OpenRC script to /etc/init.d where
# there is OpenRC, or to INITDIR.
UNITDIR = $(PREFIX)/lib/systemd/system
INITDIR := $(shell test ! -e /sbin/openrc-run || echo /etc/init.d)
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
HERE = sed 's,/usr/local/bin/crun,$(PREFIX)/bin/crun,'

install: crun
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR)
	cp crun $(DESTDIR)$(PREFIX)/bin/crun
	strip $(DESTDIR)$(PREFIX)/bin/crun
	chmod 755 $(DESTDIR)$(PREFIX)/bin/crun
	cp crun.1 $(DESTDIR)$(MANDIR)/man1/crun.1
	cp etc/completion.bash $(DESTDIR)$(BASHDIR)/crun
	cp etc/completion.zsh $(DESTDIR)$(ZSHDIR)/_crun
	$(HERE) etc/crun@.service >$(DESTDIR)$(UNITDIR)/crun@.service
	chmod 644 $(DESTDIR)$(MANDIR)/man1/crun.1 $(DESTDIR)$(BASHDIR)/crun \
		$(DESTDIR)$(ZSHDIR)/_crun $(DESTDIR)$(UNITDIR)/crun@.service
ifneq (,$(INITDIR))
	mkdir -p $(DESTDIR)$(INITDIR)
	$(HERE) etc/crun.openrc >$(DESTDIR)$(INITDIR)/crun
	chmod 755 $(DESTDIR)$(INITDIR)/crun
endif

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/crun $(DESTDIR)$(MANDIR)/man1/crun.1 \
		$(DESTDIR)$(BASHDIR)/crun $(DESTDIR)$(ZSHDIR)/_crun \
		$(DESTDIR)$(UNITDIR)/crun@.service
ifneq (,$(INITDIR))
	rm -f $(DESTDIR)$(INITDIR)/crun
endif

# The names of the sources, for the tests.
sources:
	@echo $(SRC) $(HDR)

clean:
	rm -rf build crun

.PHONY: all setup run test test-all mutants bench check sources install uninstall clean
