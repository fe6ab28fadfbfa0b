#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/556-plug-leaks.t.
PLUGS=${PLUGS:-10000}
export PLUGS
exec "$(dirname "$0")/../live/556-plug-leaks.t"
