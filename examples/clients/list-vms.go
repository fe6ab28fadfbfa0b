// List the VMs: go run list-vms.go [SOCKET].  The control socket speaks QMP.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
)

func main() {
	conn, err := net.Dial("unix", append(os.Args[1:], "/run/vmward/control.sock")[0])
	if err != nil {
		log.Fatal(err)
	}
	in := json.NewDecoder(conn)
	in.Decode(&struct{}{}) // the greeting
	fmt.Fprintln(conn, `{"execute": "qmp_capabilities"}`)
	in.Decode(&struct{}{})
	for after := "null"; after != `""`; {
		var reply struct {
			Return struct {
				Vms  []struct{ Name, State string }
				Next string
			}
			Error struct{ Desc string }
		}
		arguments := ""
		if after != "null" {
			arguments = `, "arguments": {"after": ` + after + `}`
		}
		fmt.Fprintln(conn, `{"execute": "vm-list"`+arguments+`}`)
		if err := in.Decode(&reply); err != nil || reply.Error.Desc != "" {
			log.Fatal(err, reply.Error.Desc)
		}
		for _, vm := range reply.Return.Vms {
			fmt.Printf("%-16s %s\n", vm.Name, vm.State)
		}
		after = fmt.Sprintf("%q", reply.Return.Next)
	}
}
