# whosends: non-recursive, everything that is made goes to build/.
#   make            the program, build/whosends
#   make demo       installs what is missing, builds, and shows the sample mailbox
#   make check      installs what is missing, builds, and runs every test; there a warning of the compiler is an error
#   make deps       only installs what is missing (make deps-check: for the tests, too)
#   make install    PREFIX=/usr/local DESTDIR=; make uninstall with the same takes away what that puts there
#   make SANITIZE=address,undefined ...   in a directory of its own, build-sanitize/
#   make bench         all of the benchmarks below but bench-imap, and one table of targets at the end; see bench/README.md
#   make bench-ingest  what loading mails costs, beside xmllint and COPY
#   make bench-peers   the same mails read by other programs
#   make bench-query   what answers cost on RECORDS=10000000, and their disk; make bench-growth: what a new mail costs there
#   make bench-year    a generated year of DOMAINS=2000, RECORDS=5000000: whether all senders are found, and how long each report takes
#   make bench-together  what four ingesters at once are worth
#   make bench-imap    what IMAP alone costs, through a round trip of 30 ms
#   make bench-parse   what parsing alone costs, beside xmllint
#   make bench-confine what reading by confined workers costs, beside --no-confine
#   make fault   the matrix of faults as a table; make fault-storm: 200 deaths in 20,000 mails
#   make fuzz   FUZZ_SECONDS=60: every fuzz harness of tests/fuzz, built with clang into build-fuzz/

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/whosends

CC ?= gcc
CFLAGS ?= -O2 -g
WARN ?= -Wall -Wextra -Wshadow -Wconversion
STRICT ?=
SANITIZE ?=
FUZZING ?=
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
B := $(if $(FUZZING),build-fuzz,$(if $(SANITIZE),build-sanitize,build))

MODULES := libxml-2.0 libpq nettle zlib libisal libseccomp libpsl glib-2.0 gmime-3.0 json-glib-1.0 libarchive libcurl libmaxminddb
# The goals that install packages ask pkg-config only in the second make that they start.
NEEDS_PKG := $(filter-out deps deps-check demo check uninstall clean fuzz fault fault-storm,$(or $(MAKECMDGOALS),all))
ifneq ($(NEEDS_PKG),)
PKG_CFLAGS := $(shell pkg-config --cflags $(MODULES) | sed 's/-I/-isystem /g')
# The order is that of the loader's search, which is most of what starting costs: the C library, where most symbols are, then
# libxml2 and libpq, which bring the libraries with most symbols of their own. Any other order is right, too, and slower.
PKG_LIBS := -lc $(shell pkg-config --libs $(MODULES))
ifeq ($(PKG_LIBS),-lc)
$(error libraries are missing: run "make deps" first)
endif
# Not by pkg-config: Debian's libunbound.pc asks for libevent-dev, which nothing here needs.
PKG_LIBS += -lunbound
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -DWHOSENDS_VERSION='"$(VERSION)"' -I. $(PKG_CFLAGS) $(CPPFLAGS)
# What the sanitizers add looks to gcc as if what cannot be NULL could.
CFLAGS_ALL := -std=c11 $(WARN) $(if $(STRICT),-Werror) $(CFLAGS) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -Wno-nonnull)
LDFLAGS_ALL := $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

FLOORS := parser db ingest reports dns cli
LIB_SRC := $(filter-out cli/main.c,$(wildcard $(addsuffix /*.c,$(FLOORS))))
LIB_OBJ := $(LIB_SRC:%.c=$B/%.o) $B/db/sql_files.o $B/reports/page_css.o
TEST_SRC := $(wildcard tests/unit/test_*.c)
TOOL_SRC := $(wildcard tests/tools/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
TEST_BIN := $(TEST_SRC:tests/unit/%.c=$B/tests/%.t)
TOOL_BIN := $(TOOL_SRC:tests/tools/%.c=$B/tests/%)
REPLAY_BIN := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$B/tests/replay_%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$B/%)
# All but the script that distributes a database.
SQL_FILES := $(sort $(filter-out sql/citus.sql,$(wildcard sql/*.sql sql/*.csv)))
MAN_SRC := $(wildcard docs/*.scd)
MAN := $(MAN_SRC:docs/%.scd=$B/man/%)

all: $B/whosends $(MAN)

$B/whosends: $B/cli/main.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/libwhosends.a: $(LIB_OBJ)
	rm -f $@
	ar rcs $@ $^

# With STRICT, what was made before without it is made again, so that no warning is passed over.
$B/strict: always
	@mkdir -p $(@D)
	@test -e $@ || touch $@

define COMPILE
@mkdir -p $(@D)
@$(if $(STRICT),,rm -f $B/strict)
$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
endef

$B/%.o: %.c Makefile $(if $(STRICT),$B/strict)
	$(COMPILE)

# What is made of the two files that are made below.
$B/%.o: $B/%.c Makefile $(if $(STRICT),$B/strict)
	$(COMPILE)

# The migrations, views and the sender catalogue, as one table of strings.
$B/db/sql_files.c: $(SQL_FILES) db/embed.sh
	@mkdir -p $(@D)
	db/embed.sh $(SQL_FILES) > $@

# The style of the pages, as a string.
$B/reports/page_css.c: reports/page.css db/embed.sh
	@mkdir -p $(@D)
	db/embed.sh --string html_style reports/html_page.h $< > $@

$B/tests/%.t: $B/tests/unit/%.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/tests/%: $B/tests/tools/%.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

# The program with places to break it off at, see parser/step.h.
$B/tests/whosends_fault: $B/cli/main.o $B/tests/fault/step_fault.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/tests/replay_%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libwhosends.a
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

$B/man/%: docs/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

tests: $(TEST_BIN) $(TOOL_BIN) $(REPLAY_BIN) $B/tests/whosends_fault

# Everything is built once more, by clang, so that libFuzzer sees which ways an input takes.
fuzz:
	@FUZZ_CC=$(FUZZ_CC) tests/fuzz/can_fuzz.sh
	@$(MAKE) --no-print-directory FUZZING=1 CC=$(FUZZ_CC) SANITIZE=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzz-build
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

fuzz-build: $(FUZZ_BIN)

bench-imap: $B/tests/imap_tool
	@bench/imap.sh

bench-parse: $B/tests/parse_mails
	@bench/parse.sh

bench-confine bench-ingest bench-peers bench-query bench-growth bench-together bench-year: bench-%: $B/whosends
	@bench/$*.sh

bench: $B/whosends $B/tests/parse_mails
	@bench/all.sh

deps:
	@tests/lib/deps.sh build

deps-check:
	@tests/lib/deps.sh build check

demo: deps
	@$(MAKE) --no-print-directory all
	@docs/demo.sh

check: deps-check
	@$(MAKE) --no-print-directory STRICT=1 all tests
	@tests/run.sh

# Every fault at every place, and what became of it as a table.
fault: deps-check
	@$(MAKE) --no-print-directory all tests
	@EVERY=100 tests/fault/matrix.py

# 200 deaths while two read 20,000 mails of one mailbox.
fault-storm: deps-check
	@$(MAKE) --no-print-directory all tests
	@MAILS=20000 KILLS=200 TEST_TIMEOUT=3600 tests/lib/one.sh tests/fault/storm.t

install: all
	install -D -m 755 $B/whosends $(BINDIR)/whosends
	for m in $(notdir $(MAN)); do install -D -m 644 $B/man/$$m $(MANDIR)/man$${m##*.}/$$m || exit 1; done
	install -D -m 644 README.md $(DOCDIR)/README.md
	install -D -m 644 sql/citus.sql $(DOCDIR)/citus.sql

uninstall:
	rm -f $(BINDIR)/whosends
	for m in $(notdir $(MAN)); do rm -f $(MANDIR)/man$${m##*.}/$$m || exit 1; done
	rm -f $(DOCDIR)/README.md $(DOCDIR)/citus.sql
	test ! -d $(DOCDIR) || rmdir --ignore-fail-on-non-empty $(DOCDIR)

clean:
	rm -rf build build-sanitize build-fuzz

-include $(LIB_OBJ:.o=.d) $B/cli/main.d $(wildcard $B/tests/unit/*.d $B/tests/tools/*.d $B/tests/fuzz/*.d $B/tests/fault/*.d)

.PHONY: all always tests fault fault-storm fuzz fuzz-build bench bench-imap bench-parse bench-confine bench-ingest bench-peers \
	bench-query bench-growth bench-together bench-year deps deps-check demo check install uninstall clean
.SECONDARY:
