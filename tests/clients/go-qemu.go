// SPDX-License-Identifier: GPL-2.0-or-later

// go-qemu, as the distribution ships it, against vmwardd's control socket:
// connects, asks, is refused, asks again, disconnects.  TAP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

var n, bad int

func ok(good bool, what string, why ...interface{}) {
	n++
	if !good {
		bad++
		fmt.Println("#", fmt.Sprint(why...))
		fmt.Print("not ")
	}
	fmt.Printf("ok %d - %s\n", n, what)
}

// run sends one command; its "return" is decoded into out.
func run(mon qmp.Monitor, command string, out interface{}) error {
	raw, err := mon.Run([]byte(command))
	if err != nil {
		return err
	}
	reply := struct{ Return interface{} }{out}
	return json.Unmarshal(raw, &reply)
}

func ask(mon qmp.Monitor) {
	var version struct {
		Package string
		Qemu    struct{ Major, Minor, Micro int }
	}
	err := run(mon, `{"execute": "query-version"}`, &version)
	ok(err == nil && strings.HasPrefix(version.Package, "vmward "),
		"query-version", err, version)

	var list struct{ Vms []struct{ Name, State string } }
	err = run(mon, `{"execute": "vm-list"}`, &list)
	ok(err == nil && len(list.Vms) == 2 && list.Vms[0].Name == "db" &&
		list.Vms[1].State == "stopped", "vm-list", err, list)

	err = run(mon, `{"execute": "no-such-command"}`, &list)
	ok(err != nil && strings.Contains(err.Error(), "no-such-command"),
		"an unknown command is refused by its name", err)

	err = run(mon, `{"execute": "vm-status", "arguments": {"vm": "nobody"}}`, &list)
	ok(err != nil && strings.Contains(err.Error(), "nobody"),
		"so is an unknown VM", err)

	var status struct{ Name string }
	err = run(mon, `{"execute": "vm-status", "arguments": {"vm": "web"}}`, &status)
	ok(err == nil && status.Name == "web", "and it goes on", err, status)
}

func main() {
	mon, err := qmp.NewSocketMonitor("unix", os.Args[1], 10*time.Second)
	ok(err == nil, "dial", err)
	if err == nil {
		err = mon.Connect()
		ok(err == nil, "greeting and capabilities", err)
	}
	if err == nil {
		ok(mon.Version.Package != "", "the version of the greeting")
		_, err := mon.Events(context.Background())
		ok(err == nil, "events can be asked for", err)
		ask(mon)
		ok(mon.Disconnect() == nil, "disconnect")
	}
	fmt.Printf("1..%d\n", n)
	if bad > 0 {
		os.Exit(1)
	}
}
