# SPDX-License-Identifier: Apache-2.0
"""Rows as data: what is done in the machine, and what a perfect sensor says of it. README.md has the format."""
import glob
import os
import tomllib

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW_KEYS = {"group", "technique", "title", "answer", "perform", "not_performed", "slow", "last", "expect"}
EXPECT_KEYS = {"what", "class", "where", "count", "distinct", "never", "within_s", "missed", "missed_on"}


class Expect:
    """One event, or so many of them, that must be in the delivered stream."""

    def __init__(self, table):
        self.what = table["what"]
        self.classes = [table["class"]] if isinstance(table["class"], str) else table["class"]
        self.where = table.get("where", {})
        self.count = table.get("count", 1)
        self.distinct, self.never = table.get("distinct", ""), table.get("never", False)
        self.within_s = table.get("within_s", 0)
        self.missed = table.get("missed", "")
        self.missed_on = table.get("missed_on", {})

    def reason(self, kernel):
        """Why it is missed on this kernel; empty: it is to be seen."""
        return self.missed or self.missed_on.get(kernel, "")


class Row:
    def __init__(self, path, table):
        self.path, self.name = path, os.path.splitext(os.path.basename(path))[0]
        self.group = table.get("group", "")
        self.technique = table.get("technique", "")
        self.title, self.answer = table["title"], table.get("answer", "")
        self.perform = table.get("perform", "")
        self.not_performed = table.get("not_performed", "")
        self.slow, self.last = table.get("slow", False), table.get("last", False)
        self.expects = [Expect(expect) for expect in table.get("expect", [])]


def faults(table):
    """What is wrong with the form of one file."""
    yield from (f"unknown key {key}" for key in table.keys() - ROW_KEYS)
    if "title" not in table:
        yield "no title"
    if bool(table.get("perform")) == bool(table.get("not_performed")):
        yield "one of perform and not_performed is needed"
    if table.get("perform") and not table.get("expect"):
        yield "nothing is expected"
    for number, expect in enumerate(table.get("expect", []), 1):
        yield from (f"expect {number}: unknown key {key}" for key in expect.keys() - EXPECT_KEYS)
        yield from (f"expect {number}: no {key}" for key in {"what", "class"} - expect.keys())


def tables(folder):
    """(path, table) of each row of a folder, by name."""
    for path in sorted(glob.glob(os.path.join(TREE, "tests", folder, "*.toml"))):
        with open(path, "rb") as file:
            yield path, tomllib.load(file)


def load(folder):
    return [Row(path, table) for path, table in tables(folder)]
