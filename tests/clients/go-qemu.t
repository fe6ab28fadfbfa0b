#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# go-qemu from Debian's package, unmodified, talks to a real vmwardd.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/../t/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

gopath=/usr/share/gocode
command -v go >/dev/null || skip_all "no go"
[ -d "$gopath/src/github.com/digitalocean/go-qemu/qmp" ] ||
	skip_all "no golang-github-digitalocean-go-qemu-dev"
vm web </dev/null
vm db </dev/null
daemon
HOME=$tmp GOCACHE=$tmp/go GO111MODULE=off GOPATH=$gopath GOFLAGS=
export HOME GOCACHE GO111MODULE GOPATH GOFLAGS
if ! go build -o "$tmp/client" "$TOP/tests/clients/go-qemu.go" >"$tmp/said" 2>&1; then
	sed 's/^/# /' "$tmp/said"
	ok "go build" false
	plan
	exit 1
fi
timeout 60 "$tmp/client" "$control"
