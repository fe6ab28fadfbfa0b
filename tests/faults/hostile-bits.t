#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/504-hostile-image.t: with LONG=yes
# every bit of a header, else each 32nd.
STEP=${STEP:-${LONG:+1}}
: "${STEP:=32}"
export STEP
exec "$(dirname "$0")/../live/504-hostile-image.t"
