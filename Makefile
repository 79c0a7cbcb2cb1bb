# GNU make.  "make demo" and "make check" do all the set-up themselves.

BUILD       ?= build
PREFIX      ?= /usr/local
BINDIR      ?= $(PREFIX)/bin
MANDIR      ?= $(PREFIX)/share/man
PROG_PREFIX ?= mega-

CC          ?= cc
PKG_CONFIG  ?= pkg-config
CFLAGS      ?= -O2 -g
WERROR      ?= -Werror
WARN         = -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
               -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
               -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef

VERSION      = 0.1

# Libraries that everything needs, and those of one program each.
PKGS         = libcurl libtomcrypt sqlite3 zlib
PKG_SERVE    = libmicrohttpd
PKG_MOUNT    = fuse3

# Modules of the library, by floor.
LIB_0        = compat err mem buf secret
LIB_1        = b64 json aes aes_x86 kdf rsa totp
LIB_2        = shape key attr fingerprint chunk link hashcash
LIB_3        = http tty out
LIB_4        = session api account
LIB_5        = tree path download upload
LIB_6        = cmd progress
LIB          = $(LIB_0) $(LIB_1) $(LIB_2) $(LIB_3) $(LIB_4) $(LIB_5) $(LIB_6)

# Programs: each is cmd/mega-NAME.c, man/mega-NAME.1, tests/mega-NAME.t.
PROGS        = login logout anon ls get cat put link
SERVE        = main http store cs account nodes events transfer fault

UNIT         = base json aes chunk kdf rsa hashcash key attr fingerprint \
               link

HAVE = $(foreach p,$(1),$(shell $(PKG_CONFIG) --exists $(p) 2>/dev/null || echo $(p)))

CPPFLAGS_ALL = -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 \
               -DMEGAPIPE_VERSION='"$(VERSION)"' -Ilib \
               $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) $(CPPFLAGS)
CFLAGS_ALL   = -std=c11 -pthread $(WARN) $(WERROR) $(CFLAGS)
LIBS         = $(BUILD)/libmega.a \
               $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -ltommath \
               $(LDLIBS)

LIB_OBJ      = $(LIB:%=$(BUILD)/lib/%.o)
PROG_BIN     = $(PROGS:%=$(BUILD)/mega-%)
SERVE_OBJ    = $(SERVE:%=$(BUILD)/cmd/mega-serve/%.o)
UNIT_BIN     = $(UNIT:%=$(BUILD)/unit/%)
HDR          = $(wildcard lib/*.h cmd/mega-serve/*.h tests/unit/*.h)

ifeq ($(call HAVE,$(PKG_SERVE)),)
PROG_BIN    += $(BUILD)/mega-serve
else
$(info mega-serve is left out: $(PKG_SERVE) is not installed (make deps))
endif

.DELETE_ON_ERROR:
.PHONY: all programs unit deps demo check asan fuzz bench install uninstall clean

all: programs

programs: $(PROG_BIN)

unit: $(UNIT_BIN)

$(BUILD)/libmega.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/%.o: %.c $(HDR) Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(CPPFLAGS_$(*F)) -c -o $@ $<

$(BUILD)/mega-serve: $(SERVE_OBJ) $(BUILD)/libmega.a
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $(SERVE_OBJ) $(LIBS) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_SERVE))

$(BUILD)/mega-%: $(BUILD)/cmd/mega-%.o $(BUILD)/libmega.a
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS)

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS)

clean:
	rm -rf $(BUILD) build-*
