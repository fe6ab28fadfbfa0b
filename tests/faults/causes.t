#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/430-causes.t.
ROUNDS=${ROUNDS:-20} KVM_ROUNDS=${KVM_ROUNDS:-20}
export ROUNDS KVM_ROUNDS
exec "$(dirname "$0")/../live/430-causes.t"
