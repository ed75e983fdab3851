# SPDX-License-Identifier: Apache-2.0
"""Compares what was delivered with what a row expects."""
import re

ABSENT = (None, "", 0, [], {}, False)


def values(event, path):
    """What stands at a dotted path of the body, else of the event; through lists, all of it."""
    body = event.get(event["class"], {})
    names = path.split(".")
    found = [body if names[0] in body else event]
    for name in names:
        step = []
        for value in found:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict) and name in item:
                    step.append(item[name])
        found = step
    return found


def fill(wanted, notes):
    """Puts what the row noted in the machine in place of ${NAME}; None when it noted no such thing."""
    if isinstance(wanted, list):
        return [fill(item, notes) for item in wanted]
    if not isinstance(wanted, str):
        return wanted
    for name in re.findall(r"\$\{(\w+)\}", wanted):
        if name not in notes:
            return None
        value = re.escape(notes[name]) if wanted.startswith("~") else notes[name]
        wanted = wanted.replace("${%s}" % name, value)
    return wanted


def is_equal(value, wanted):
    if wanted is None:
        return False
    if wanted == "*":
        return value not in ABSENT
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and \
            all(is_equal(*pair) for pair in zip(value, wanted))
    if not isinstance(wanted, str) or isinstance(value, bool):
        return value == wanted
    if isinstance(value, list):
        return any(is_equal(item, wanted) for item in value)
    if wanted.startswith("~"):
        return re.search(wanted[1:], str(value)) is not None
    if wanted.startswith("!"):
        return str(value) != wanted[1:]
    if wanted.startswith(">"):
        return isinstance(value, int) and value > int(wanted[1:])
    if wanted.startswith("&"):
        return int(str(value), 0) & int(wanted[1:], 0) == int(wanted[1:], 0)
    return str(value) == wanted


def is_match(event, where, notes):
    for path, wanted in where.items():
        found = values(event, path)
        wanted = fill(wanted, notes)
        if wanted == "-":
            if any(value not in ABSENT for value in found):
                return False
        elif not any(is_equal(value, wanted) for value in found):
            return False
    return True


def count(expect, events, notes, begin_ns, end_ns):
    """(how many of the events are what is expected, how many there must be)."""
    last_ns = end_ns + int(expect.within_s * 1e9)
    found = [event for event in events if event["class"] in expect.classes and
             begin_ns <= event["time_ns"] <= last_ns and is_match(event, expect.where, notes)]
    number = len({str(values(event, expect.distinct)) for event in found}) if expect.distinct else len(found)
    return number, int(fill(str(expect.count), notes) or 1)


def is_seen(expect, number, wanted):
    return number == 0 if expect.never else number >= wanted
