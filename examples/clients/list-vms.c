/* List the VMs: list-vms [SOCKET].  The control socket speaks QMP.
 * cc list-vms.c -ljansson -o list-vms */
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

static json_t *ask(int fd, FILE *in, const char *line)
{
	json_t *reply;

	dprintf(fd, "%s\n", line);
	reply = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL);
	return json_object_get(reply, "return");
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { AF_UNIX, "/run/vmward/control.sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *in = fdopen(fd, "r");
	char line[200] = "{\"execute\": \"vm-list\"}";
	const char *next = "";
	size_t i;
	json_t *vm, *page;

	if (argc > 1)
		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", argv[1]);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return perror(addr.sun_path), 1;
	json_decref(
		json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)); /* greeting */
	ask(fd, in, "{\"execute\": \"qmp_capabilities\"}");
	for (; next; snprintf(line, sizeof(line),
		     "{\"execute\": \"vm-list\", "
		     "\"arguments\": {\"after\": \"%s\"}}",
		     next ? next : "")) {
		if (!(page = ask(fd, in, line)))
			return fprintf(stderr, "refused\n"), 1;
		json_array_foreach(json_object_get(page, "vms"), i, vm) printf(
			"%-16s %s\n",
			json_string_value(json_object_get(vm, "name")),
			json_string_value(json_object_get(vm, "state")));
		next = json_string_value(json_object_get(page, "next"));
	}
	return 0;
}
