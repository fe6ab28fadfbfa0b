// List the VMs: go run list-vms.go [SOCKET].  The control socket speaks QMP.
package main

import ("encoding/json"; "fmt"; "log"; "net"; "os")

func main() {
	conn, err := net.Dial("unix", append(os.Args[1:], "/run/vmward/control.sock")[0])
	if err != nil {
		log.Fatal(err)
	}
	in := json.NewDecoder(conn)
	in.Decode(&struct{}{}) // the greeting
	fmt.Fprintln(conn, `{"execute": "qmp_capabilities"}`)
	in.Decode(&struct{}{})
	for after, more := "", true; more; more = after != "" {
		var page struct{ Return struct { Vms []struct{ Name, State string }; Next string } }
		fmt.Fprintf(conn, `{"execute": "vm-list", "arguments": {"after": %q}}`, after)
		if err := in.Decode(&page); err != nil || page.Return.Vms == nil {
			log.Fatal("refused ", err)
		}
		for _, vm := range page.Return.Vms {
			fmt.Printf("%-16s %s\n", vm.Name, vm.State)
		}
		after = page.Return.Next
	}
}
