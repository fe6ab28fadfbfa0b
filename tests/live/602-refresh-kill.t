#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-refresh.t.
POINTS=${POINTS:-2}
export POINTS
exec "$(dirname "$0")/../faults/kill-refresh.t"
