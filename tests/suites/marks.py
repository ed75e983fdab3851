# SPDX-License-Identifier: Apache-2.0
"""How a suite counts the marks that tests/storm left, and says what it found."""
import collections
import json
import os
import subprocess
import sys


def skip(reason):
    print(reason)
    sys.exit(77)


def verdict(name, problems, note=""):
    for problem in problems[:20]:
        print(f"# {name}: {problem}")
    print(f"{'not ok' if problems else 'ok'} {name} {problems[0] if problems else note}".rstrip(), flush=True)


def count(done, full, unit):
    """For the table at the end of the faults: how often the fault was performed, and how often it is in full."""
    print(f"count {done} {full} {unit}", flush=True)


def cgroup_root():
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            if " - cgroup2 " in line:
                return line.split()[4]
    return skip("there is no cgroup v2 hierarchy")


def cat(build, spool, classes):
    """Every event of these classes, in the order of time."""
    reader = subprocess.Popen([f"{build}/hinomi", "cat", "--spool", spool, "--class", classes, "-o", "json"],
                              stdout=subprocess.PIPE)
    for line in reader.stdout:
        yield json.loads(line)
    if reader.wait():
        raise RuntimeError(f"hinomi cat of {spool} failed")


def is_watching(build, spool):
    """Whether a sensor has begun to look; its spool may still be in the making."""
    try:
        return os.path.isdir(spool) and any(True for _ in cat(build, spool, "sensor_start"))
    except RuntimeError:
        return False


def marks(events, files):
    """How often each mark is there, by class: arguments, names below `files`, addresses 127.1.x.y."""
    found = {name: collections.Counter() for name in ("exec", "file_create", "connect", "accept")}
    for event in events:
        kind = event["class"]
        body = event[kind]
        if kind == "exec" and len(body["args"]) > 2 and body["args"][1] == "nothing":
            found[kind][body["args"][2]] += 1
        elif kind == "file_create" and body["file"]["path"].startswith(files + "/"):
            found[kind][body["file"]["path"][len(files) + 1:]] += 1
        elif kind == "connect" and body.get("peer", {}).get("ip", "").startswith("127.1."):
            found[kind][body["peer"]["ip"]] += 1
        elif kind == "accept" and body["local"].get("ip", "").startswith("127.1."):
            found[kind][body["local"]["ip"]] += 1
    return found


def wanted(kind, number, mark="mark"):
    if kind in ("connect", "accept"):
        return [f"127.1.{i >> 8}.{i & 255}" for i in range(number)]
    if kind == "exec":
        return [f"{mark}-{i}" for i in range(number)]
    return [str(i) for i in range(number)]


def judge(name, names, found, lost):
    """Each once; what is not there is declared lost, to the last one."""
    missing = sum(1 for mark in names if not found[mark])
    problems = [f"{mark} is there {found[mark]} times" for mark in names if found[mark] > 1][:3]
    if missing != lost:
        problems.append(f"{missing} of {len(names)} are missing, {lost} are declared lost")
    verdict(name, problems, f"{len(names) - missing} of {len(names)} delivered, {lost} declared lost")
