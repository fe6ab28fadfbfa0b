#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-image.t.
POINTS=${POINTS:-4} INSTANTS=${INSTANTS:-3}
export POINTS INSTANTS
exec "$(dirname "$0")/../faults/kill-image.t"
