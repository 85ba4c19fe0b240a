"""Searches that a server cuts short, against servers that are functions."""

import random

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.pacs.listing import Listing
from neuralgraph.pacs.narrowing import every_result


def rows(days, seed=0):
    """One study for each day given, at some minute of it."""
    draw = random.Random(seed)
    return [
        {"uid": f"1.{n}", "00080020": day, "00080030": f"{draw.randrange(24):02d}{draw.randrange(60):02d}07.123"}
        for n, day in enumerate(days)
    ]


def inside(text, value):
    first, dash, last = text.partition("-")
    last = last if dash else first
    return (not first or value[: len(first)] >= first) and (not last or (bool(value) and value[: len(last)] <= last))


def server(held, cap, asked, doubt=""):
    def search(filters):
        asked.append(dict(filters))
        found = [
            row
            for row in held
            if ("StudyDate" not in filters or (row["00080020"] and inside(filters["StudyDate"], row["00080020"])))
            and ("StudyTime" not in filters or inside(filters["StudyTime"], row["00080030"]))
        ]
        return Listing(found[:cap], doubt if len(found) > 1 else "")

    return search


def every(held, cap, filters=None, doubt=""):
    asked = []
    found = every_result(
        server(held, cap, asked, doubt), filters or {}, lambda row: row["uid"], lambda row, tag: row.get(tag, "")
    )
    return found, asked


def days(number, seed):
    draw = random.Random(seed)
    return [f"2024{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}" for _ in range(number)]


@pytest.mark.parametrize(("number", "cap"), [(0, 5), (1, 5), (5, 5), (6, 5), (40, 5), (400, 7), (300, 1000), (40, 2)])
def test_a_server_that_ends_every_search_is_asked_in_parts(number, cap):
    held = rows(days(number, seed=number), seed=cap)
    found, asked = every(held, cap)
    assert {row["uid"] for row in found.rows} == {row["uid"] for row in held}
    assert found.doubt == ""
    assert len(asked) <= (3 if number <= cap else 12 * (number // cap + 2))


def test_many_studies_of_one_day():
    held = rows(["20240105"] * 60)
    for filters in ({}, {"StudyDate": "20240105"}, {"StudyDate": "20240101-20240131"}):
        found, _ = every(held, 8, filters)
        assert len(found.rows) == 60


@pytest.mark.parametrize("text", ["20240105", "-20240105", "20240105-", "20240101-20240131"])
def test_ranges_that_were_asked_for_stay(text):
    held = rows([f"202401{day:02d}" for day in range(1, 29)] * 3)
    found, asked = every(held, 4, {"StudyDate": text})
    wanted = {row["uid"] for row in held if inside(text, row["00080020"])}
    assert {row["uid"] for row in found.rows} == wanted
    assert all(inside(text, part) for query in asked for part in query["StudyDate"].split("-") if part)


def test_what_no_range_can_find_is_a_doubt():
    held = [*rows(["20240105", "20240106"] * 20), {"uid": "2.1", "00080020": ""}]
    assert "without a date" in every(held[::-1], 5)[0].doubt
    # Where nothing is kept back there is none.
    assert every(held, 1000)[0].doubt == ""


def test_a_doubt_of_paging_goes_where_parts_show_that_nothing_is_missing():
    assert every(rows(days(20, 1)), 1000, doubt="offset")[0].doubt == ""
    assert len(every(rows(days(20, 1)), 4, doubt="offset")[0].rows) == 20
    same = [{"uid": f"1.{n}", "00080020": "", "00080030": ""} for n in range(20)]
    assert every(same, 1000, doubt="offset")[0].doubt == "offset"
    assert every(rows(days(20, 1)), 4, {"StudyDate": "2024"}, doubt="offset")[0].doubt == "offset"


def test_a_server_that_refuses_ranges_proves_nothing():
    def search(filters):
        if "StudyDate" in filters:
            raise SourceError("HTTP 400", code="E_SOURCE_READ")
        return Listing(rows(days(9, 2)), "offset")

    found = every_result(search, {}, lambda row: row["uid"], lambda row, tag: row.get(tag, ""))
    assert (len(found.rows), found.doubt) == (9, "offset")
