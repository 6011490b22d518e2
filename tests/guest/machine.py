"""The guest: a machine in software, with Debian's own kernel and this machine's own files.

   host: namespaces that `isolate` made, qemu among them         guest: virtio network cards

     bridge "wan" ──┬── tap of 4 queues ───────── card-wan    spreads packets over its queues as
                    │                                         it is told
                    ├── tap of 4 queues ───────── plain-wan   spreads them as the tap likes
                    └── tap of 1 queue ────────── wire-wan    the kernel's, and so the others' way
                                                              to a laboratory
     bridge "lan" ──── the same

The first two are for drivers in user space (vfio-pci, behind the guest's own IOMMU).
Memory of the guest's own lies above what it sees of this machine's files, so that it may write
anywhere, and nothing comes of it; what it has to say it leaves in a folder that both share.

Emulated instructions tell nothing about speed, and much about what the kernel and the cards do.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from labkit.lab import run

HERE = Path(__file__).resolve().parent
QUEUES = 4
CARDS = {"card-wan": 4, "plain-wan": 5, "wire-wan": 6,  # and their PCI slots
         "card-lan": 7, "plain-lan": 8, "wire-lan": 9}


@dataclass(frozen=True)
class Size:
    cpus: int
    memory_mb: int
    hugepages: int  # of 2 MB


def is_wire(card):
    return card.startswith("wire")


def mac_of(card):
    return f"02:00:00:00:00:{CARDS[card]:02x}"


def pci_address_of(card):
    return f"0000:00:{CARDS[card]:02x}.0"


def make_wires():
    for side in ("wan", "lan"):
        run("ip", "link", "add", side, "type", "bridge", "mcast_snooping", "0")
        run("ip", "link", "set", side, "up")
        for card in (card for card in CARDS if card.endswith(side)):
            many = [] if is_wire(card) else ["multi_queue"]
            run("ip", "tuntap", "add", card, "mode", "tap", "vnet_hdr", *many)
            run("ip", "link", "set", card, "master", side, "up")


def card_words(card):
    words = f"virtio-net-pci,netdev={card},mac={mac_of(card)},addr={CARDS[card]:#x},romfile="
    many = "" if is_wire(card) else f",queues={QUEUES}"
    if many:
        words += (f",mq=on,vectors={2 * QUEUES + 2},disable-legacy=on,iommu_platform=on,ats=on")
    if card.startswith("card"):
        words += ",rss=on,hash=on"
    return ["-netdev", f"tap,id={card},ifname={card},script=no,downscript=no,vhost=off{many}",
            "-device", words]


def share_words(tag, folder, *options):
    words = ["local", f"path={folder}", f"mount_tag={tag}", "security_model=none",
             "multidevs=remap", *options]
    return ["-virtfs", ",".join(words)]


class Machine:
    """One start of the guest, with a job; `folder` is what both see and may write to."""

    def __init__(self, kernel, size, folder):
        self.kernel, self.size, self.folder = kernel, size, folder

    def do(self, command, seconds, output):
        """Runs the command in the guest. Whether the guest came to its end in time."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        job = {"command": [str(word) for word in command], "hugepages": self.size.hugepages,
               "modules": str(self.kernel.modules), "folder": str(self.folder),
               "names": {mac_of(card): card for card in CARDS},
               "cards": [pci_address_of(card) for card in CARDS if not is_wire(card)]}
        (self.folder / "job.json").write_text(json.dumps(job))
        with subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT) as qemu:
            try:
                return qemu.wait(seconds) == 0 and (self.folder / "done").exists()
            except subprocess.TimeoutExpired:
                qemu.kill()
                return False

    def words(self):
        # An accelerator is never asked for: what it makes of Debian's kernel differs by machine. On
        # a busy one the guest's timer may be late; that is no reason to give up (no_timer_check).
        words = ["qemu-system-x86_64", "-machine", "q35,kernel-irqchip=split",
                 "-accel", "tcg,thread=multi", "-cpu", "max",
                 "-smp", str(self.size.cpus), "-m", str(self.size.memory_mb),
                 "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
                 "-device", "intel-iommu,intremap=on,caching-mode=on",
                 "-kernel", self.kernel.image, "-initrd", self.kernel.initramfs, "-append",
                 "console=ttyS0 quiet panic=-1 intel_iommu=on mitigations=off no_timer_check "
                 f"fulcrum.next={HERE / 'inside'} fulcrum.job={self.folder}",
                 *share_words("machine", "/", "readonly=on"), *share_words("job", self.folder)]
        for card in CARDS:
            words += card_words(card)
        return words
