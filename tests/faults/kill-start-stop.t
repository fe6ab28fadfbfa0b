#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/140-chaos.t: with LONG=yes 200 instants.
POINTS=${POINTS:-${LONG:+200}}
: "${POINTS:=40}"
export POINTS
exec "$(dirname "$0")/../live/140-chaos.t"
