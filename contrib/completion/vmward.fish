# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of vmward for fish.
# Goes to /usr/share/fish/vendor_completions.d/vmward.fish.
vmward completion fish | source
