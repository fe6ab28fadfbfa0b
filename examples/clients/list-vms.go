// List the VMs: go run list-vms.go [SOCKET].  The control socket speaks QMP.
package main

import "encoding/json"
import "fmt"
import "net"
import "os"

func main() {
	conn, err := net.Dial("unix", append(os.Args[1:], "/run/vmward/control.sock")[0])
	if err != nil {
		panic(err)
	}
	fmt.Fprint(conn, `{"execute": "qmp_capabilities"}`)
	in, after := json.NewDecoder(conn), ""
	_, _ = in.Decode(new(any)), in.Decode(new(any)) // the greeting, the answer
	for more := true; more; {
		var page struct{ Return struct{ Vms [][2]string } }
		fmt.Fprintf(conn, `{"execute": "vm-list", "arguments": {"after": %q, "fields": ["name", "state"], "rows": true}}`, after)
		in.Decode(&page)
		for _, vm := range page.Return.Vms {
			fmt.Printf("%-16s %s\n", vm[0], vm[1])
			after = vm[0]
		}
		more = len(page.Return.Vms) > 0
	}
}
