# make           build both daemons and their tools      make demo     the main job, end to end
# make check     build and run every test (SAN=1: under AddressSanitizer and UndefinedBehaviorSanitizer)
# make unit T=x  only the unit suites whose name has x   make lint     layers, warnings, analyzers
# make fuzz      each decoder for SECS seconds           make bench    BENCH=lists for one group
# make deps      install what is missing (apt)           make cover    line and branch coverage
# make check-dgc the EU's test certificates, DGC=folder  make deb      Debian packages; deb-test tries them
# make image     the appliance's, ARCH=arm64 or amd64    make board-test   it on an emulated board

MODE    ?= $(if $(SAN),asan,release)
CROSS   ?=
SYSROOT ?=
ifneq ($(filter fuzz clang,$(MODE)),)
CC      := clang
else
CC      := $(CROSS)gcc
endif
B       := build/$(CROSS)$(MODE)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wswitch-enum -Wundef -Wvla -Wformat=2 -Wwrite-strings -Wcast-qual -Wpointer-arith
GCCWARN := -Wno-format-truncation -Wduplicated-cond -Wlogical-op -Wcast-align=strict -Walloca
OPT.release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -ffile-prefix-map=$(CURDIR)=.
LD.release  := -pie -Wl,-z,relro,-z,now
OPT.clang   := -O1 -g -Werror -fPIE
OPT.asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
OPT.cover   := -O0 -g --coverage
OPT.analyze := -O2 -g -fanalyzer -Werror
OPT.fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

CFLAGS  ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -MMD -MP $(WARN) $(if $(filter clang,$(CC)),,$(GCCWARN)) \
             $(OPT.$(MODE)) $(SYSROOT:%=--sysroot=%) $(CFLAGS)
ALL_LDFLAGS = $(OPT.$(MODE)) $(LD.$(MODE)) $(SYSROOT:%=--sysroot=%) $(LDFLAGS)
LIBS := -Wl,--as-needed -lmbedtls -lmbedx509 -lmbedcrypto -lmosquitto -levent -ljansson -linih -lseccomp -lsqlite3 -lz -lzbar -ljpeg -lpng -lqrencode -lexpat -lhpdf -lgpiod -lm

srcs = $(wildcard $(addsuffix /*.c,$(1)) $(addsuffix /*/*.c,$(1)))
objs = $(patsubst %.c,$(B)/%.o,$(1))
MAINS    := firmware/branchd.c firmware/branchctl.c central/centrald.c central/centralctl.c
PROTOCOL := $(call objs,$(call srcs,protocol))
FIRMWARE := $(call objs,$(filter-out $(MAINS) firmware/slot.c,$(call srcs,firmware board)))
CENTRAL  := $(call objs,$(filter-out $(MAINS),$(call srcs,central)))
PROGRAMS := $(patsubst %.c,$(B)/%,$(notdir $(wildcard $(MAINS)))) $(B)/xinbian-slot
UNIT     := $(call objs,tests/run.c $(call srcs,tests/unit tests/unit/protocol tests/support))
BOARD    := $(call objs,tests/run.c $(wildcard tests/board/*.c tests/support/*.c))
INTEGRATION := $(call objs,tests/run.c $(wildcard tests/integration/*.c tests/fault/*.c tests/support/*.c))

all: $(PROGRAMS)

$(B)/protocol.a: $(PROTOCOL)
$(B)/firmware.a: $(FIRMWARE)
$(B)/central.a:  $(CENTRAL)
$(B)/%.a:
	@mkdir -p $(@D) && rm -f $@
	ar rcs $@ $^

# A branch needs none of what only central is linked with.
$(B)/branch%:  $(B)/firmware/branch%.o $(B)/firmware.a $(B)/protocol.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(filter-out -lqrencode -lexpat -lhpdf,$(LIBS))
$(B)/central%: $(B)/central/central%.o $(B)/central.a $(B)/protocol.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
# Runs in the initramfs, where there are no libraries; the sanitizers need theirs.
$(B)/xinbian-slot: $(addprefix $(B)/,firmware/slot.o firmware/slots.o $(addprefix protocol/,crypto.o base/err.o base/buf.o))
	$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) $(if $(filter asan,$(MODE)),,-static-pie) -o $@ $^ -lmbedcrypto
$(B)/tests/unit_run: $(UNIT) $(B)/firmware.a $(B)/central.a $(B)/protocol.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcunit
$(B)/tests/integration_run: $(INTEGRATION) $(B)/firmware.a $(B)/central.a $(B)/protocol.a | all
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcunit

$(B)/tests/board_run: $(BOARD) $(B)/firmware.a $(B)/central.a $(B)/protocol.a | all
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcunit

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# What check runs; there is no integration program without a test of it.
KINDS := unit $(if $(wildcard tests/integration/*.c),integration)
tests: $(KINDS:%=$(B)/tests/%_run)
deps:
	@tests/tools/need.sh build test

unit: $(B)/tests/unit_run
	$(RUN) $< $(T)
# The EU's public test data through the verifier, a table of it; DGC=folder takes another folder of the same form.
check-dgc: deps
	@$(MAKE) --no-print-directory -s $(B)/tests/unit_run
	@XINBIAN_DGC=$(DGC) $(B)/tests/unit_run dgc
integration: $(B)/tests/integration_run
	XINBIAN_BIN=$(B) $< $(T)
check: deps
	@KINDS="$(KINDS)" tests/tools/check.sh $(MAKE) MODE=$(MODE)

demo:
	@tests/tools/need.sh build demo
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" all
	@XINBIAN_BIN=$(B) tests/tools/demo.sh

# Packages in build/deb, the same bytes from the same commit; deb-test installs them in a fresh Debian root (as root).
deb:
	@tests/tools/need.sh build deb
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" all
	@XINBIAN_BIN=$(B) firmware/debian/build.sh firmware central
	@lintian --allow-root --fail-on error build/deb/*.deb
deb-test: deb
	@XINBIAN_BIN=$(B) tests/tools/deb_test.sh

# The appliance's image for ARCH, arm64 or amd64, in build/image/ARCH (as root). Cross-built against a root of ARCH's own packages.
ARCH     ?= arm64
TRIPLET.arm64 := aarch64-linux-gnu-
TRIPLET.amd64 := x86_64-linux-gnu-
BOXED    := branchd branchctl xinbian-slot
HOST_ARCH = $(shell dpkg --print-architecture)
CROSS_FOR = $(if $(filter $(HOST_ARCH),$(ARCH)),,$(TRIPLET.$(ARCH)))
image:
	@tests/tools/need.sh build deb image
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" all
	@$(if $(CROSS_FOR),$(MAKE) --no-print-directory -s -j"$$(nproc)" CROSS=$(CROSS_FOR) \
		SYSROOT="$$(board/image/root.sh sysroot $(ARCH))" $(BOXED:%=build/$(CROSS_FOR)$(MODE)/%))
	@XINBIAN_NATIVE=$(B) XINBIAN_BIN=build/$(CROSS_FOR)$(MODE) CROSS=$(CROSS_FOR) XINBIAN_DEB_ARCH=$(ARCH) board/image/image.sh $(ARCH)

# The appliance on an emulated board, from outside; CUTS=20 cuts its power that often.
board-test: ARCH := arm64
board-test: image
	@tests/tools/need.sh test board
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" $(B)/tests/board_run
	@XINBIAN_BIN=$(B) XINBIAN_IMAGE=build/image/arm64 $(if $(CUTS),XINBIAN_CUTS=$(CUTS)) $(B)/tests/board_run $(T)

cover:
	$(MAKE) MODE=cover $(KINDS)
	gcovr -r . --exclude tests --print-summary --object-directory build/cover

# One program a target, as many at a time as there are cores; corpora grow in build/corpus.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SECS ?= 20
fuzz: MODE := fuzz
fuzz:
	@tests/tools/need.sh build fuzz
	@tests/tools/seed_corpora.py build/corpus
	@$(MAKE) --no-print-directory -s -j"$$(nproc)" MODE=fuzz $(patsubst %,build/$(CROSS)fuzz/fuzz_%,$(or $(T),$(FUZZ)))
	@printf '%s\n' $(or $(T),$(FUZZ)) | xargs -P"$$(nproc)" -I{} $(MAKE) --no-print-directory MODE=fuzz fuzz-one T={} SECS=$(SECS)
fuzz-one: $(B)/fuzz_$(T)
	@mkdir -p build/corpus/$(T)
	$< -max_total_time=$(SECS) -max_len=65536 -timeout=10 -print_final_stats=1 -verbosity=0 build/corpus/$(T)
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/firmware.a $(B)/central.a $(B)/protocol.a
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

BENCHES := $(patsubst tests/bench/bench_%.c,%,$(wildcard tests/bench/bench_*.c))
bench: $(if $(filter board,$(or $(BENCH),$(BENCHES))),image)
	@tests/tools/need.sh build bench $(if $(filter board,$(or $(BENCH),$(BENCHES))),test board)
	@$(MAKE) --no-print-directory -s all $(patsubst %,$(B)/bench_%,$(or $(BENCH),$(BENCHES)))
	@XINBIAN_BIN=$(B) XINBIAN_IMAGE=build/image/arm64 tests/tools/bench.sh $(or $(BENCH),$(BENCHES))
$(B)/bench_board: $(call objs,tests/run.c tests/board/box.c $(wildcard tests/support/*.c))
$(B)/bench_ecert: $(call objs,$(addprefix tests/support/,certificates.c wire.c))
$(B)/bench_ledger: $(B)/tests/bench/postgres.o
$(B)/bench_loop: $(B)/tests/support/department_uscc.o
$(B)/bench_%: $(B)/tests/bench/bench_%.o $(B)/firmware.a $(B)/central.a $(B)/protocol.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) -llmdb -lcunit

lint:
	@tests/tools/need.sh build lint
	@tests/tools/lint.sh

clean:
	rm -rf build
.PHONY: all tests deps unit integration check check-dgc demo deb deb-test image board-test cover fuzz fuzz-one bench lint clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
