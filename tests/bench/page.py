# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md: text between marks, and on which machine it was measured."""
import datetime
import os
import platform
import re
import subprocess
import sys

PAGE = "docs/performance.md"


def where(command):
    """Date, tree, machine, command, in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    with open("/proc/meminfo", encoding="utf-8") as info:
        memory = int(re.search(r"MemTotal:\s*(\d+)", info.read()).group(1)) >> 20
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True, check=False)
    return (f"{datetime.date.today()}, {commit.stdout.strip() or 'unknown'}: {os.cpu_count()} CPUs "
            f"({model.group(1) if model else platform.machine()}), {memory} GiB, Linux {platform.release()}, "
            f"load {os.getloadavg()[0]:.1f} before; `{command}`.")


def put(name, lines):
    """Between the marks of the page."""
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
    if begin not in text or end not in text:
        sys.exit(f"{PAGE} has no marks for {name}")
    head, rest = text.split(begin)
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write(head + begin + "\n".join(lines) + "\n" + end + rest.split(end)[1])
