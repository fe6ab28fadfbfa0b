#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/140-chaos.t.
POINTS=${POINTS:-200}
export POINTS
exec "$(dirname "$0")/../live/140-chaos.t"
