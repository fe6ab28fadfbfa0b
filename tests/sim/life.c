/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor's lives, as supervisor/main.c would have them, and the one
 * clock.  A crash is a longjmp out of an outside call: what the life had
 * allocated is lost with it, its static state is forgotten by hand.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/aio.h"
#include "base/job.h"
#include "supervisor/events.h"
#include "supervisor/hook.h"
#include "supervisor/incident.h"
#include "supervisor/upgrade.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { TURNS_MAX = 20000, LATEST_BOOT_MS = 20000 };

static jmp_buf crashed;
static bool inside; /* the supervisor runs: a crash may strike */
static bool gave_up;
static bool did;
static bool stands_still;
static bool replaced;

struct sim_vm *life_vm(const char *name)
{
	for (unsigned i = 0; i < sim.nvms; i++)
		if (str_eq(sim.vms[i].name, name))
			return &sim.vms[i];
	return NULL;
}

char *life_path(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *path = xvasprintf(fmt, ap);
	va_end(ap);
	return path;
}

/* ---- lives ---- */

static void on_call(const char *call)
{
	if (str_eq(call, "pwrite"))
		oracle_wrote();
	if (!inside || sim.crash_in == 0 || --sim.crash_in > 0)
		return;
	sim_note("the supervisor dies after %s()", call);
	inside = false;
	longjmp(crashed, 1);
}

/* What a program that is gone had in its memory. */
static void forget_memory(void)
{
	job_forget_all();
	incident_forget_all();
	hook_forget_all();
	aio_forget();
	events_fini();
	memset(&sim.service, 0, sizeof(sim.service));
}

static void forget_life(void)
{
	forget_memory();
	sim.up = false;
	sim.crash_in = 0;
	sim.power_in = false;
	sim.boot_us = (int64_t)loop_sim_now_us() +
		      (int64_t)world_random(LATEST_BOOT_MS) * 1000;
	for (unsigned i = 0; i < SIM_QEMUS; i++)
		if (sim.qemus[i].ran)
			sim.qemus[i].settled = true;
}

static void lose_life(void)
{
	world_crash();
	tool_check_life();
	forget_life();
}

void life_replace(void)
{
	inside = false;
	replaced = true;
	longjmp(crashed, 1);
}

static void go_on_as_new(void);

/* Runs a part of the supervisor; a crash in it ends this life. */
static void run(void (*part)(void))
{
	if (setjmp(crashed) == 0) {
		inside = true;
		part();
		inside = false;
	} else if (replaced) {
		go_on_as_new();
		return;
	} else {
		if (sim.power_in)
			life_power_loss();
		else
			lose_life();
		return;
	}
	if (gave_up)
		lose_life();
	gave_up = false;
}

/* The same for both kinds of a start; false: it gives up. */
static bool open_service(void)
{
	struct service *s = &sim.service;
	struct err err = ERR_INIT;

	gave_up = true;
	sim.up = true;
	if (paths_init(&s->env.paths, PATHS_SYSTEM, NULL, &err) ||
		service_open(s, &err)) {
		sim_note("the supervisor cannot start: %s", err.text);
		return false;
	}
	s->image = replace_image(s);
	s->env.image = &s->image;
	return true;
}

static void boot(void)
{
	struct service *s = &sim.service;
	struct err err = ERR_INIT;

	if (!open_service())
		return;
	registry_start(s->registry);
	if (service_listen(s, &err)) {
		sim_note("the supervisor cannot listen: %s", err.text);
		return;
	}
	gave_up = false;
}

/* The image that another one made room for. */
static void take_over(void)
{
	struct service *s = &sim.service;

	replace_load(&s->moved);
	if (!open_service())
		return;
	upgrade_resume(&s->moved, s->registry, s->control);
	handover_fini(&s->moved);
	replace_check();
	gave_up = false;
}

static void go_on_as_new(void)
{
	replaced = false;
	world_aio_forget();
	loop_sim_forget();
	forget_memory();
	did = true;
	tool_check_life();
	run(take_over);
}

/* A VM whose file comes later is not started by it. */
static void note_missing_files(void)
{
	for (unsigned i = 0; i < sim.nvms; i++) {
		AUTO_FREE char *path = life_path(
			"%s/vms/%s.ini", sim.paths.config, sim.vms[i].name);
		struct place place;
		if (world_find(AT_FDCWD, path, &place) || !place.inode)
			sim.vms[i].missed = true;
	}
}

static void try_boot(void)
{
	note_missing_files();
	oracle_step();
	hooks_check_life();
	sim.lives++;
	sim_note("life %u of the supervisor begins", sim.lives);
	run(boot);
}

/* Jobs under way end with the process, not in order. */
static bool is_busy(void)
{
	list_each(registry_vms(sim.service.registry), it, next) {
		if (!list_is_empty(&list_entry(it, struct vm, link)->jobs))
			return true;
	}
	return sim.service.image.upgrading;
}

static void leave(void)
{
	bool busy = is_busy();

	service_close(&sim.service);
	gave_up = true; /* the process ends now */
	if (!busy)
		oracle_left();
}

void life_leave(void)
{
	if (!sim.up)
		return;
	sim_note("the supervisor leaves");
	run(leave);
}

void life_crash(void)
{
	sim_note("the supervisor dies");
	lose_life();
}

void life_stand_still(void)
{
	stands_still = true;
}

static void new_boot_id(void)
{
	char text[64];

	snprintf(text, sizeof(text), "00000000-0000-4000-8000-%012u\n",
		++sim.boots);
	world_put_file(
		"/proc/sys/kernel/random/boot_id", text, strlen(text), 0444);
}

void life_power_loss(void)
{
	sim_note("the power fails");
	if (world_random(2))
		world_power_loss();
	else
		world_power_loss_partly();
	world_wipe("/run");
	new_boot_id();
	forget_life();
	client_start();
	for (unsigned i = 0; i < sim.nvms; i++) {
		struct sim_vm *vm = &sim.vms[i];
		vm->unread = vm->open = vm->open_sets = vm->lost_sets = 0;
		vm->stop_is_open = false;
	}
	oracle_step();
	for (unsigned i = 0; i < sim.nvms; i++) {
		struct sim_vm *vm = &sim.vms[i];
		if (vm->autostart == SIM_YES)
			vm->wanted = true;
		else if (vm->autostart == SIM_NO)
			vm->wanted = false;
		if (vm->promise == PROMISED_UP || vm->autostart == SIM_YES)
			vm->promise = PROMISED_NOTHING;
	}
}

/* ---- the clock ---- */

static void turn(void)
{
	did = !stands_still && loop_sim_turn();
}

/* Everybody acts until nothing is left to do at this instant. */
static void settle_down(void)
{
	bool busy = true;

	for (unsigned n = 0; busy; n++) {
		if (n > TURNS_MAX)
			sim_breach("liveness", "no rest after %d turns",
				TURNS_MAX);
		did = false;
		run(turn);
		busy = did;
		busy |= qemu_pump();
		busy |= hooks_pump();
		busy |= replace_pump();
		busy |= tool_pump();
		busy |= client_pump();
	}
	if (sim.up)
		client_all_read();
}

static void on_tick(struct loop_timer *timer UNUSED) {}

static void skip_to(int64_t us)
{
	static struct loop_timer tick;
	int64_t now = (int64_t)loop_sim_now_us();

	loop_timer_start(
		&tick, us > now ? (us - now + 999) / 1000 : 0, on_tick);
	loop_sim_skip();
	run(turn);
	loop_timer_stop(&tick);
}

void life_sleep(int64_t ms)
{
	int64_t until = (int64_t)loop_sim_now_us() + ms * 1000;

	for (;;) {
		int64_t next = until;
		if (!sim.up && (int64_t)loop_sim_now_us() >= sim.boot_us)
			try_boot();
		settle_down();
		client_check(false);
		oracle_step();
		if ((int64_t)loop_sim_now_us() >= until)
			return;
		if (qemu_next_us() < next)
			next = qemu_next_us();
		if (hooks_next_us() < next)
			next = hooks_next_us();
		if (replace_next_us() < next)
			next = replace_next_us();
		if (tool_next_us() < next)
			next = tool_next_us();
		if (!sim.up && sim.boot_us < next)
			next = sim.boot_us;
		skip_to(next);
	}
}

/* ---- the beginning ---- */

void life_put_config(struct sim_vm *vm, const char *text, size_t len)
{
	AUTO_FREE char *path =
		life_path("%s/vms/%s.ini", sim.paths.config, vm->name);

	world_put_file(path, text, len, 0644);
	vm->gone = false;
}

void life_put_images(const struct sim_vm *vm)
{
	AUTO_FREE char *image =
		life_path("%s/%s.%s", vm->images, vm->name, vm->format);
	AUTO_FREE char *data =
		life_path("%s/%s-data.raw", sim.paths.images, vm->name);
	char bytes[TOOL_IMAGE_MAX];

	if (str_eq(vm->format, "raw"))
		world_put_file(image, "raw", 3, 0644);
	else
		world_put_file(image, bytes, tool_image(NULL, bytes), 0644);
	world_put_file(data, "raw", 3, 0644);
}

static void make_vm(unsigned i)
{
	static const char *const policies[] = { "on-failure", "always", "no",
		"on-crash" };
	static const char *const starts[] = { "no", "yes", "last" };
	static const char *const reboots[] = { "warm", "cold", "stop",
		"cold-if-pending" };
	struct sim_vm *vm = &sim.vms[i];

	snprintf(vm->name, sizeof(vm->name), "vm%u", i + 1);
	vm->autostart = (enum sim_autostart)world_random(3);
	vm->wanted = vm->autostart == SIM_YES;
	vm->burst = 2 + world_random(4);
	unsigned policy = world_random(4);
	vm->restarts = !str_eq(policies[policy], "no");
	vm->reboot = (enum sim_reboot)world_random(NELEMS(reboots));
	vm->probed = world_random(3) == 0;
	bool in_pool = world_random(3) > 0;
	vm->images = in_pool ? sim.paths.images : "/srv/fast";
	vm->format = sim.upgrades && world_random(2) ? "qcow2" : "raw";
	vm->disk_is_in = in_pool ? "pool default" : vm->images;
	vm->hang = (enum sim_hang)world_random(4);
	vm->hooked = world_random(3) == 0;
	AUTO_STR struct str config = STR_INIT;
	AUTO_FREE char *hang_after = life_path("%ds", SIM_HANG_S);
	AUTO_FREE char *crash_loop =
		vm->hooked ? life_path("exec:/usr/lib/hooks/%s-crash-loop",
				     vm->name)
			   : xstrdup("stop");
	str_addf(&config,
		"[vm]\nmemory = 64M\n"
		"[disk.root]\nimage = %s/%s.%s\n"
		"[start]\nautostart = %s\nready = %s\n"
		"[restart]\npolicy = %s\nbackoff = 1s-8s\n"
		"burst = %u/2min\non-guest-reboot = %s\n"
		"hang-after = %s\nhang = %s\n"
		"on-crash-loop = %s\n"
		"[stop]\ntimeout = 20s\n",
		vm->images, vm->name, vm->format, starts[vm->autostart],
		vm->probed ? "serial:hello" : "running", policies[policy],
		vm->burst, reboots[vm->reboot],
		vm->hang == SIM_HANG_NEVER ? "infinity" : hang_after,
		vm->hang == SIM_HANG_STOP      ? "stop"
		: vm->hang == SIM_HANG_RESTART ? "restart"
					       : "by-policy",
		crash_loop);
	if (vm->hooked)
		hooks_install(vm, &config);
	vm->config = xstrdup(str_text(&config));
	vm->record_path = life_path("%s/records/%s", sim.paths.state, vm->name);
	vm->dropin_path = life_path(
		"%s/vms/%s.ini.d/50-vmward.ini", sim.paths.config, vm->name);
	life_put_images(vm);
	life_put_config(vm, vm->config, strlen(vm->config));
}

void life_start(void)
{
	struct err err = ERR_INIT;

	if (paths_init(&sim.paths, PATHS_SYSTEM, NULL, &err))
		sim_breach("simulator", "%s", err.text);
	world_put_file("/usr/bin/qemu-system-x86_64", "", 0, 0755);
	world_put_file("/usr/bin/qemu-img", "", 0, 0755);
	replace_start();
	new_boot_id();
	world_on_call(on_call);
	sim.boot_us = 0;
	if (sim.diamond)
		return;
	sim.nvms = 3 + world_random(SIM_VMS_DRAWN - 2);
	for (unsigned i = 0; i < sim.nvms; i++)
		make_vm(i);
	sim.boot_us = 0;
}
