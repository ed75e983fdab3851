# SPDX-License-Identifier: Apache-2.0
"""The page that a set of rows makes. It follows from the rows alone: a run on a real kernel proves that it is true."""
import os

from rows import TREE, load

PAGES = {
    "behaviours": ("What attackers do, and what the sensor says of it",
                   "Technique numbers are MITRE ATT&CK's; where a release of 2026 renumbered one, both are given.",
                   ("row", "technique", "what is done", "seen as", "missed, and why")),
    "evasions": ("How sensors are evaded, and what becomes of it here",
                 "Groups: A lying about what happened, B breaking identity, C moving data without the watched verb, "
                 "D injection, E network, F the sensor itself.",
                 ("row", "group", "what is tried", "the answer to it", "seen as", "missed, and why")),
}
KERNEL = "6.12"


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ").strip()


def verdict(row):
    """In one word, what the rows declare for the newest LTS kernel."""
    if row.not_performed:
        return "not performed"
    missed = sum(1 for expect in row.expects if expect.reason(KERNEL))
    if not missed:
        return "seen"
    return "partly" if missed < len(row.expects) else "missed"


def fields(expect):
    names = sorted({path.split(".")[-1] if path.count(".") else path for path in expect.where})
    return f"`{'`, `'.join(expect.classes)}`" + (f" ({', '.join(names)})" if names else "")


def seen(row):
    return "; ".join(f"{expect.what}: {fields(expect)}" for expect in row.expects if not expect.reason(KERNEL)) or "-"


def missed(row):
    if row.not_performed:
        return f"not performed: {row.not_performed}"
    found = [f"{expect.what}: {expect.reason(KERNEL)}" for expect in row.expects if expect.reason(KERNEL)]
    found += [f"{expect.what} on {kernel}: {why}" for expect in row.expects for kernel, why in expect.missed_on.items()
              if not expect.missed and kernel != KERNEL]
    return "; ".join(found) or "-"


def line(kind, row):
    cells = [f"**{row.name}** {verdict(row)}", row.technique if kind == "behaviours" else row.group, row.title]
    if kind == "evasions":
        cells.append(row.answer)
    return "| " + " | ".join(cell(text) for text in [*cells, seen(row), missed(row)]) + " |"


def render(kind):
    title, note, heads = PAGES[kind]
    rows = load(kind)
    words = ("seen", "partly", "missed", "not performed")
    counts = {word: sum(1 for row in rows if verdict(row) == word) for word in words}
    single = sum(1 for row in rows for _ in row.expects)
    found = sum(1 for row in rows for expect in row.expects if not expect.reason(KERNEL))
    return "\n".join([
        f"# {title}", "",
        f"Generated from `tests/{kind}/*.toml` by `tests/prove/prove --write`; do not edit. `make {kind}` performs "
        f"each row in a virtual machine with the installed sensor, and looks for the events in what was delivered: what "
        f"stands under *seen* and is not there fails. {note}", "",
        f"On Linux {KERNEL}: " + ", ".join(f"{counts[word]} {word}" for word in words) +
        f"; {found} of {single} single facts.", "",
        "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *(line(kind, row) for row in rows), ""])


def path(kind):
    return os.path.join(TREE, "docs", f"{kind}.md")
