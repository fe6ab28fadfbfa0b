/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers of the commands, bound to base/verbs by their wire names.  One
 * file per group; commands.c has the table.
 */
#ifndef SUPERVISOR_COMMANDS_H
#define SUPERVISOR_COMMANDS_H

#include "supervisor/control.h"
#include "supervisor/op.h"

extern const struct handler command_handlers[];

/* The VM that the request names; NULL: the request was answered. */
struct vm *command_vm(struct request *request);
/*
 * [{name, pending}] of those networks of a spec that are up and whose files
 * say something else; new.
 */
json_t *command_networks_pending(
	const struct request *request, const struct vm_spec *spec);
/* The network that it names, by the files as they are now; NULL: answered. */
const struct network *command_network(struct request *request);
/*
 * The job that made or took away a VM is over: the files are read again, or
 * the request is answered with the error (false).
 */
bool command_job_ends(struct request *rq, struct job *job);
/*
 * The request's job on its VM, or on none (tasks), is over: false if it failed,
 * and the request was answered with its error.
 */
bool command_ends_well(struct request *rq, struct job *job);
bool command_task_ends_well(struct request *rq, struct job *job);
/* {"changed":.., "state":..} of a VM, with "message" when not NULL. */
json_t *command_result(const struct vm *vm, bool changed, const char *message);
/* Answers a dry run with what would be done; false: it is none. */
bool command_dry_run(struct request *request, const struct vm *vm);
/*
 * Answers with the job's id when the request asked for that, else remembers
 * the job and goes on (false).
 */
bool command_job(struct request *request, struct vm *vm, struct job *job);

/* Whether it wants its job's id at once: nobody waits for the job then. */
bool command_is_alone(const struct request *request);
/* What is told of the end of its job, and whom: of one alone its VM only. */
op_end_fn *command_end(const struct request *request, op_end_fn *on_end);
void *command_listener(struct request *request, struct vm *vm);
/*
 * Answers such a request; else the job, whose end answers, is the request's.
 * The job was begun with those two.
 */
void command_follow(struct request *request, struct vm *vm, struct job *job);

/* [vm-list] A page of VMs. */
void command_list(struct request *request);
/* [vm-resolve] The names that patterns stand for. */
void command_resolve(struct request *request);
/* [vm-start] Starts, and waits for running, ready or agent. */
void command_start(struct request *request);
/* [vm-stop] The ladder. */
void command_stop(struct request *request);
/* [vm-kill] SIGKILL. */
void command_kill(struct request *request);
/* [vm-restart] Stop and start. */
void command_restart(struct request *request);
/* [vm-pause] */
void command_pause(struct request *request);
/* [vm-resume] */
void command_resume(struct request *request);
/* [vm-reset] The button. */
void command_reset(struct request *request);
/* [vm-reboot] Asks the guest. */
void command_reboot(struct request *request);
/* [vm-save] Its memory to disk, QEMU ended. */
void command_save(struct request *request);
/* [vm-refresh] Into a new QEMU process. */
void command_refresh(struct request *request);
/* [vm-restore] On from there. */
void command_restore(struct request *request);
/* [vm-backup-create] All disks at one instant. */
void command_backup_create(struct request *request);
/* [vm-backup-list] */
void command_backup_list(struct request *request);
/* [vm-backup-verify] Their checksums. */
void command_backup_verify(struct request *request);
/* [vm-backup-restore] The disks of one that is down. */
void command_backup_restore(struct request *request);
/* [vm-wait] Answers when the state is there. */
void command_wait(struct request *request);
/* [vm-reset-failed] Forgives failures. */
void command_reset_failed(struct request *request);
/* [vm-incident-list] Of one VM or all. */
void command_incident_list(struct request *request);
/* [vm-incident-show] Cause, sentences and files of one. */
void command_incident_show(struct request *request);
/* [vm-incident-read] A part of one of its files. */
void command_incident_read(struct request *request);
/* [vm-analyze] Blame and critical chain. */
void command_analyze(struct request *request);
/* [host-shutdown] All go as their on-host-shutdown says. */
void command_host_shutdown(struct request *request);
/* [vm-show] The merged file. */
void command_show(struct request *request);
/* [vm-check] Findings of one or all. */
void command_check(struct request *request);
/* [vm-plan] What start or apply would do. */
void command_plan(struct request *request);
/* [vm-apply] The running VM follows its file. */
void command_apply(struct request *request);
/* [vm-drift] Whether machine and file are equal; of one or all. */
void command_drift(struct request *request);
/* [vm-create] A new file. */
void command_create(struct request *request);
void command_install(struct request *request);
/* [vm-upgrade-machine] The next start takes the newest of its kind. */
void command_upgrade_machine(struct request *request);
/* [vm-rename] Another name for one that is down. */
void command_rename(struct request *request);
/* [vm-clone] A second VM of one that is down. */
void command_clone(struct request *request);
/* [vm-delete] Its file, drop-in and images. */
void command_delete(struct request *request);
/* [vm-disk-throttle] Limits of a disk. */
void command_disk_throttle(struct request *request);
/* [vm-set] Writes our drop-in. */
void command_set(struct request *request);
/* [vm-unset] Takes out of it. */
void command_unset(struct request *request);
/* [vm-enable] autostart = yes. */
void command_enable(struct request *request);
/* [vm-disable] autostart = no. */
void command_disable(struct request *request);
/* [reload] Reads all files anew. */
void command_reload(struct request *request);
/* [vm-snapshot-create] Of what all disks hold. */
void command_snapshot_create(struct request *request);
/* What its words say fits together. */
MUST_CHECK int command_snapshot_check(
	const struct request *rq, struct err *err);
/* The request is of several VMs: it was taken over; false: of one. */
bool command_group_create(struct request *request);
/* It wants --group of that snapshot (borrowed): the same. */
bool command_group_work(struct request *request, const json_t *found);
/* [vm-snapshot-list] */
void command_snapshot_list(struct request *request);
/* [vm-snapshot-show] One, with the VM's file of then. */
void command_snapshot_show(struct request *request);
/* [vm-snapshot-revert] By name, the latest, the current one. */
void command_snapshot_revert(struct request *request);
/* [vm-snapshot-delete] */
void command_snapshot_delete(struct request *request);
/* [vm-snapshot-mount] Its disks over NBD, to be read. */
void command_snapshot_mount(struct request *request);
/* [vm-snapshot-unmount] */
void command_snapshot_unmount(struct request *request);
/* [vm-snapshot-export] Its disks as images of their own. */
void command_snapshot_export(struct request *request);
/* [vm-snapshot-rename] */
void command_snapshot_rename(struct request *request);
/* [vm-disk-list] */
void command_disk_list(struct request *request);
/* [vm-disk-attach] Plugs in, and writes it down. */
void command_disk_attach(struct request *request);
/* [vm-disk-detach] Plugs out, and writes it down. */
void command_disk_detach(struct request *request);
/* [vm-nic-attach] Plugs in, and writes it down. */
void command_nic_attach(struct request *request);
/* [vm-nic-detach] Plugs out, and writes it down. */
void command_nic_detach(struct request *request);
/* [vm-disk-resize] Grows, live or not. */
void command_disk_resize(struct request *request);
/* [vm-device-list] What QEMU has. */
void command_device_list(struct request *request);
/* [vm-cdrom-insert] Another disc in a drive. */
void command_cdrom_insert(struct request *request);
/* [vm-cdrom-eject] None. */
void command_cdrom_eject(struct request *request);
/* [vm-disk-accept] Records what the headers of a stopped VM's disk say. */
void command_disk_accept(struct request *request);
/* [vm-cpu-set] Plugs vCPUs in, and writes it down. */
void command_cpu_set(struct request *request);
/* [vm-memory-set] Grows into memory-max, and writes it down. */
void command_memory_set(struct request *request);
/* [vm-balloon] The guest gives memory back. */
void command_balloon(struct request *request);
/* [image-list] Those of the pool, and who needs them. */
void command_image_list(struct request *request);
/* [image-info] What qemu-img says of it. */
void command_image_info(struct request *request);
/* [image-create] Empty, or on top of a base. */
void command_image_create(struct request *request);
/* [vm-nic-list] */
void command_nic_list(struct request *request);
/* [vm-nic-rate] How much it carries, live and in the file. */
void command_nic_rate(struct request *request);
/* [vm-nic-link] The cable in or out, live and in the file. */
void command_nic_link(struct request *request);
/* [image-resize] */
void command_image_resize(struct request *request);
/* [image-check] Looks for errors, corrects them if asked. */
void command_image_check(struct request *request);
/* [image-convert] A copy in another format. */
void command_image_convert(struct request *request);
/* [image-clone] An overlay, or a copy. */
void command_image_clone(struct request *request);
/* [image-rebase] On top of another base. */
void command_image_rebase(struct request *request);
/* [image-flatten] On top of nothing. */
void command_image_flatten(struct request *request);
/* [image-commit] Into its base. */
void command_image_commit(struct request *request);
/* [image-compare] Whether two read the same. */
void command_image_compare(struct request *request);
/* [image-map] Where its data is. */
void command_image_map(struct request *request);
/* [image-delete] What nothing needs. */
void command_image_delete(struct request *request);
/* [image-import] A file from outside. */
void command_image_import(struct request *request);
void command_image_pull(struct request *request);
/* [image-catalogue] What can be pulled by a name. */
void command_image_catalogue(struct request *request);
/* [pool-list] What they hold. */
void command_pool_list(struct request *request);
/* [pool-info] One, and its images. */
void command_pool_info(struct request *request);
/* [net-list] Networks, and who is on them. */
void command_net_list(struct request *request);
/* [net-up] */
void command_net_show(struct request *request);
void command_net_apply(struct request *request);
void command_net_up(struct request *request);
/* [net-confirm] A network that was brought up for a time stays. */
void command_net_confirm(struct request *request);
/* [net-down] Unless a VM is on it. */
void command_net_down(struct request *request);
/* [net-leases] What dnsmasq gave to whom. */
void command_net_leases(struct request *request);
/* [net-doctor] What is in the way, with the remedy. */
void command_net_doctor(struct request *request);
/* [vm-ip] Addresses, each with its source. */
void command_ip(struct request *request);
/* [vm-qmp] Passes a command to QEMU. */
void command_qmp(struct request *request);
/* [vm-screenshot] As PNG. */
void command_screenshot(struct request *request);
/* [vm-send-key] */
void command_send_key(struct request *request);
/* [vm-type] */
void command_type(struct request *request);
/* [vm-agent-ping] to [vm-agent-shutdown]: one question to the agent. */
void command_agent(struct request *request);
/* [vm-agent-exec] A command in the guest. */
void command_agent_exec(struct request *request);
/* [vm-agent-push] */
void command_agent_push(struct request *request);
/* [vm-agent-pull] */
void command_agent_pull(struct request *request);
/* [vm-agent-freeze] Until a deadline. */
void command_agent_freeze(struct request *request);
/* [vm-agent-thaw] */
void command_agent_thaw(struct request *request);
/* [vm-console] The path of a console's socket. */
void command_console(struct request *request);
/* [vm-log] The last lines of log or console. */
void command_log(struct request *request);
/* [vm-stats] What a VM uses. */
void command_stats(struct request *request);
/* [vm-metrics] All of them as OpenMetrics text. */
void command_metrics(struct request *request);
/* [job-list] */
void command_job_list(struct request *request);
/* [job-wait] Answers at the job's end. */
void command_job_wait(struct request *request);
/* [job-cancel] Undoes a job. */
void command_job_cancel(struct request *request);

#endif
