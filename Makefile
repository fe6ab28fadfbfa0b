# SPDX-License-Identifier: GPL-2.0-or-later
# vmward: one non-recursive Makefile (GNU make).  `make V=1` shows commands.
# ./configure writes config.mk and config.h; without them make runs it.
all:

# ---- sources: every file is named here ----

BASE_SRC = base/err.c base/mem.c base/slab.c base/atom.c base/code.c base/text.c \
	base/str.c base/units.c base/fd.c \
	base/log.c base/sys.c base/sys_call.c base/child.c base/born.c base/stranger.c base/spawn.c \
	base/loop.c base/loop_sim.c base/job.c base/aio.c base/durable.c base/prescan.c base/jstream.c \
	base/keys.c base/key.c base/keys_doc.c base/ini.c \
	base/ini_scan.c base/entry.c base/finding.c base/paths.c \
	base/uuid.c base/base64.c base/verbs.c \
	base/verb_table.c base/sock.c base/trim.c base/sys_exec.c base/words.c base/handover.c \
	base/jstream_move.c base/jstream_text.c
QMP_SRC = qmp/client.c qmp/handover.c qmp/event.c qmp/call.c
STORAGE_SRC = storage/image.c storage/header.c storage/chain.c storage/format.c storage/backing.c storage/secret.c storage/qemu_img.c
NET_SRC = net/address.c net/cidr.c net/link.c net/vlan.c net/bond.c net/carry.c net/mac.c net/netlink.c net/ports.c net/rate.c net/ra.c \
	net/ruleset.c net/passage.c net/tables.c net/tap.c net/monitor.c
SUPERVISOR_SRC = supervisor/spec.c supervisor/spec_table.c supervisor/spec_vm.c supervisor/spec_life.c \
	supervisor/spec_disk.c supervisor/spec_nic.c supervisor/spec_device.c supervisor/spec_seed.c supervisor/spec_value.c supervisor/forward.c \
	supervisor/instances.c supervisor/raw.c supervisor/remark.c \
	supervisor/disk_check.c supervisor/pairs.c supervisor/check.c supervisor/check_all.c \
	supervisor/graph.c supervisor/order_check.c supervisor/reading.c \
	supervisor/host_check.c supervisor/layers.c \
	supervisor/config.c supervisor/edits.c supervisor/settings.c supervisor/show.c supervisor/dropin.c \
	supervisor/cause.c \
	supervisor/policy.c supervisor/record.c supervisor/store.c supervisor/store_dir.c \
	supervisor/lock.c \
	supervisor/argv_order.c supervisor/argv_build.c supervisor/argv_machine.c supervisor/argv_fixed.c \
	supervisor/argv_serial.c supervisor/argv_disk.c supervisor/argv_nic.c supervisor/slots.c supervisor/device.c \
	supervisor/disk.c supervisor/watchdog.c supervisor/nic.c supervisor/nic_check.c supervisor/accel.c \
	supervisor/events.c supervisor/vmlog.c supervisor/roles.c \
	supervisor/host.c supervisor/console.c supervisor/agent.c supervisor/guest.c \
	supervisor/stderr.c supervisor/machine.c supervisor/image_plan.c \
	supervisor/ephemeral.c supervisor/install.c supervisor/diff.c supervisor/room.c supervisor/size_check.c supervisor/observe.c supervisor/delta.c \
	supervisor/vm.c supervisor/vm_job.c supervisor/running.c \
	supervisor/tidy.c supervisor/ready.c supervisor/reboot.c supervisor/diskfull.c supervisor/halt.c supervisor/hang.c supervisor/held.c supervisor/oom.c supervisor/op_start.c supervisor/op_stop.c \
	supervisor/op_adopt.c supervisor/op_ask.c supervisor/op_device.c supervisor/op_disk.c supervisor/op_nic.c supervisor/op_apply.c supervisor/op_cpus.c \
	supervisor/op_memory.c supervisor/op_edit.c \
	supervisor/settle.c supervisor/actions.c \
	supervisor/lifecycle.c supervisor/watch.c supervisor/names.c supervisor/fingerprint.c supervisor/registry.c \
	supervisor/order.c supervisor/shutdown.c supervisor/analyze.c \
	supervisor/report.c supervisor/explain.c supervisor/plan.c supervisor/arguments.c \
	supervisor/cgroup.c supervisor/cgroup_tree.c supervisor/limits.c supervisor/ram.c supervisor/spec_limits.c \
	supervisor/control.c supervisor/client.c supervisor/users.c supervisor/audit.c supervisor/control_handover.c \
	supervisor/vm_handover.c supervisor/vm_console.c supervisor/machine_pid.c supervisor/upgrade.c supervisor/command_life.c supervisor/command_order.c \
	supervisor/command_config.c supervisor/command_apply.c supervisor/command_size.c supervisor/command_plug.c \
	supervisor/needs.c supervisor/volume.c supervisor/op_image.c supervisor/op_rebase.c supervisor/op_compare.c supervisor/command_rebase.c supervisor/tasks.c supervisor/command_image.c \
	supervisor/new_vm.c supervisor/command_create.c \
	supervisor/journal.c supervisor/op_delete.c supervisor/command_delete.c \
	supervisor/live_copy.c supervisor/live_image.c \
	supervisor/live_link.c supervisor/live_settle.c supervisor/op_clone.c supervisor/command_clone.c \
	supervisor/live_reap.c supervisor/calendar.c supervisor/spec_backup.c supervisor/spec_snapshot.c \
	supervisor/backups.c supervisor/backup_disk.c supervisor/sum.c \
	supervisor/op_backup.c supervisor/op_verify.c supervisor/op_putback.c \
	supervisor/command_backup.c supervisor/freeze.c supervisor/schedule.c supervisor/bitmaps.c \
	supervisor/op_rename.c supervisor/command_rename.c \
	supervisor/op_resize.c supervisor/command_resize.c \
	supervisor/throttle.c supervisor/change.c supervisor/command_throttle.c supervisor/command_nic.c \
	supervisor/seed.c supervisor/seed_disk.c supervisor/seed_value.c supervisor/op_seed.c \
	supervisor/commands.c supervisor/notify.c supervisor/service.c supervisor/leave.c \
	supervisor/tty.c supervisor/remove.c supervisor/guest_exec.c \
	supervisor/run_exec.c supervisor/run.c \
	supervisor/once.c supervisor/doctor.c
SUPERVISOR_SRC += supervisor/pin.c supervisor/command_machine.c supervisor/firmware.c supervisor/sidecar.c supervisor/tpm.c
SUPERVISOR_SRC += supervisor/agent_ask.c supervisor/guest_program.c supervisor/frozen.c \
	supervisor/op_agent.c supervisor/op_agent_file.c supervisor/command_agent.c \
	supervisor/keyboard.c supervisor/op_screen.c supervisor/command_screen.c supervisor/display.c
SUPERVISOR_SRC += supervisor/keeper.c supervisor/keeper_call.c supervisor/keeper_wire.c supervisor/keeper_grant.c supervisor/keeper_file.c \
	supervisor/keeper_run.c supervisor/keeper_net.c supervisor/keeper_serve.c supervisor/keeper_renew.c supervisor/keeper_client.c \
	supervisor/keeper_ask.c supervisor/keeper_brain.c supervisor/keeper_group.c supervisor/host_helper.c
SUPERVISOR_SRC += supervisor/vsock.c supervisor/sdnotify.c
SUPERVISOR_SRC += supervisor/chains.c supervisor/chain_open.c supervisor/chain_record.c supervisor/disk_close.c supervisor/overlays.c supervisor/command_chain.c
SUPERVISOR_SRC += supervisor/disk_open.c supervisor/fdset_sweep.c supervisor/cdrom.c supervisor/op_cdrom.c supervisor/command_cdrom.c supervisor/command_device.c supervisor/report_devices.c \
	supervisor/delta_text.c
SUPERVISOR_SRC += supervisor/vm_spec.c supervisor/lastgood.c supervisor/mask.c supervisor/recorder.c
SUPERVISOR_SRC += supervisor/proc.c supervisor/stats.c \
	supervisor/report_stats.c supervisor/metrics.c supervisor/lowspace.c \
	supervisor/command_stats.c
SUPERVISOR_SRC += supervisor/hook_file.c supervisor/hook.c \
	supervisor/incidents.c supervisor/incident.c \
	supervisor/command_incident.c
SUPERVISOR_SRC += supervisor/report_page.c supervisor/request.c supervisor/command_list.c
CTL_SRC = ctl/call.c ctl/args.c ctl/lookup.c ctl/values.c ctl/wire.c \
	ctl/reach.c \
	ctl/print.c ctl/grid.c ctl/table.c ctl/list.c ctl/status.c ctl/image.c ctl/view.c \
	ctl/request.c ctl/progress.c ctl/interrupt.c ctl/ask.c ctl/log.c \
	ctl/events.c ctl/serial.c ctl/console.c ctl/expect.c ctl/run.c ctl/edit.c \
	ctl/remote.c ctl/help.c ctl/doc.c ctl/complete.c
CTL_SRC += ctl/agent.c ctl/backup.c ctl/incident.c ctl/tar.c
CTL_SRC += ctl/sample.c ctl/stats.c ctl/metrics.c ctl/screen.c ctl/top.c
BASE_SRC += base/beneath.c base/mounts.c
SUPERVISOR_SRC += supervisor/env.c supervisor/other.c supervisor/pool.c \
	supervisor/pool_space.c supervisor/command_pool.c
CTL_SRC += ctl/snapshot.c ctl/pool.c ctl/net.c ctl/ssh.c
SUPERVISOR_SRC += supervisor/network.c supervisor/network_spec.c \
	supervisor/network_value.c supervisor/network_check.c
SUPERVISOR_SRC += supervisor/host_net.c supervisor/net_live.c \
	supervisor/net_mend.c supervisor/net_change.c supervisor/command_net_list.c \
	supervisor/net_rules.c supervisor/net_watch.c supervisor/net_confirm.c supervisor/net_port.c \
	supervisor/addresses.c supervisor/command_net.c \
	supervisor/firewalls.c supervisor/net_doctor.c supervisor/command_net_doctor.c supervisor/net_dhcp.c supervisor/net_address.c \
	supervisor/intent.c supervisor/nets.c supervisor/net_bridge.c supervisor/taps.c supervisor/passt.c supervisor/op_nics.c
BASE_SRC += base/cage.c base/landlock.c base/confine.c
STORAGE_SRC += storage/snapshot.c storage/foreign.c storage/remote.c storage/ova.c \
	storage/ova_manifest.c storage/ovf.c storage/xml_scan.c storage/vmdk.c
SUPERVISOR_SRC += supervisor/far.c supervisor/op_import.c supervisor/command_import.c \
	supervisor/catalogue.c supervisor/op_pull.c supervisor/committing.c supervisor/recommit.c supervisor/command_pull.c
SUPERVISOR_SRC += supervisor/host_qemu.c supervisor/uids.c supervisor/confinement.c \
	supervisor/boot_files.c supervisor/launch.c supervisor/login.c
SUPERVISOR_SRC += supervisor/unplug.c supervisor/holder.c
SUPERVISOR_SRC += supervisor/setup.c supervisor/op_finish.c supervisor/migration.c \
	supervisor/saved.c supervisor/op_save.c supervisor/op_restore.c supervisor/command_save.c \
	supervisor/refresh.c supervisor/refresh_settle.c supervisor/command_refresh.c
SUPERVISOR_SRC += supervisor/snapshots.c supervisor/snapshot_disks.c \
	supervisor/snapshot_step.c supervisor/snapshot_fit.c \
	supervisor/live_snapshot.c supervisor/op_snapshot.c \
	supervisor/snapshot_gate.c supervisor/snapshot_still.c \
	supervisor/snapshot_groups.c supervisor/op_group.c \
	supervisor/nonvolatile.c \
	supervisor/command_group.c supervisor/mounts.c supervisor/op_mount.c \
	supervisor/op_export.c supervisor/command_mount.c \
	supervisor/command_snapshot.c
# the main() of each program
VMWARDD_SRC = supervisor/main.c
VMWARD_SRC = ctl/main.c
# helpers of the tests, linked into every unit test
TEST_SRC = tests/sim/world.c tests/sim/world_file.c tests/sim/world_fs.c \
	tests/sim/world_net.c tests/sim/world_proc.c
SIM_SRC = tests/sim/sim.c tests/sim/heap.c tests/sim/life.c tests/sim/qemu.c tests/sim/guest.c tests/sim/hooks.c tests/sim/incidents.c tests/sim/plug.c tests/sim/birth.c tests/sim/client.c tests/sim/asks.c tests/sim/replace.c \
	tests/sim/chaos.c tests/sim/broken.c tests/sim/calm.c tests/sim/erase.c tests/sim/twin.c tests/sim/tool.c tests/sim/diamond.c tests/sim/oracle.c
FAKE_QEMU_SRC = tests/fake/qemu.c tests/fake/board.c tests/fake/fdsets.c tests/fake/migrate.c tests/fake/script.c
FAKE_CONTROL_SRC = tests/fake/control.c
PEER_SRC = tests/peer/talk.c tests/peer/storm.c tests/peer/activate.c tests/peer/kill_at.c tests/peer/slowfs.c
FUZZ_SRC = tests/fuzz/ini.c tests/fuzz/stream.c tests/fuzz/request.c \
	tests/fuzz/slot.c tests/fuzz/header.c tests/fuzz/words.c tests/fuzz/ovf.c \
	tests/fuzz/keeper.c
BENCH_SRC = tests/bench/mass.c tests/bench/measure.c tests/bench/lab.c \
	tests/bench/probe.c tests/bench/table.c tests/bench/snapshot.c \
	tests/bench/network.c
MAN = vmwardd.8 vmward.1 vmward.ini.5 vmward-protocol.7

# ---- settings ----

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
ifeq (,$(filter clean distclean,$(MAKECMDGOALS)))
-include config.mk
endif
srcdir ?= .
BUILD ?= build
AR ?= ar
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(patsubst $(BUILD)/%,%,$(2));)
vpath %.c $(srcdir)

# ---- tests: every file of these directories ----

those_of = $(sort $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/$(1)/*.t)))
T_TESTS = $(call those_of,tests/t)
LIVE_TESTS = $(call those_of,tests/live)
SYSTEM_TESTS = $(call those_of,tests/system)
CLIENT_TESTS = $(call those_of,tests/clients)
FAULT_TESTS = tests/sim/mutants $(call those_of,tests/faults)

# `make CC=other` goes without the flags that were probed for the first one.
ifneq ($(CC),$(CONFIGURED_CC))
WARN = -Wall -Wextra
HARDEN_CFLAGS = -fPIE
HARDEN_LDFLAGS = -pie
CLIENT_LDFLAGS =
endif
# A build with sanitizers goes without what hides their findings.
SANITIZED := $(findstring -fsanitize,$(CFLAGS) $(SANITIZE_FLAGS))
HARDENED := $(if $(SANITIZED),,yes)
VMW_CFLAGS = -std=c11 $(WARN) $(if $(HARDENED),$(HARDEN_CFLAGS)) \
	$(TIDY_CFLAGS) $(CFLAGS) $(SANITIZE_FLAGS) $(FUZZ_CFLAGS)
VMW_CPPFLAGS = -D_GNU_SOURCE -include config.h -I$(srcdir) $(LIB_CFLAGS) \
	$(CPPFLAGS)
VMW_LDFLAGS = $(VMW_CFLAGS) $(if $(HARDENED),$(HARDEN_LDFLAGS)) \
	$(TIDY_LDFLAGS) $(LDFLAGS)
# a static client has a flag in place of -pie; sanitizers have no static form
CLIENT_STATIC := $(if $(SANITIZED),,$(CLIENT_LDFLAGS))
DAEMON_LIBS = $(MNL_LIBS) $(INIPARSER_LIBS) $(EV_LIBS) $(JANSSON_LIBS)
CTL_LIBS = $(JANSSON_LIBS)

# bring-up: a planned file that does not exist yet is left out
have = $(foreach f,$(1),$(if $(wildcard $(srcdir)/$(f)),$(f)))
objects = $(patsubst %.c,$(BUILD)/%.o,$(call have,$(1)))

BASE_OBJ := $(call objects,$(BASE_SRC))
LIB_OBJ := $(call objects,$(QMP_SRC) $(STORAGE_SRC) $(NET_SRC) \
	$(SUPERVISOR_SRC))
CTL_OBJ := $(call objects,$(CTL_SRC))
TEST_OBJ := $(call objects,$(TEST_SRC))
MAIN_OBJ := $(call objects,$(VMWARDD_SRC) $(VMWARD_SRC))
FAKE_QEMU_OBJ := $(call objects,$(FAKE_QEMU_SRC))
FAKE_CONTROL_OBJ := $(call objects,$(FAKE_CONTROL_SRC))
SIM_OBJ := $(call objects,$(SIM_SRC))
BENCH_OBJ := $(call objects,$(BENCH_SRC))
PRODUCT_OBJ := $(BASE_OBJ) $(LIB_OBJ) $(CTL_OBJ) $(MAIN_OBJ)

UNIT_SRC := $(sort $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/unit/*.c)))
UNIT_OBJ := $(call objects,$(UNIT_SRC))
UNIT := $(UNIT_OBJ:.o=)
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(call have,$(FUZZ_SRC)))
TOOLS := $(patsubst %.c,$(BUILD)/%,$(call have,tests/lint/verbs.c \
	tests/bench/floor.c))
FAULTS_OUT = $(BUILD)/faults.lines
OOM = $(BUILD)/tests/peer/oom.so
# code that QEMU loads: built by itself, whatever the rest is built with
PROBE := $(BUILD)/tests/peer/probe.so
PEERS := $(patsubst %.c,$(BUILD)/%,$(call have,$(PEER_SRC)))
MAN_PAGES := $(addprefix $(BUILD)/man/,$(MAN))
PROGRAMS := $(if $(call have,$(VMWARDD_SRC)),$(BUILD)/vmwardd) \
	$(if $(call have,$(VMWARD_SRC)),$(BUILD)/vmward)
FAKE_QEMU := $(if $(FAKE_QEMU_OBJ),$(BUILD)/tests/fake/qemu)
FAKE_CONTROL := $(BUILD)/tests/fake/control
# an archive without members cannot be linked
LIBS_A = $(if $(CTL_OBJ),$(BUILD)/libctl.a) \
	$(if $(TEST_OBJ),$(BUILD)/libtest.a) \
	$(if $(LIB_OBJ),$(BUILD)/libvmward.a) $(BUILD)/libbase.a
SIM = $(BUILD)/tests/sim/sim
BENCH = $(BUILD)/tests/bench/measure
GUEST = $(BUILD)/guest/bios.raw

all: $(PROGRAMS) $(LIBS_A)

# ---- configure ----

config.mk: $(srcdir)/configure $(srcdir)/NEWS
	@if [ -e config.status ]; then ./config.status; else $<; fi
# as it was, where nothing in it changed: then nothing is older than it
config.h: | config.mk ;
$(srcdir)/configure $(srcdir)/NEWS: ;

# ---- building ----

$(BUILD)/%.o: %.c config.h
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(VMW_CPPFLAGS) $(BANNED) \
		$(VMW_CFLAGS) -MMD -MP -c -o $@ $<
# production code may not call what base/banned.h lists
$(PRODUCT_OBJ): BANNED = -include base/banned.h

define archive
$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^
endef
$(BUILD)/libbase.a: $(BASE_OBJ)
	$(archive)
$(BUILD)/libvmward.a: $(LIB_OBJ)
	$(archive)
$(BUILD)/libctl.a: $(CTL_OBJ)
	$(archive)
$(BUILD)/libtest.a: $(TEST_OBJ)
	$(archive)

define link
$(call say,LD,$@)$(CC) $(or $(2),$(VMW_LDFLAGS)) -o $@ $(filter %.o %.a,$^) $(1)
endef
$(BUILD)/vmwardd: $(call objects,$(VMWARDD_SRC)) $(BUILD)/libvmward.a \
		$(BUILD)/libbase.a
	$(call link,$(DAEMON_LIBS))
$(BUILD)/vmward: $(call objects,$(VMWARD_SRC)) \
		$(filter-out %/libtest.a %/libvmward.a,$(LIBS_A)) config.mk
	$(call link,$(CTL_LIBS),$(if $(CLIENT_STATIC),$(filter-out -pie,\
		$(VMW_LDFLAGS)) $(CLIENT_STATIC)))
$(BUILD)/tests/fake/qemu: $(FAKE_QEMU_OBJ) $(BUILD)/libbase.a
	$(call link,$(DAEMON_LIBS))
$(FAKE_CONTROL): $(FAKE_CONTROL_OBJ) $(BUILD)/libbase.a
	$(call link,$(DAEMON_LIBS))
$(SIM): $(SIM_OBJ) $(BUILD)/libtest.a $(BUILD)/libvmward.a $(BUILD)/libbase.a
	$(call link,$(DAEMON_LIBS))
$(BENCH): $(BENCH_OBJ)
	$(call link,$(JANSSON_LIBS))
$(UNIT): %: %.o $(LIBS_A)
	$(call link,$(DAEMON_LIBS) $(CTL_LIBS))
$(OOM): tests/peer/oom.c
	@mkdir -p $(@D)
	@echo "  CC     tests/peer/oom.so"
	$(Q)$(CC) -std=c11 $(WARN) -O2 -fPIC -shared -D_GNU_SOURCE -o $@ $< -ldl
$(PROBE): $(srcdir)/tests/peer/probe.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $<
$(TOOLS) $(PEERS): %: %.o $(BUILD)/libbase.a
	$(call link,$(DAEMON_LIBS))
# with libFuzzer, or with a main() that replays files
ifeq ($(FUZZ),yes)
FUZZ_CFLAGS = -fsanitize=fuzzer-no-link
FUZZ_LIBS = -fsanitize=fuzzer
else
FUZZ_MAIN := $(call objects,tests/fuzz/main.c)
endif
$(FUZZERS): %: %.o $(FUZZ_MAIN) $(LIBS_A)
	$(call link,$(FUZZ_LIBS) $(DAEMON_LIBS) $(CTL_LIBS))

# ---- tests ----

RUN = BUILD='$(abspath $(BUILD))' QEMU='$(QEMU)' '$(srcdir)/tests/run'
TEST_PROGRAMS = $(PROGRAMS) $(FAKE_QEMU) $(FAKE_CONTROL) $(PEERS) $(PROBE) $(SIM) $(GUEST) guest
LINT = tests/lint/lint.t

check: all check-programs
	$(Q)$(RUN) lint: $(LINT) unit: $(UNIT) t: $(call have,$(T_TESTS)) \
		live: $(call have,$(LIVE_TESTS))
check-programs: $(TEST_PROGRAMS) $(UNIT) $(TOOLS) $(BENCH) $(FUZZERS)
check-unit: $(UNIT) $(FAKE_QEMU)
	$(Q)$(RUN) unit: $(UNIT)
check-t: $(TEST_PROGRAMS) $(FUZZERS)
	$(Q)$(RUN) t: $(call have,$(T_TESTS))
check-live: $(TEST_PROGRAMS)
	$(Q)$(RUN) live: $(call have,$(LIVE_TESTS))
check-clients: $(TEST_PROGRAMS)
	$(Q)$(RUN) clients: $(call have,$(CLIENT_TESTS))
check-system: $(TEST_PROGRAMS)
	$(Q)TEST_TIMEOUT=$${TEST_TIMEOUT:-18000} \
		$(RUN) system: $(call have,$(SYSTEM_TESTS))
faults: $(TEST_PROGRAMS) $(OOM)
	$(Q)rm -f $(FAULTS_OUT); ok=true; \
	FAULTS_OUT='$(abspath $(FAULTS_OUT))' \
	TEST_TIMEOUT=$${TEST_TIMEOUT:-$(if $(LONG),14400,3600)} \
		$(RUN) faults: $(call have,$(FAULT_TESTS)) || ok=false; \
	cd '$(srcdir)' && QEMU='$(QEMU)' tests/faults/report \
		'$(abspath $(FAULTS_OUT))' >RELIABILITY.md || ok=false; $$ok
lint: all man $(TOOLS)
	$(Q)$(RUN) -v lint: $(LINT)

SAN = -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
SAN_CC = gcc clang
SAN_CHECK = check-unit-t
check-sanitize:
	$(Q)for cc in $(SAN_CC); do $(MAKE) CC=$$cc BUILD=$(BUILD)/san-$$cc \
		CFLAGS='$(SAN)' $(SAN_CHECK) || exit 1; done
check-unit-t: check-programs
	$(Q)$(RUN) unit: $(UNIT) t: $(call have,$(T_TESTS))
fuzz:
	$(Q)$(MAKE) CC=clang BUILD=$(BUILD)/fuzz FUZZ=yes \
		CFLAGS='-g -O1 -fsanitize=address,undefined' fuzz-run
fuzz-run: $(FUZZERS)
	$(Q)for f in $(FUZZERS); do $(srcdir)/tests/fuzz/run $$f || exit 1; done
bench: all $(GUEST) $(BENCH) $(TOOLS)
	$(Q)BUILD='$(abspath $(BUILD))' '$(srcdir)/tests/bench/bench' $(BENCHFLAGS)
demo: all guest $(TOOLS)
	$(Q)BUILD='$(abspath $(BUILD))' '$(srcdir)/tests/demo/demo'
golden: all $(UNIT)
	$(Q)cd '$(srcdir)' && for t in $(UNIT); do \
		GOLDEN=write $(abspath $(BUILD))/$${t#$(BUILD)/} >/dev/null || :; done
	$(Q)cd '$(srcdir)' && git status --short tests/golden man

# the Linux guest comes out of a cache; without what it takes it is left out
guest: $(GUEST)
	$(Q)if dir=$$('$(srcdir)/tests/guest/linux/build.sh'); then \
		ln -sf "$$dir/vmlinuz" "$$dir/initrd.gz" $(BUILD)/guest/; \
	elif [ $$? -ne 77 ]; then exit 1; fi
$(GUEST): $(srcdir)/tests/guest/bios/guest.S $(srcdir)/tests/guest/bios/mk
	$(call say,AS,$@)mkdir -p $(@D) && $(srcdir)/tests/guest/bios/mk $@

# ---- care ----

format:
	$(Q)cd '$(srcdir)' && git ls-files -co --exclude-standard '*.[ch]' | \
		xargs clang-format -i
analyze:
	$(Q)$(srcdir)/tests/lint/analyze $(srcdir) $(call have,$(BASE_SRC) \
		$(QMP_SRC) $(STORAGE_SRC) $(NET_SRC) $(SUPERVISOR_SRC) \
		$(CTL_SRC) $(VMWARDD_SRC) $(VMWARD_SRC)) -- \
		$(VMW_CPPFLAGS) -std=c11
man: $(MAN_PAGES)
	$(Q)for page in $^; do mandoc -Tlint -W warning $$page || exit 1; done
# the tables of the pages are the programs' own
$(BUILD)/man/%: man/%.in man/fill.awk $(BUILD)/vmward $(BUILD)/vmwardd
	$(call say,MAN,$@)mkdir -p $(@D) && awk -v vmward=$(BUILD)/vmward \
		-v vmwardd=$(BUILD)/vmwardd -f $(srcdir)/man/fill.awk $< >$@.tmp \
		&& mv $@.tmp $@

DOC = $(DESTDIR)$(datadir)/doc/vmward
UNIT_DIR = $(DESTDIR)$(prefix)/lib/systemd/system
man_path = $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
EXAMPLES := $(shell cd $(srcdir) && find examples -type f 2>/dev/null)
CONTRIB = contrib/vmwardd.openrc contrib/vmwardd.runit contrib/s6/run \
	contrib/s6/notification-fd contrib/s6/type

install: all man
	install -D -m 755 $(BUILD)/vmward $(DESTDIR)$(bindir)/vmward
	install -D -m 755 $(BUILD)/vmwardd $(DESTDIR)$(sbindir)/vmwardd
	$(foreach m,$(MAN_PAGES),install -D -m 644 $(m) $(call man_path,$(m)) &&) :
	$(foreach f,$(EXAMPLES),install -D -m 644 $(srcdir)/$(f) \
		$(DOC)/$(f) &&) :
	install -D -m 644 $(srcdir)/contrib/completion/vmward.bash \
		$(DESTDIR)$(datadir)/bash-completion/completions/vmward
	install -D -m 644 $(srcdir)/contrib/completion/_vmward \
		$(DESTDIR)$(datadir)/zsh/site-functions/_vmward
	install -D -m 644 $(srcdir)/contrib/completion/vmward.fish \
		$(DESTDIR)$(datadir)/fish/vendor_completions.d/vmward.fish
	$(foreach f,$(CONTRIB),install -D -m 755 $(srcdir)/$(f) \
		$(DOC)/$(f) &&) :
	install -d -m 755 $(UNIT_DIR)
	sed 's|@sbindir@|$(sbindir)|;s|@bindir@|$(bindir)|' $(srcdir)/contrib/vmward.service \
		>$(UNIT_DIR)/vmward.service
	sed 's|@bindir@|$(bindir)|' $(srcdir)/contrib/vmward-shutdown.service \
		>$(UNIT_DIR)/vmward-shutdown.service
	install -m 644 $(srcdir)/contrib/vmward.socket $(UNIT_DIR)/vmward.socket
	install -d -m 755 $(DESTDIR)$(sysconfdir)/vmward/vms
uninstall:
	rm -f $(DESTDIR)$(bindir)/vmward $(DESTDIR)$(sbindir)/vmwardd \
		$(foreach m,$(MAN),$(call man_path,$(m))) \
		$(UNIT_DIR)/vmward.service $(UNIT_DIR)/vmward.socket \
		$(UNIT_DIR)/vmward-shutdown.service \
		$(DESTDIR)$(datadir)/bash-completion/completions/vmward \
		$(DESTDIR)$(datadir)/zsh/site-functions/_vmward \
		$(DESTDIR)$(datadir)/fish/vendor_completions.d/vmward.fish
	rm -rf $(DOC)
dist:
	$(Q)mkdir -p $(BUILD) && git -C '$(srcdir)' archive \
		--prefix=vmward-$(VERSION)/ HEAD | \
		gzip -9n >$(BUILD)/vmward-$(VERSION).tar.gz
	@echo $(BUILD)/vmward-$(VERSION).tar.gz
clean:
	rm -rf $(BUILD)
distclean: clean
	rm -f config.mk config.h config.log config.status

.PHONY: all check check-programs check-unit check-unit-t check-t check-live \
	check-sanitize check-clients check-system faults fuzz fuzz-run bench \
	demo golden guest lint format analyze man install uninstall dist clean distclean
.SECONDARY:
-include $(PRODUCT_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) \
	$(BENCH_OBJ:.o=.d) $(SIM_OBJ:.o=.d) $(FAKE_QEMU_OBJ:.o=.d) $(FAKE_CONTROL_OBJ:.o=.d) \
	$(TOOLS:=.d) $(PEERS:=.d) $(FUZZERS:=.d)
