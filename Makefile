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

# Libraries that everything needs, and that of one program.  libcurl is loaded
# when the first request is made (lib/libcurl.h).
PKGS         = libtomcrypt sqlite3 zlib
PKG_LOADED   = libcurl
PKG_SERVE    = libmicrohttpd
PKG_MOUNT    = fuse3

# Modules of the library, by floor: each may use those before it.
LIB_0        = compat err mem buf secret set
LIB_1        = b64 json aes aes_x86 aes_arm aescbc kdf sha256_x86 rsa totp
LIB_2        = shape key attr fingerprint chunk link megalink elc elcpage \
               hashcash name node sid block keyring raid names ranges
LIB_3        = libcurl http parts tty out partial dir private resume sort \
               elcusers blocks spool
LIB_4        = password session api account login register cache \
               cachetree pace
LIB_5        = tree journal load event path share wants change copy same \
               folder download finish upload send mirror elcaccount \
               elcclient elcserver content listen
LIB_6        = cmd progress record operand into task
LIB          = $(LIB_0) $(LIB_1) $(LIB_2) $(LIB_3) $(LIB_4) $(LIB_5) $(LIB_6)

# Programs: each is cmd/mega-NAME.c, man/mega-NAME.1, tests/mega-NAME.t.
PROGS        = anon api cat cp df elc get link login logout ls mkdir mv put \
               reg rm sync watch
MOUNT        = main dirs errors events file inode look notice over read \
               recover table write
SERVE        = main web store cs account login signup attrs nodes put share \
               list events ticket transfer part fattr misc populate fault \
               pack

MAN          = $(wildcard man/*.[157])
UNIT         = base json aes aescbc chunk kdf rsa login hashcash key attr \
               fingerprint link megalink elc elcpage elcaccount resume node \
               tree keyring raid pace blocks names ranges spool
TOOLS        = cachedump
FUZZ         = rsa attr link megalink elc json node event login
BENCH        = kernel kdf measure get-plain put-plain

# V=1 shows the commands.
Q            = $(if $(V),,@echo "  $(1) $@";)

HAVE         = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)

CPPFLAGS_ALL = -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 \
               -DMEGAPIPE_VERSION='"$(VERSION)"' -Ilib \
               $(shell $(PKG_CONFIG) --cflags $(PKGS) $(PKG_LOADED) 2>/dev/null) \
               $(CPPFLAGS)
CFLAGS_ALL   = -std=c11 -pthread $(WARN) $(WERROR) $(CFLAGS)
LIBS         = $(BUILD)/libmega.a \
               $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -ltommath -ldl \
               $(LDLIBS)

LIB_OBJ      = $(LIB:%=$(BUILD)/lib/%.o)
PROG_BIN     = $(PROGS:%=$(BUILD)/mega-%)
SERVE_OBJ    = $(SERVE:%=$(BUILD)/cmd/mega-serve/%.o)
MOUNT_OBJ    = $(MOUNT:%=$(BUILD)/cmd/mega-mount/%.o)
UNIT_BIN     = $(UNIT:%=$(BUILD)/unit/%)
TOOL_BIN     = $(TOOLS:%=$(BUILD)/tools/%)
REPLAY_BIN   = $(FUZZ:%=$(BUILD)/replay/%)
BENCH_BIN    = $(BENCH:%=$(BUILD)/bench/%)
HDR          = $(wildcard lib/*.h cmd/mega-serve/*.h cmd/mega-mount/*.h tests/unit/*.h)

# A program whose library is absent is left out, and said so.
ifeq ($(call HAVE,$(PKG_SERVE)),yes)
PROG_BIN    += $(BUILD)/mega-serve
endif
ifeq ($(call HAVE,$(PKG_MOUNT)),yes)
PROG_BIN    += $(BUILD)/mega-mount
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit replay deps demo check check-built asan soak fuzz bench \
        install uninstall clean

all: $(PROG_BIN)
ifneq ($(call HAVE,$(PKG_SERVE)),yes)
	@echo "mega-serve is left out: $(PKG_SERVE) is missing (make deps)"
endif
ifneq ($(call HAVE,$(PKG_MOUNT)),yes)
	@echo "mega-mount is left out: $(PKG_MOUNT) is missing (make deps)"
endif

unit: $(UNIT_BIN) $(TOOL_BIN)

replay: $(REPLAY_BIN)

$(BUILD)/libmega.a: $(LIB_OBJ)
	@rm -f $@
	$(call Q,AR)$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/%.o: %.c $(HDR) Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/mega-serve: $(SERVE_OBJ) $(BUILD)/libmega.a
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $(SERVE_OBJ) $(LIBS) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_SERVE))

$(MOUNT_OBJ): CPPFLAGS += -DFUSE_USE_VERSION=35 \
    $(shell $(PKG_CONFIG) --cflags $(PKG_MOUNT) 2>/dev/null)

$(BUILD)/mega-mount: $(MOUNT_OBJ) $(BUILD)/libmega.a
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $(MOUNT_OBJ) $(LIBS) \
	    $(shell $(PKG_CONFIG) --libs $(PKG_MOUNT))

$(BUILD)/mega-%: $(BUILD)/cmd/mega-%.o $(BUILD)/libmega.a
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS)

$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS)

$(BUILD)/tools/%: $(BUILD)/tests/tools/%.o $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS)

# A fuzz target with a main that runs it over files: needs no clang.
$(BUILD)/replay/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o \
    $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(BUILD)/tests/fuzz/replay.o \
	    $(LIBS)

# A program without its cipher.
$(BUILD)/bench/%-plain: $(BUILD)/cmd/mega-%.o $(BUILD)/tests/bench/plain.o \
    $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS) \
	    -Wl,--wrap=chunk_crypt_jobs,--wrap=chunk_verify

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libmega.a
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $< $(LIBS) \
	    $(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null)

# Set-up: what is missing, by the system's package manager.
deps:
	@tests/deps build test

demo:
	@tests/deps build demo
	@$(MAKE) --no-print-directory -s all
	@BUILD=$(abspath $(BUILD)) tests/demo

# Everything, in a plain build and again under the sanitizers.
check:
	@tests/deps build test
	@$(MAKE) --no-print-directory check-built

ASAN = $(MAKE) --no-print-directory BUILD=build-asan WERROR= \
       CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
       -fno-sanitize-recover=all"

check-built: all unit replay
	@$(ASAN) all unit replay
	@tests/run $(BUILD) build-asan

asan:
	@$(ASAN) all unit replay
	@tests/run build-asan

# What takes long: tests/soak, each part for SOAK_SECONDS.
SOAK_SECONDS ?= 600
soak:
	@tests/deps build test
	@$(MAKE) --no-print-directory all unit
	@BUILD=$(abspath $(BUILD)) SOAK_SECONDS=$(SOAK_SECONDS) \
	    prove -v -e sh tests/soak/*.sh

FUZZ_SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang WERROR= \
	    CFLAGS="-O1 -g -fsanitize=address,undefined,fuzzer-no-link" \
	    build-fuzz/libmega.a $(FUZZ:%=build-fuzz/tests/fuzz/%.o)
	@for t in $(FUZZ); do \
		clang -g -fsanitize=address,undefined,fuzzer -pthread \
		    -o build-fuzz/$$t build-fuzz/tests/fuzz/$$t.o \
		    build-fuzz/libmega.a \
		    `$(PKG_CONFIG) --libs $(PKGS)` -ltommath && \
		mkdir -p build-fuzz/corpus/$$t && \
		build-fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
		    build-fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; \
	done

bench: all $(BENCH_BIN)
	@BUILD=$(abspath $(BUILD)) tests/bench/run

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7
	for p in $(notdir $(PROG_BIN)); do \
		install -m 755 $(BUILD)/$$p \
		    $(DESTDIR)$(BINDIR)/$(PROG_PREFIX)$${p#mega-} || exit 1; \
	done
	for m in $(notdir $(MAN)); do \
		case $$m in mega-*.1) t=$(PROG_PREFIX)$${m#mega-};; \
		*) t=$$m;; esac; \
		install -m 644 man/$$m \
		    $(DESTDIR)$(MANDIR)/man$${m##*.}/$$t || exit 1; \
	done

uninstall:
	for p in $(notdir $(PROG_BIN)); do \
		rm -f $(DESTDIR)$(BINDIR)/$(PROG_PREFIX)$${p#mega-}; \
	done
	for m in $(notdir $(MAN)); do \
		case $$m in mega-*.1) t=$(PROG_PREFIX)$${m#mega-};; \
		*) t=$$m;; esac; \
		rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$$t; \
	done

clean:
	rm -rf build build-asan build-fuzz
