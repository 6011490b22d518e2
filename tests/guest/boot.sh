#!/bin/busybox sh
# The guest's first program, in its initramfs: makes the machine's own file system the guest's root,
# read-only below and with a memory of its own above, and goes on there.
set -eu
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in $(cat /modules/order); do
    insmod "/modules/$module"
done
mkdir -p /below /above /root
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro machine /below
mount -t tmpfs -o mode=755 above /above
mkdir /above/changes /above/work
mount -t overlay -o lowerdir=/below,upperdir=/above/changes,workdir=/above/work root /root
for folder in dev proc sys; do
    mount -o move "/$folder" "/root/$folder"
done
for word in $(cat /root/proc/cmdline); do
    case $word in fulcrum.next=*) next=${word#*=} ;; esac
done
exec switch_root /root "$next"
