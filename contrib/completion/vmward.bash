# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of vmward for bash: the program knows its own verbs.
# Goes to /usr/share/bash-completion/completions/vmward.
eval "$(vmward completion bash)"
