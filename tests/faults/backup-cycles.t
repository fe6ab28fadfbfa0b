#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/611-backup-cycles.t.
CYCLES=${CYCLES:-100}
export CYCLES
exec "$(dirname "$0")/../live/611-backup-cycles.t"
