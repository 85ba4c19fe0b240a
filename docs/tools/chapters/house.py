"""The package in numbers, before it was made smaller and after."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "The house in numbers"
RESULTS = "house.json"

_READING = ("FORMAT.md", "codecs", "container", "graph", "spec/reader-js", "storage", "vectors")
"""What reading a file is made of, and the vectors that hold it, by the names of before."""
_OUT_OF_STORAGE = ("access", "rows")
"""Rooms that were parts of storage."""


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    before, after = results["before"], results["after"]
    rooms = sorted(before["lines"].keys() | after["lines"].keys())
    lines = [[room, *(each["lines"].get(room, 0) for each in (before, after))] for room in rooms]
    lines.append(["**all**", *(sum(each["lines"].values()) for each in (before, after))])
    facts = [
        ["files of the package", before["files"], after["files"]],
        ["lines of the longest file", before["longest_file"], after["longest_file"]],
        ["functions", before["functions"]["count"], after["functions"]["count"]],
        *(
            [f"lines of a function, {name}", int(before["functions"][key]), int(after["functions"][key])]
            for name, key in (("median", "median"), ("95th percentile", "95th"), ("the longest", "longest"))
        ),
        ["functions over 60 lines", before["functions"]["over_60_lines"], after["functions"]["over_60_lines"]],
        [
            "functions with more than 8 parameters, verbs left out",
            before["functions"]["over_8_parameters_beside_verbs"],
            after["functions"]["over_8_parameters_beside_verbs"],
        ],
        ["names that several modules have", before["names"]["modules"], after["names"]["modules"]],
        ["names that several classes have", before["names"]["classes"], after["names"]["classes"]],
        ["circles of imports", len(before["knots"]), len(after["knots"])],
    ]
    if "suite_seconds" in results:
        facts.append(["seconds of the test suite on two cores", *map(int, results["suite_seconds"])])
    read, reads = (sum(each["lines"].get(room, 0) for room in _READING) for each in (before, after))
    moved = sum(after["lines"].get(room, 0) for room in _OUT_OF_STORAGE)
    kernel = after["kernel_lines"]
    alone, with_kernel, with_all = (1 - each / read for each in (reads, reads + kernel, reads + kernel + moved))
    reached = "is reached" if with_kernel >= 0.25 else "is not reached"
    return f"""Command: `python -m bench house --before REVISION`. *Before* is the state in which one guarantee of reading was written in nine
places; *after* is now. Lines are those of code and of FORMAT.md, docstrings and comments among them; lines of a function are
without its docstring.

{table(["what", "before", "after"], facts)}

Names that several modules have are of different floors: no floor has one twice, and no room has a circle (tests and import-linter hold both).

## Lines of each room

{table(["room", "before", "after"], lines)}

Reading a file and its vectors ({", ".join(_READING)}) took {read:,} lines and takes {reads:,}, {alone:.0%} less. Batches have a compiled
kernel of {kernel:,} lines besides; with it, it is {with_kernel:.1%} less: **a quarter less, kernel included, was the aim and {reached}.** That
is not all less code: {moved:,} lines of what was, or would have become, `storage` lie in rooms of their own ({", ".join(_OUT_OF_STORAGE)}: files behind
a network, and rows of tables, much of which is new); with these too it is {with_all:.0%} less. What went is in [Decisions](../decisions.md).
"""
