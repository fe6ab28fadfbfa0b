# vmward: one non-recursive Makefile (GNU make).  V=1 shows the commands.
-include config.mk
CC ?= cc
BUILD ?= build
CFLAGS ?= -O2 -g
WARN ?= -Wall -Wextra -Wpedantic -Wno-gnu-statement-expression
CPPFLAGS += -D_GNU_SOURCE -I.
LIBS ?= -liniparser -lev -ljansson
CTL_LIBS ?= -lsmartcols -ljansson
Q = $(if $(V),,@)

BASE_SRC = base/err.c base/mem.c base/str.c base/units.c base/fd.c \
	base/log.c base/sys.c base/child.c base/spawn.c base/loop.c \
	base/job.c base/prescan.c base/jstream.c \
	base/keys.c base/ini.c base/finding.c base/paths.c base/verbs.c \
	base/verb_table.c
QMP_SRC = qmp/client.c qmp/event.c qmp/call.c
STORAGE_SRC = storage/image.c
SUPERVISOR_SRC = supervisor/spec.c supervisor/config.c supervisor/cause.c \
	supervisor/policy.c supervisor/store.c supervisor/lock.c \
	supervisor/argv.c supervisor/accel.c
CTL_SRC = ctl/main.c
# bring-up: a planned file that does not exist yet is left out
have = $(foreach f,$(1),$(wildcard $(f)))
LIB_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(call have,$(BASE_SRC) $(QMP_SRC) $(STORAGE_SRC) $(SUPERVISOR_SRC)))
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))

all: $(BUILD)/libvmward.a
$(BUILD)/libvmward.a: $(LIB_OBJ)
	$(Q)rm -f $@; ar rcs $@ $^
$(BUILD)/%.o: %.c
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CPPFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libvmward.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
check-unit: $(UNIT)
	$(Q)prove --exec '' $(UNIT)
clean:
	rm -rf $(BUILD)
.PHONY: all check-unit clean
.SECONDARY:
-include $(LIB_OBJ:.o=.d)
