/* List the VMs: list-vms [SOCKET].  The control socket speaks QMP.
 * cc list-vms.c -ljansson -o list-vms */
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv) {
	struct sockaddr_un at = { AF_UNIX, "/run/vmward/control.sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	json_t *page, *vm;

	if (argc > 1) snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) return perror(at.sun_path), 1;
	dprintf(fd, "{\"execute\": \"qmp_capabilities\"}");
	json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL); /* the greeting */
	json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL); /* the answer */
	for (const char *after = ""; after; after = json_string_value(json_object_get(page, "next"))) {
		dprintf(fd, "{\"execute\": \"vm-list\", \"arguments\": {\"after\": \"%s\", \"fields\": [\"name\", \"state\"], \"rows\": true}}", after);
		page = json_object_get(json_loadfd(fd, JSON_DISABLE_EOF_CHECK, NULL), "return");
		for (size_t i = 0; (vm = json_array_get(json_object_get(page, "vms"), i)); i++)
			printf("%-16s %s\n", json_string_value(json_array_get(vm, 0)), json_string_value(json_array_get(vm, 1)));
	}
	return !page;
}
