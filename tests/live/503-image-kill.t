#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-image.t: a few points of each case.
POINTS=${POINTS:-3} INSTANTS=${INSTANTS:-3}
export POINTS INSTANTS
exec "${TOP:-$(dirname "$0")/../..}/tests/faults/kill-image.t"
