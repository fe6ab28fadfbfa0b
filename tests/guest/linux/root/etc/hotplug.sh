#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What uevent runs for each event: says what came and went, takes new CPUs
# and nics into use.
# shellcheck disable=SC2154 # the kernel sets them
case $SUBSYSTEM in
cpu)
	[ "$ACTION" != add ] || echo 1 >"/sys$DEVPATH/online" 2>/dev/null
	what="cpu ${DEVPATH##*/}"
	;;
memory) what="memory ${DEVPATH##*/}" ;;
block) what="block $DEVNAME" ;;
net)
	what="net $INTERFACE"
	case $ACTION$INTERFACE in
	addeth*) /etc/net-up.sh "$INTERFACE" ;;
	esac
	;;
pci) what="pci $PCI_SLOT_NAME $PCI_ID" ;;
usb)
	[ "$DEVTYPE" = usb_device ] || exit 0
	what="usb $PRODUCT"
	;;
virtio-ports) what="port $DEVNAME" ;;
*) exit 0 ;;
esac
echo "HOTPLUG $ACTION $what" >/dev/console
