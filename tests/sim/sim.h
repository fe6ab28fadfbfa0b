/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The deterministic simulator: the real supervisor in the simulated world
 * (tests/sim/world.h), with simulated QEMUs, clients and faults, all drawn
 * from one seed.  sim.c runs seeds, life.c the supervisor's lives and the
 * clock, qemu.c the QEMUs, client.c the clients, chaos.c the faults,
 * oracle.c knows what must be true (RELIABILITY.md C.1, I1 to I8).
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <jansson.h>
#include <setjmp.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/service.h"
#include "tests/sim/world.h"

enum {
	SIM_VMS = 12,
	/* of a diamond */ SIM_VMS_DRAWN = 4,
	SIM_CLIENTS = 4,
	SIM_QEMUS = 16,
	SIM_QUEUE = 64,
	SIM_HANG_S = 60, /* of those whose hanging is looked for */
	SIM_WATCH_S = 25 /* until files are watched */
};

/* clang-format off */
#define SIM_FAULTS(X) \
	X(CRASH) X(POWER) X(LEAVE) X(WRITE) X(FSYNC) X(RENAME) X(SPAWN) \
	X(EXEC) X(DIES) X(STOPS) X(LATE) X(TWICE) X(LOST) X(WRONG_ID) \
	X(GARBAGE) X(STORM) X(HANGUP) X(PIDS) X(CLOCK) X(CONFIG) X(UNLOCK) \
	X(FILES) X(FULL)
/* clang-format on */

enum sim_fault {
#define X(id) SIM_##id,
	SIM_FAULTS(X)
#undef X
		SIM_NFAULTS
};

enum sim_hook_event {
	SIM_HOOK_STARTED,
	SIM_HOOK_STOPPED,
	SIM_HOOK_INCIDENT,
	SIM_HOOK_CRASH_LOOP,
	SIM_NHOOKS
};

/* What an answered request promised about a VM's record. */
enum sim_promise { PROMISED_NOTHING, PROMISED_UP, PROMISED_DOWN };

struct sim_vm {
	char name[16];
	char *config; /* the good text of its file */
	char *record_path;
	char *dropin_path; /* what vm-set writes */
	enum sim_autostart { SIM_NO, SIM_YES, SIM_LAST } autostart;
	const char *images;     /* where its disk is */
	const char *format;     /* of that: raw or qcow2 */
	const char *disk_is_in; /* the same, or its pool */
	bool restarts;          /* its policy, after a crash */
	bool probed;            /* ready when its guest has said hello */
	enum sim_reboot { SIM_WARM, SIM_COLD, SIM_STOP, SIM_IF_PENDING } reboot;
	unsigned burst; /* so often in two minutes */
	enum sim_hang {
		SIM_HANG_NEVER,
		SIM_HANG_TOLD,
		SIM_HANG_STOP,
		SIM_HANG_RESTART
	} hang;
	bool hooked;                /* has hooks */
	unsigned hooks[SIM_NHOOKS]; /* so many ran */
	pid_t last_pid;             /* of its QEMU before */
	unsigned births;
	enum sim_promise promise;
	unsigned orders;    /* requests that change it, sent so far */
	unsigned unread;    /* of these: sent, and perhaps not read so far */
	unsigned open;      /* of these: neither answered nor lost */
	bool stop_is_open;  /* a request that may stop it is on its way */
	bool gone;          /* its file is */
	bool missed;        /* a life began without its file */
	bool awake;         /* calm has started it */
	bool deleted;       /* by the chaos, or perhaps; till it is mended */
	bool cloned;        /* or perhaps */
	bool twin_promised; /* that was answered */
	bool wanted;        /* somebody or something may start it */
	char value[40];     /* what an answered vm-set has set, or "" */
	unsigned sets;      /* vm-set sent so far */
	unsigned open_sets; /* of these: neither answered nor surely read */
	unsigned lost_sets;
};

/* One text (or, without text, the end) on its way out of a monitor. */
struct sim_out {
	int64_t due_us;
	char *text;
};

struct sim_qemu {
	pid_t pid; /* 0: a free slot */
	struct sim_vm *vm;
	char uuid[40];
	char chardev[24]; /* of the monitor */
	int64_t wake_us;  /* does nothing before */
	int64_t off_us;   /* the guest powers off; 0: not planned */
	bool listens;
	bool bad; /* ends with an error instead of starting */
	bool ran; /* its guest ran at some time */
	bool paused;
	bool held;        /* by a stop of its monitor */
	bool blocked;     /* by a full disk */
	int64_t hello_us; /* it says hello then */
	int64_t write_us; /* the guest writes to its disk then */
	bool reboot_ends;
	bool off;     /* the guest is off */
	bool asked;   /* somebody asked for its end */
	bool settled; /* it was seen running: from now on it is a VM */
	bool stopped; /* by SIGSTOP */
	bool silent;
	bool dumb;      /* answers nothing more on this connection */
	unsigned mute;  /* so many whom it serves are not greeted */
	unsigned wrong; /* so many answers have a wrong id */
	bool deaf;      /* to the power button */
	bool term;      /* got SIGTERM */
	struct sim_disk {
		bool node;
		bool device;
		bool set;          /* the descriptors of its image */
		int64_t unplug_us; /* the guest lets it go then; 0: not asked */
	} disk;                    /* "disk-data", which can be plugged */
	bool said_up;              /* of a diamond: its probe may pass */
	int64_t up_us;             /* then it will be; 0: no diamond */
	int64_t crash_us;          /* 0: it does not */
	int mon;
	int yank;
	int serial;
	struct str in;
	struct str yank_in;
	struct sim_out queue[SIM_QUEUE];
	unsigned nqueue;
};

struct sim {
	uint64_t seed;
	bool trace;
	struct {
		unsigned long steps; /* of chaos */
		unsigned calm;       /* percent of what calm could look at */
	} shape;
	bool diamond; /* twelve VMs in order instead of chaos */
	bool on[SIM_NFAULTS];
	const char *forced; /* names of faults that are on in any case */
	bool healed;        /* no more faults */
	int64_t healed_us;
	unsigned nvms;
	struct sim_vm vms[SIM_VMS];
	struct sim_qemu qemus[SIM_QEMUS];
	struct service service;
	struct paths paths;
	bool up;           /* the supervisor lives */
	int64_t boot_us;   /* it comes back then */
	unsigned crash_in; /* calls from now; 0: not planned */
	bool slow_births;  /* QEMUs take their time to listen */
	bool upgrades;     /* it is replaced at times */
	bool power_in;     /* then the power fails */
	unsigned long steps;
	unsigned lives;
	unsigned boots; /* of the host */
};

extern struct sim sim;

/* ---- sim.c ---- */
/* A line of the trace; costs nothing without --trace. */
void sim_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Something that must never be: tells it and ends the run. */
_Noreturn void sim_breach(const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* True so many times of a thousand, and never once all is healed. */
bool sim_chance(enum sim_fault fault, unsigned per_mille);

/* ---- life.c ---- */
/* Paths, files, the first life. */
void life_start(void);
/* Lets ms milliseconds pass for everybody. */
void life_sleep(int64_t ms);
void life_power_loss(void);
void life_crash(void);
/* It becomes another program; from inside of it. */
_Noreturn void life_replace(void);
/* From now on it does nothing. */
void life_stand_still(void);
/* The supervisor is told to leave, and does. */
void life_leave(void);
/* A file below the configuration or state directories; new. */
char *life_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes a VM's file. */
void life_put_config(struct sim_vm *vm, const char *text, size_t len);
void life_put_images(const struct sim_vm *vm);
struct sim_vm *life_vm(const char *name);

/* ---- qemu.c ---- */
/* birth.c: hooks of the world. */
void qemu_start(void);
/* Somebody else's process, if it can be with this pid (0: any). */
pid_t birth_stranger(pid_t wish);
/* Its monitor's connection is closed, what it had to say is lost. */
void qemu_hang_up(struct sim_qemu *q);
/* Lets every QEMU do what it can; true if one did something. */
bool qemu_pump(void);
/* When the next of them wants to do something; INT64_MAX: never. */
int64_t qemu_next_us(void);
/* It says something by itself. */
void qemu_event(struct sim_qemu *q, const char *name, const char *data);
struct sim_qemu *qemu_of_pid(pid_t pid);
/* The QEMU of a VM that lives, or NULL. */
struct sim_qemu *qemu_of_vm(const struct sim_vm *vm);
unsigned qemu_count(const struct sim_vm *vm);
/* A surprise for one of them. */
void qemu_surprise(void);
/* No more of them is ill. */
void qemu_heal(void);

/* ---- hooks.c ---- */
/* Programs for all occasions, in its configuration as well. */
void hooks_install(struct sim_vm *vm, struct str *config);
/* True if that process is one of them. */
bool hooks_spawned(pid_t pid, const char *program);
bool hooks_ended(pid_t pid);
/* How many run. */
unsigned hooks_count(void);
bool hooks_pump(void);
int64_t hooks_next_us(void);
/* A life begins: none of the last one is left. */
void hooks_check_life(void);

/* ---- replace.c ---- */
/* The program that the supervisor can be replaced by. */
void replace_start(void);
struct image replace_image(struct service *service);
/* True if that process is its look at the state. */
bool replace_spawned(pid_t pid, const char *path);
bool replace_ended(pid_t pid);
bool replace_pump(void);
int64_t replace_next_us(void);
/* What the new image is given, which must be good. */
void replace_load(struct handover *moved);
/* Each VM is as it was before. */
void replace_check(void);

/* ---- tool.c ---- */
enum { TOOL_IMAGE_MAX = 512 };
/* A qcow2 image on top of another one, or (NULL) of none; its length. */
size_t tool_image(const char *base, char out[TOOL_IMAGE_MAX]);
/* True if that process is qemu-img. */
bool tool_spawned(pid_t pid, const char *const *argv);
bool tool_ended(pid_t pid);
bool tool_pump(void);
int64_t tool_next_us(void);
/* A life has ended, or a new image of one begins: none of it is left. */
void tool_check_life(void);

/* ---- incidents.c ---- */
/* All of a VM's are whole, once all is at rest. */
void incidents_check(const struct sim_vm *vm);
/* This one is there, and of this cause. */
bool incidents_tell(const struct sim_vm *vm, const char *id, const char *cause);

/* ---- guest.c ---- */
/* A line on stderr, as -trace would print it. */
void guest_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void guest_start(struct sim_qemu *q, const char *const *argv);
void guest_set_action(struct sim_qemu *q, const json_t *arguments);
void guest_off(struct sim_qemu *q, const char *reason);
void guest_reset(struct sim_qemu *q, const char *reason);
const char *guest_status(const struct sim_qemu *q);
void guest_go(struct sim_qemu *q);
void guest_pause(struct sim_qemu *q);
/* It writes to its disk soon. */
void guest_write(struct sim_qemu *q);
bool guest_pump(struct sim_qemu *q);

/* ---- plug.c ---- */
/* One of the commands about "disk-data"; NULL: it is not one. */
json_t *plug_execute(
	struct sim_qemu *q, const char *command, const json_t *arguments);
/* It may be there from the start. */
void plug_start(struct sim_qemu *q, const char *const *argv);
/* The guest lets go what it was asked for; true if it did something. */
bool plug_pump(struct sim_qemu *q);
/* At rest: the supervisor knows of it what QEMU does. */
void plug_check(const struct sim_qemu *q);

/* ---- client.c ---- */
void client_start(void);
/* One of them sends something, or (HANGUP) leaves. */
void client_act(void);
/* Lets them read; true if one got something. */
bool client_pump(void);
/* All requests sent so far were read or lost. */
void client_all_read(void);
/* Asks for one thing, whatever comes of it. */
void client_say(struct sim_vm *vm, const char *wire);
/* Somebody waits for a VM that is down to be paused, and stays. */
void client_wait(struct sim_vm *vm);
/* Nobody does so any more. */
void client_check_wait(void);
/* Asks for one thing, which must succeed in good time. */
void client_ask(struct sim_vm *vm, const char *wire);
/* No request that must be answered at once is open; at the end: none. */
void client_check(bool at_end);
/* Somebody is at a VM's monitor from now on; until he leaves. */
int client_squat(const struct sim_vm *vm);
/* The same with its lock file. */
int client_lock(const struct sim_vm *vm);
void client_let_go(int fd);
/* All of them leave. */
void client_leave(void);
pid_t client_pid(void);

/* ---- chaos.c ---- */
/* Draws the faults of this seed. */
void chaos_start(void);
/* Perhaps one of them strikes. */
void chaos_act(void);
/* No more of it: files are whole, calls work, all go on. */
void chaos_heal(void);

/* ---- diamond.c ---- */
/* The files of twelve VMs; drop: one lacks its `after`. */
void diamond_put(bool drop);
/* Starts them by their top, stops all; in between and after it: checks. */
void diamond_run(void);
bool diamond_is_bad(const struct sim_vm *vm);
/* What it will say and do is drawn. */
void diamond_runs(struct sim_qemu *q);
/* The checks of a birth, and of an order to end. */
void diamond_born(const struct sim_qemu *q);
void diamond_told_to_end(const struct sim_qemu *q);

/* ---- calm.c ---- */
/* What must work when all is well: starts, restarts, policies, stops. */
void calm_run(void);
/* The next supervisor has come, and had time to look around. */
void calm_await_life(void);
/* The supervisor is up and has it in its list. */
bool calm_knows(const struct sim_vm *vm);

/* ---- erase.c ---- */
/* It is deleted, wholly or halfway, and made again if it is gone. */
void erase_run(struct sim_vm *vm);
/* VMs that the chaos deleted are there again. */
void erase_mend(void);
/* Frees the path. */
bool erase_is_there(char *path);

/* ---- twin.c ---- */
bool twin_may_be(const struct sim_vm *vm);
/* What its clone is called; new. */
char *twin_name(const struct sim_vm *vm);
/* A clone that was answered is on disk. */
void twin_check_promise(const struct sim_vm *vm);
/* It is cloned, wholly or halfway; the clone is deleted. */
void twin_run(struct sim_vm *vm);
/* Clones that the chaos has made are whole, and go. */
void twin_mend(void);

/* ---- broken.c ---- */
/* Breaks I1 to I8 on purpose: does not return if the oracle sees it. */
void broken_run(unsigned invariant);

/* ---- oracle.c ---- */
/* Hooks of the world: what is started, killed, ended. */
void oracle_start(void);
void oracle_spawned(const struct sim_qemu *q);
void oracle_ended(const struct sim_qemu *q);
/* QEMU is told to end by its monitor or a signal. */
void oracle_told_to_end(const struct sim_qemu *q, const char *how);
/* A write into a file: none may hit what a power loss would need. */
void oracle_wrote(void);
/* The promises, after each step and before each life. */
void oracle_step(void);
/* 300 seconds after the last fault. */
void oracle_rest(void);
/* The supervisor left in order: nothing of it stays. */
void oracle_left(void);

#endif
