"""The parser of manifests: what is written is read, and nothing else is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import FormatError
from neuralgraph.storage.manifest import (
    OPERATIONS,
    Commit,
    Manifest,
    Member,
    manifest_name,
    newest_manifest,
    read_manifest,
    write_manifest,
)

names = st.binary(min_size=16, max_size=16).map(bytes.hex)
numbers = st.integers(1, 2**40)


@st.composite
def manifests(draw):
    roots = st.binary(min_size=32, max_size=32).map(bytes.hex)
    members = st.builds(Member, names, st.integers(1, 10**6), numbers, roots, st.integers(0, 99), st.integers(0, 99))
    archives = tuple(draw(st.lists(members, max_size=5, unique_by=lambda member: member.name)))
    followed = sorted(draw(st.sets(numbers, min_size=1, max_size=5)))
    times = st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
    history = [
        Commit(number, draw(times), draw(st.sampled_from(OPERATIONS)), 0, 3, sum(m.studies for m in archives))
        for number in followed
    ]
    removed = tuple(sorted(draw(st.sets(names, max_size=4))))
    return Manifest(draw(names), followed[-1], draw(names), True, draw(numbers), archives, removed, tuple(history))


def signed(record):
    """A record as bytes whose checksum holds, whatever it says."""
    record = {key: value for key, value in record.items() if key != "sha256"}
    body = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    whole = {**record, "sha256": hashlib.sha256(body).hexdigest()}
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode() + b"\n"


MEMBER = Member("ab" * 16, 3, 1000, "cd" * 32, 0, 50)
MANIFEST = Manifest(
    "01" * 16, 2, "02" * 16, True, 8192, (MEMBER,), ("03" * 16,), (Commit(2, "2026-11-29T09:45:34Z", "add", 3, 0, 3),)
)


@given(manifests())
def test_what_is_written_is_read(manifest):
    data = write_manifest(manifest)
    assert read_manifest(data) == manifest
    assert write_manifest(read_manifest(data)) == data


@given(st.binary(max_size=200))
def test_bytes_are_refused_with_a_code(data):
    with pytest.raises(FormatError) as caught:
        read_manifest(data)
    assert caught.value.code == "E_MANIFEST"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_member_of_another_kind_is_refused(data):
    """With a checksum that holds, so that the rules themselves are asked."""
    record = json.loads(write_manifest(MANIFEST))
    target = data.draw(st.sampled_from([record, record["archives"][0], record["history"][0]]))
    key = data.draw(st.sampled_from(sorted(set(target) - {"sha256"})))
    before, after = target[key], data.draw(json_values)
    target[key] = after
    try:
        changed = signed(record)
    except ValueError:
        return
    try:
        manifest = read_manifest(changed)
    except FormatError as error:
        assert error.code == "E_MANIFEST"  # noqa: PT017  most of what is drawn is refused
    else:
        assert type(after) is type(before)
        assert write_manifest(manifest) == changed


@given(st.integers(0, len(write_manifest(MANIFEST)) - 1), st.integers(1, 255))
def test_every_flipped_byte_is_found(position, change):
    data = bytearray(write_manifest(MANIFEST))
    data[position] ^= change
    with pytest.raises(FormatError, match="E_MANIFEST"):
        read_manifest(bytes(data))


@pytest.mark.parametrize(
    "changes",
    [
        {"archives": (replace(MEMBER, name="../../etc/passwd"),)},
        {"archives": (replace(MEMBER, name="AB" * 16),)},
        {"archives": (MEMBER, MEMBER)},
        {"archives": (replace(MEMBER, studies=0),)},
        {"archives": ()},
        {"catalogue": False},
        {"removed": ("03" * 16, "02" * 16)},
        {"snapshot": 3},
        {"history": ()},
        {"history": (replace(MANIFEST.history[0], time="yesterday"),)},
        {"history": (replace(MANIFEST.history[0], operation="x"),)},
    ],
)
def test_contradictions_are_refused(changes):
    record = {"format": "neuralgraph collection 1", **asdict(replace(MANIFEST, **changes))}
    with pytest.raises(FormatError, match="E_MANIFEST"):
        read_manifest(signed(record))


def test_what_is_longer_than_any_manifest_is_not_parsed(monkeypatch):
    data = write_manifest(MANIFEST)
    monkeypatch.setattr("neuralgraph.storage.manifest.LONGEST", len(data))
    assert read_manifest(data) == MANIFEST
    with pytest.raises(FormatError, match="larger than any manifest") as caught:
        read_manifest(data + b"\n")
    assert caught.value.code == "E_MANIFEST"


def test_the_highest_number_wins_and_must_be_its_own():
    files = {manifest_name(2): write_manifest(MANIFEST), manifest_name(3): write_manifest(MANIFEST)}
    found = newest_manifest(["000000000002.json", ".ngr-1.partial", "x.json"], files.__getitem__, where="c")
    assert found == MANIFEST
    with pytest.raises(FormatError, match="another number"):
        newest_manifest(["000000000002.json", "000000000003.json"], files.__getitem__, where="c")
    with pytest.raises(FormatError, match="no manifest"):
        newest_manifest([], files.__getitem__, where="c")
