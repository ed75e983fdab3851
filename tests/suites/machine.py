# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with the installed product in it, and the collector outside that it delivers to."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time


class Collector:
    """`hinomi collect` of this machine, which the guest reaches as 10.0.2.2."""

    def __init__(self, build, root):
        self.store = os.path.join(root, "store")
        self.process = subprocess.Popen([f"{build}/hinomi", "collect", "--listen", "127.0.0.1:0", "--store",
                                         self.store], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        port = re.search(r":(\d+)\D*$", line)
        if not port:
            raise RuntimeError(f"hinomi collect said {line!r}")
        self.port = int(port.group(1))

    def spools(self):
        return [path for name in (os.listdir(self.store) if os.path.isdir(self.store) else [])
                if os.path.isdir(os.path.join(path := os.path.join(self.store, name), "keep"))]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


class Delivered(threading.Thread):
    """Lets the guest go once the sensor's last word is here: it listens on a port from then on."""

    def __init__(self, collector, is_here):
        super().__init__(daemon=True)
        self.collector, self.is_here = collector, is_here
        self.door = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port = self.door.getsockname()[1]
        self.door.close()

    def bytes(self):
        return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(self.collector.store)
                   for name in names)

    def run(self):
        while not any(self.is_here(spool) for spool in self.collector.spools()):
            time.sleep(0.5)
        before = -1
        while before != (now := self.bytes()):
            before = now
            time.sleep(2)
        self.door = socket.create_server(("127.0.0.1", self.port), backlog=1)


def overlay(build, root, collector, delivered, files):
    """What a package would have put on the disk, the collector's address, and FILES: {name below /opt: source}."""
    into = os.path.join(root, "overlay")
    subprocess.run(["make", "--no-print-directory", "-s", f"B={build}", "install", f"DESTDIR={into}", "PREFIX=/usr"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(into, "etc/hinomi/hinomi.conf.d/collector.conf"), "w", encoding="utf-8") as conf:
        conf.write(f"[sink test]\ntype = collector\nurl = http://10.0.2.2:{collector.port}\n")
    os.makedirs(os.path.join(into, "opt"))
    for name, source in files.items():
        shutil.copy(source, os.path.join(into, "opt", name))
    with open(os.path.join(into, "opt/port"), "w", encoding="utf-8") as port:
        port.write(f"{delivered.port}\n")
    return into
