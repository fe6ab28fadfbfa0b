#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-keeper.t.
POINTS=${POINTS:-4}
export POINTS
exec "$(dirname "$0")/../faults/kill-keeper.t"
