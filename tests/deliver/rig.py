# SPDX-License-Identifier: Apache-2.0
"""What the delivery suites share: spools with markers, processes on loopback, and counting at the far end.

The judge mints the markers ("/marker/N/" in the path of event N) and finds them again in what arrived; the
programs' own counters are never asked.
"""
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
FORWARD = f"{BUILD}/libexec/hinomi-forward"
COLLECT = f"{BUILD}/libexec/hinomi-collect"
HINOMI = f"{BUILD}/hinomi"
MKSPOOL = f"{BUILD}/tests/deliver/mkspool"
MKANSWER = f"{BUILD}/tests/deliver/mkanswer"
FAULTD = f"{BUILD}/tests/faultd"
MARKER = re.compile(rb"/marker/(\d+)/")


class Skip(Exception):
    """This test cannot run here, for the reason given."""


def build():
    # the same name of the directory as always: dependencies are noted by it
    subprocess.run(["make", "--no-print-directory", f"B={os.path.relpath(BUILD)}", "all", "deliver-tools"],
                   check=True, stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident(pid):
    """KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} instead of {wanted!r}")


def until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Rig:
    """A directory and the processes of one test; both are gone when it ends."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="hinomi-deliver-")
        self.running = []
        self.logs = 0

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, *command, **options):
        self.logs += 1
        with open(self.path(f"log.{self.logs}"), "wb") as log:
            process = subprocess.Popen(command, stderr=log, **options)
        process.log = log.name
        self.running.append(process)
        return process

    def said(self, process):
        with open(process.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self, process, sig=signal.SIGTERM, seconds=10):
        process.send_signal(sig)
        return process.wait(timeout=seconds)

    # ---- the sensor's side

    def spool(self, events, first=1, name="spool", **options):
        """Frames made, a number."""
        command = [MKSPOOL, "--spool", self.path(name), "--events", str(events), "--first", str(first)]
        for key, value in options.items():
            command += ["--" + key.replace("_", "-")] + ([] if value is None else [str(value)])
        return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def config(self, *sinks, name="hinomi.conf", **everywhere):
        """sinks: (name, type, url, {key: value})"""
        with open(self.path(name), "w", encoding="utf-8") as file:
            for sink, kind, url, extra in sinks:
                file.write(f"[sink {sink}]\ntype = {kind}\nurl = {url}\n")
                for key, value in {**everywhere, **extra}.items():
                    file.write(f"{key} = {value}\n")
        return self.path(name)

    def forward(self, config, *extra, spool="spool", state="state", **options):
        return self.start(FORWARD, "--config", config, "--spool", self.path(spool), "--state",
                          self.path(state), *extra, **options)

    def forward_once(self, config, seconds=120, **options):
        """(exit status, what it said)"""
        process = self.forward(config, "--once", **options)
        return process.wait(timeout=seconds), self.said(process)

    # ---- the far end

    def collect(self, *extra, port=0, store="store"):
        process = self.start(COLLECT, "--listen", f"127.0.0.1:{port}", "--store", self.path(store), *extra,
                             stdout=subprocess.PIPE)
        line = process.stdout.readline().decode()
        if "listening at" not in line:
            raise AssertionError(f"collect did not start: {self.said(process)}")
        process.port = int(line.rsplit(":", 1)[1])
        return process

    def faultd(self, script, *extra):
        os.makedirs(self.path("bodies"), exist_ok=True)
        process = self.start(FAULTD, "--log", self.path("requests"), "--save", self.path("bodies"), *extra,
                             script, stdout=subprocess.PIPE)
        process.port = int(process.stdout.readline())
        return process

    def requests(self):
        if not os.path.exists(self.path("requests")):
            return []
        with open(self.path("requests"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def body(self, request):
        with open(self.path(f"bodies/{request['request']:06}"), "rb") as file:
            return file.read()

    def markers_of(self, requests):
        """How often each marker was in the bodies of these (uncompressed) OTLP requests."""
        found = collections.Counter()
        for request in requests:
            # a record has its marker twice: in the line for people, and in file.path
            found.update(set(int(number) for number in MARKER.findall(self.body(request))))
        return found

    def sensors(self, store="store"):
        return [name for name in os.listdir(self.path(store)) if re.fullmatch("[0-9a-f]{32}", name)]

    def stored(self, store="store", sensor=None):
        """How often each marker is in the collector's spool of the (one) sensor."""
        sensor = sensor or self.sensors(store)[0]
        cat = subprocess.run([HINOMI, "cat", "--spool", f"{self.path(store)}/{sensor}", "-o", "json"],
                             check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if cat.returncode and b"no spool" not in cat.stderr:  # it is being made
            raise AssertionError(cat.stderr.decode())
        return collections.Counter(int(number) for number in MARKER.findall(cat.stdout))

    def verify(self, store="store", sensor=None):
        """(exit status, output) of hinomi verify"""
        sensor = sensor or self.sensors(store)[0]
        run = subprocess.run([HINOMI, "verify", "--spool", f"{self.path(store)}/{sensor}"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode, run.stdout.decode(errors="replace")

    def logged(self, store="store"):
        """How often each marker is in the collector's OTLP lines, and how many ids they have."""
        found, ids = collections.Counter(), set()
        directory = self.path(f"{store}/logs")
        for name in sorted(os.listdir(directory)):
            with open(f"{directory}/{name}", encoding="utf-8") as file:
                for line in file:
                    if not line.endswith("\n"):  # it is being written
                        break
                    attributes = {a["key"]: a["value"] for a in json.loads(line)["record"]["attributes"]}
                    found[int(attributes["file.path"]["stringValue"].split("/")[2])] += 1
                    ids.add(attributes["log.record.uid"]["stringValue"])
        return found, ids

    def cursors(self, state="state"):
        """Those that were ever moved."""
        return [name for name in os.listdir(self.path(state)) if name.endswith(".cursor")
                and os.path.getsize(self.path(f"{state}/{name}"))]

    def findings(self, *kinds, store="store"):
        """Of these kinds, or all that a slow machine alone does not bring about."""
        with open(self.path(f"{store}/findings.jsonl"), encoding="utf-8") as file:
            found = [json.loads(line) for line in file]
        if kinds:
            return [finding for finding in found if finding["finding"] in kinds]
        return [finding for finding in found if finding["finding"] not in ("silence", "heard")]


def once_each(events, first=1):
    return collections.Counter(range(first, first + events))


def expect_markers(what, got, wanted):
    if got == wanted:
        return
    missing, twice = sorted((wanted - got).elements()), sorted((got - wanted).elements())
    raise AssertionError(f"{what}: {len(missing)} missing {missing[:5]}, {len(twice)} too many {twice[:5]}")


def run(tests):
    """Each test is a function of a rig; prints its line."""
    build()
    random.seed(os.environ.get("HINOMI_SEED", "hinomi"))
    for test in tests:
        rig = Rig()
        name = test.__name__.replace("_", "-")
        try:
            test(rig)
            print(f"ok {name}", flush=True)
        except Skip as reason:
            print(f"skip {name} {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stdout)
            for process in rig.running:
                print(f"-- {' '.join(process.args[:1])}: {rig.said(process)[-3000:]}")
            print(f"not ok {name}", flush=True)
        finally:
            rig.close()
