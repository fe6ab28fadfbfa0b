#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/504-hostile-image.t: every bit of a header.
STEP=${STEP:-1}
export STEP
exec "$(dirname "$0")/../live/504-hostile-image.t"
