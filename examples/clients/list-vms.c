/* List the VMs: list-vms [SOCKET].  The control socket speaks QMP.
 * cc list-vms.c -ljansson -o list-vms */
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>
#define ONE JSON_DISABLE_EOF_CHECK /* message of many */

int main(int argc, char **argv)
{
	struct sockaddr_un at = { AF_UNIX, "/run/vmward/control.sock" };
	const char *after = "", *name, *state;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	json_t *page, *vms, *vm;

	if (argc > 1)
		snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return perror(at.sun_path), 1;
	json_loadfd(fd, ONE, NULL); /* the greeting */
	dprintf(fd, "{\"execute\": \"qmp_capabilities\"}");
	json_loadfd(fd, ONE, NULL);
	do {
		dprintf(fd, "{\"execute\": \"vm-list\", \"arguments\": {\"after\": \"%s\"}}", after);
		page = json_object_get(json_loadfd(fd, ONE, NULL), "return");
		vms = json_object_get(page, "vms");
		for (size_t i = 0; (vm = json_array_get(vms, i)); i++)
			if (!json_unpack(vm, "{s:s, s:s}", "name", &name, "state", &state))
				printf("%-16s %s\n", name, state);
	} while (!json_unpack(page, "{s:s}", "next", &after));
	return !page;
}
