/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The consoles of a VM: which there are, and who may look; see vm.h. */
#include "base/mem.h"
#include "supervisor/console.h"
#include "supervisor/roles.h"
#include "supervisor/vm.h"

struct console *vm_console(const struct vm *vm, const char *name)
{
	list_each(&vm->machine.consoles, it, next) {
		struct console *c = list_entry(it, struct console, link);

		if (!name || str_eq(c->name, name))
			return c;
	}
	return NULL;
}

static bool may_attach(const struct console *c, int fd, bool *may_write)
{
	const struct vm *vm = c->owner;
	enum role role =
		roles_of_peer(fd, vm->spec ? vm->spec->vm.owner : "", vm->env);

	*may_write = role >= ROLE_OPERATOR;
	return role >= ROLE_VIEWER;
}

static bool spec_has_serial(const struct vm_spec *spec, const char *name)
{
	list_each(&spec->serials, it, next) {
		if (str_eq(list_entry(it, struct spec_serial_port, link)->name,
			    name))
			return true;
	}
	return false;
}

void vm_make_consoles(struct vm *vm, const struct vm_spec *spec)
{
	const char *run = vm->env->paths.run;
	bool first = true;

	list_each(&vm->machine.consoles, it, next) {
		struct console *c = list_entry(it, struct console, link);

		if (!spec_has_serial(spec, c->name))
			console_free(c);
	}
	list_each(&spec->serials, it2, next2) {
		struct spec_serial_port *port =
			list_entry(it2, struct spec_serial_port, link);
		struct console *c = vm_console(vm, port->name);
		AUTO_FREE char *path =
			first ? xasprintf("%s/%s/console.sock", run, vm->name)
			      : xasprintf("%s/%s/console-%s.sock", run,
					vm->name, port->name);

		struct console_wish wish = { vm->name, port->name,
			vm->env->paths.log, port->log_max, path };
		if (!c)
			c = console_new(&wish, may_attach, vm);
		else
			list_del(&c->link);
		list_add(&vm->machine.consoles, &c->link); /* spec's order */
		first = false;
	}
}

void vm_take_console(struct vm *vm, struct console *c)
{
	c->may_attach = may_attach;
	c->owner = vm;
	list_add(&vm->machine.consoles, &c->link);
}
