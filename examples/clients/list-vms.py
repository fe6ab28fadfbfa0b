#!/usr/bin/env python3
# List the VMs: list-vms.py [SOCKET].  The control socket speaks QMP.
import json, socket, sys

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1] if len(sys.argv) > 1 else "/run/vmward/control.sock")
stream = sock.makefile("rw")

def ask(command, **arguments):
    json.dump({"execute": command, "arguments": arguments}, stream)
    stream.flush()
    reply = json.loads(stream.readline())
    return reply["return"] if "return" in reply else sys.exit(reply["error"]["desc"])

stream.readline()  # the greeting
ask("qmp_capabilities")
page = ask("vm-list")
while page:
    for vm in page["vms"]:
        print("%-16s %s" % (vm["name"], vm["state"]))
    page = ask("vm-list", after=page["next"]) if page.get("next") else None
