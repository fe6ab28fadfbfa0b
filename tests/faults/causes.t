#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/430-causes.t: with LONG=yes 20 rounds.
ROUNDS=${ROUNDS:-${LONG:+20}} KVM_ROUNDS=${KVM_ROUNDS:-${LONG:+20}}
: "${ROUNDS:=2}" "${KVM_ROUNDS:=2}"
export ROUNDS KVM_ROUNDS
exec "$(dirname "$0")/../live/430-causes.t"
