#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-clone.t.
POINTS=${POINTS:-6} CASES=${CASES:-link}
export POINTS CASES
exec "$(dirname "$0")/../faults/kill-clone.t"
