"""Debian's kernel for the guest, unpacked from its package and not installed, and the initramfs
that boot.sh is in. Both are kept in the build folder until Debian has a newer kernel.
"""

import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUSYBOX = "/bin/busybox"
# What is needed to see the machine's file system. The rest is loaded from there.
EARLY_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
# Of the package's 400 MB.
KEPT = ["./boot/vmlinuz-*", "./lib/modules/*/modules.*", "./lib/modules/*/kernel/arch",
        "./lib/modules/*/kernel/crypto", "./lib/modules/*/kernel/lib",
        "./lib/modules/*/kernel/net", "./lib/modules/*/kernel/fs/9p",
        "./lib/modules/*/kernel/fs/fscache", "./lib/modules/*/kernel/fs/netfs",
        "./lib/modules/*/kernel/fs/overlayfs", "./lib/modules/*/kernel/drivers/net/*.ko",
        "./lib/modules/*/kernel/drivers/uio", "./lib/modules/*/kernel/drivers/vfio",
        "./lib/modules/*/kernel/drivers/virtio", "./lib/modules/*/kernel/virt"]


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Kernel:
    """Files in `folder`: `image` and `initramfs` for qemu, and `modules`, as in /lib/modules."""

    def __init__(self, folder):
        self.folder = folder
        self.initramfs = folder / "initramfs"

    def prepare(self):
        """Fetches and unpacks what is not there. Asks the package archive."""
        depends = run("apt-cache", "depends", "linux-image-amd64")
        package = re.search(r"Depends: (linux-image-[\w.-]+)", depends)[1]
        self.version = package.removeprefix("linux-image-")
        self.root = self.folder / self.version
        self.image = self.root / f"boot/vmlinuz-{self.version}"
        self.modules = self.root / "lib/modules"
        if not (self.root / "complete").exists():
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            self._unpack(package)
            (self.root / "complete").touch()
        self._make_initramfs()

    def _unpack(self, package):
        run("apt-get", "download", package, cwd=self.root)
        archive = next(self.root.glob("*.deb"))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive],
                              stdout=subprocess.PIPE) as files:
            run("tar", "-x", "-C", self.root, "--wildcards", "--no-wildcards-match-slash",
                *KEPT, stdin=files.stdout)
        archive.unlink()
        run("depmod", "-b", self.root, self.version)

    def _make_initramfs(self):
        content = self.folder / "initramfs.d"
        shutil.rmtree(content, ignore_errors=True)
        for name in ("bin", "dev", "modules", "proc", "sys"):
            (content / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, content / "bin")
        for name in ("cat", "insmod", "mkdir", "mount", "sh", "switch_root"):
            (content / "bin" / name).symlink_to("busybox")
        shutil.copy(HERE / "boot.sh", content / "init")
        order = []
        for wanted in EARLY_MODULES:
            lines = run("modprobe", "-d", self.root, "-S", self.version, "--show-depends", wanted)
            order += [Path(line.split()[1]) for line in lines.splitlines()
                      if line.startswith("insmod")]
        order = list(dict.fromkeys(order))
        for path in order:
            shutil.copy(path, content / "modules")
        (content / "modules/order").write_text("\n".join(path.name for path in order) + "\n")
        names = run("find", ".", cwd=content)
        with self.initramfs.open("wb") as output:
            subprocess.run([BUSYBOX, "cpio", "-o", "-H", "newc"], cwd=content, check=True,
                           input=names.encode(), stdout=output, stderr=subprocess.DEVNULL)
