"""Salvage: what was whole before the damage is recovered byte for byte, and nothing else is."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from builders import build_study
from hypothesis import given
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.salvage import survey
from neuralgraph.storage.recover import Recovery, recover

OTHER_METHOD = {"prune": {"policy": "fraction", "value": 0.5}, "report": "none"}


def five() -> list[ng.Study]:
    """Five small studies of two methods."""
    return [
        build_study(seed=number, dim=2, concepts=1, **({"provenance": OTHER_METHOD} if number == 3 else {}))
        for number in range(5)
    ]


STUDIES = five()
ARCHIVE = ng.to_bytes(STUDIES)
DIGESTS = {study.study_id: study.digest for study in STUDIES}


def extents(data: bytes) -> list[tuple[int, int]]:
    index = Container(BytesSource(data)).index
    return [(int(a), int(a) + int(n)) for a, n in zip(index.offset, index.length, strict=True)]


EXTENTS = extents(ARCHIVE)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.damaged, self.output, self.sibling = (folder / name for name in ("damaged.ngr", "new.ngr", "whole.ngr"))
        self.sibling.write_bytes(ARCHIVE)

    def __call__(self, data: bytes, **options: object) -> Recovery:
        self.damaged.write_bytes(data)
        self.output.unlink(missing_ok=True)
        recovery = recover(self.damaged, self.output, **options)  # type: ignore[arg-type]
        assert self.damaged.read_bytes() == data
        if recovery.recovered:
            assert ng.validate(self.output).problems == ()
            with ng.open(self.output) as archive:
                assert archive.ids == [study.study_id for study in recovery.recovered]
        else:
            assert not self.output.exists()
        return recovery

    def digests(self) -> dict[str, str]:
        with ng.open(self.output) as archive:
            return {study.study_id: study.digest for study in archive}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("recover"))


def ids(recovery: Recovery) -> list[str]:
    return [study.study_id for study in recovery.recovered]


def test_an_undamaged_file_is_copied_whole(bench):
    recovery = bench(ARCHIVE)
    assert recovery.whole
    assert recovery.damage == ()
    assert bench.output.read_bytes() == ARCHIVE
    single = ng.to_bytes(STUDIES[0])
    assert bench(single).whole
    assert bench.output.read_bytes() == single


# Truncation


@given(length=st.integers(0, len(ARCHIVE) - 1))
def test_truncation_salvages_exactly_the_studies_before_the_cut(shared_bench, length):
    check_truncation(shared_bench, length)


@pytest.mark.parametrize(
    "length",
    [0, 1, 8, 31, 32, *(edge + d for _, edge in EXTENTS for d in (-1, 0, 1, 100)), len(ARCHIVE) - 96, len(ARCHIVE) - 1],
)
def test_truncation_at_every_kind_of_place(shared_bench, length):
    check_truncation(shared_bench, length)


def check_truncation(bench, length):
    whole = [study.study_id for study, (_, stop) in zip(STUDIES, EXTENTS, strict=True) if stop <= length]
    recovery = bench(ARCHIVE[:length], methods_from=[bench.sibling])
    assert ids(recovery) == whole
    if whole:
        assert bench.digests() == {study_id: DIGESTS[study_id] for study_id in whole}
    # All are known to be there as soon as the first columns of the index are.
    assert recovery.whole == (len(whole) == 5 and length >= EXTENTS[-1][1] + 12 * 5)
    without = bench(ARCHIVE[:length], without_method=True)
    assert ids(without) == whole


def test_truncation_at_every_length():
    for length in range(len(ARCHIVE)):
        found = survey(BytesSource(ARCHIVE[:length]), ng.Limits(), search=False)
        good = [(place.offset, place.offset + place.length) for place in found.places if place.problem is None]
        assert good == [extent for extent in EXTENTS if extent[1] <= length]
        assert found.suspects == []


def test_without_its_method_a_study_is_not_recovered_unless_asked(bench):
    cut = ARCHIVE[: EXTENTS[2][1] + 40]
    recovery = bench(cut)
    assert recovery.recovered == ()
    assert {loss.problem.code for loss in recovery.lost[:3]} == {"E_METHOD"}
    recovery = bench(cut, without_method=True)
    assert [study.without_method for study in recovery.recovered] == [True] * 3
    assert not recovery.whole
    with ng.open(bench.output) as archive:
        for study, original in zip(archive, STUDIES, strict=False):
            assert study.digest != original.digest
            assert "model" not in study.provenance
            assert study.provenance["report"] == "given"
            assert study.columns().graph_stream() == original.columns().graph_stream()
            assert study.patches.embedding.tobytes() == original.patches.embedding.tobytes()


def test_methods_of_another_conversion_do_not_help(bench, tmp_path):
    ng.save(build_study(provenance={"prune": {"policy": "top_k", "value": 9}}), tmp_path / "other.ngr")
    assert bench(ARCHIVE[: EXTENTS[2][1]], methods_from=[tmp_path / "other.ngr"]).recovered == ()


# Damage in place


@given(position=st.integers(0, len(ARCHIVE) - 1), flip=st.integers(1, 255))
def test_a_damaged_byte_costs_one_study_or_the_method(shared_bench, position, flip):
    check_damage(shared_bench, position, flip)


@pytest.mark.slow
def test_damage_all_over_a_record_and_the_tail(shared_bench):
    """Every fifth byte of a record in the middle and of all that stands behind the records."""
    for position in [*range(*EXTENTS[2], 5), *range(EXTENTS[-1][1], len(ARCHIVE), 5)]:
        check_damage(shared_bench, position, 1 + position % 255)


def check_damage(bench, position, flip):
    data = bytearray(ARCHIVE)
    data[position] ^= flip
    recovery = bench(bytes(data))
    hit = [study.study_id for study, (a, b) in zip(STUDIES, EXTENTS, strict=True) if a <= position < b]
    expected = [study.study_id for study in STUDIES if study.study_id not in hit]
    if position >= EXTENTS[-1][1] and ids(recovery) != expected:
        # The method maps are in the table of contents, once: they are the only thing that studies share.
        assert ARCHIVE.index(b"\xa7methods") <= position < len(ARCHIVE) - 96
        assert {loss.problem.code for loss in recovery.lost} == {"E_METHOD"}
        assert set(ids(recovery)) < set(DIGESTS)
        return
    assert ids(recovery) == expected
    assert bench.digests() == {study_id: DIGESTS[study_id] for study_id in expected}
    assert recovery.complete
    assert [loss.study_id for loss in recovery.lost] == hit
    assert recovery.whole == (not hit)


@pytest.mark.parametrize("field", range(0, 128, 4))
def test_a_damaged_header_and_a_lost_tail_cost_one_study(bench, field):
    start, stop = EXTENTS[1]
    data = bytearray(ARCHIVE[: EXTENTS[3][1] + 12])
    data[start + field] ^= 0x10
    recovery = bench(bytes(data), methods_from=[bench.sibling])
    states_length = field in (8, 12) or (field >= 104 and (field - 104) % 16 == 4)
    if states_length:
        # Where the record ends is not certain any more: what follows is only found by searching.
        assert ids(recovery) == ["study-0"]
        assert [study.study_id for study in recovery.suspects] == ["study-2", "study-3"]
        searched = bench(bytes(data), methods_from=[bench.sibling], search=True)
        assert ids(searched) == ["study-0", "study-2", "study-3"]
        assert [study.searched for study in searched.recovered] == [False, True, True]
    else:
        assert ids(recovery) == ["study-0", "study-2", "study-3"]
        assert (recovery.lost[0].offset, recovery.lost[0].length) == (start, stop - start)


@given(
    st.lists(st.tuples(st.integers(0, len(ARCHIVE) - 1), st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.booleans(),
)
def test_a_study_is_never_invented(shared_bench, damage, search):
    data = bytearray(ARCHIVE)
    for start, length, value in damage:
        data[start : start + length] = bytes([value]) * len(data[start : start + length])
    recovery = shared_bench(bytes(data), search=search)
    if recovery.recovered:
        assert shared_bench.digests().items() <= DIGESTS.items()


def test_a_moved_tail_is_used_when_a_record_confirms_it(bench):
    start, stop = EXTENTS[2]
    middle = (start + stop) // 2 // 8 * 8
    for data in (ARCHIVE[:middle] + ARCHIVE[middle + 16 :], ARCHIVE[:middle] + bytes(48) + ARCHIVE[middle:]):
        recovery = bench(data)
        assert ids(recovery) == ["study-0", "study-1", "study-3", "study-4"]
        assert recovery.complete
    # With the head gone no record stands in its place: nothing says that the tail is not the content of a study.
    headless = ARCHIVE[EXTENTS[1][0] :]
    assert bench(headless).recovered == ()
    assert ids(bench(headless, search=True)) == ["study-1", "study-2", "study-3", "study-4"]


def test_bytes_behind_the_end_cost_nothing(bench):
    for extra in (b"\n", bytes(1000), ARCHIVE):
        recovery = bench(ARCHIVE + extra)
        assert ids(recovery) == list(DIGESTS)


# Records inside records


def study_holding(content: bytes, *, seed: int = 7) -> ng.Study:
    """A study with ``content`` in an extension, padded so that it stands on an 8-byte boundary of the file."""
    name = "x.org.example.blob"
    return build_study(seed=seed, dim=2, study_id="holder", extensions={name: bytes(-(1 + len(name)) % 8) + content})


def random_study(study_id: str, seed: int = 1) -> ng.Study:
    """A study that does not compress, so that it is stored as it is."""
    values = np.random.default_rng(seed).integers(0, 2**32, (5, 1024), dtype=np.uint32) & np.uint32(0xBFFFFFFF)
    study = build_study(seed=seed, dim=1024, study_id=study_id)
    return ng.Study(
        **{
            **{
                name: getattr(study, name)
                for name in ("study_id", "views", "concepts", "triples", "fusion", "provenance")
            },
            "patches": ng.Patches(study.patches.row, study.patches.col, study.patches.score, values.view(np.float32)),
        }
    )


SECRET_FILE = ng.to_bytes(random_study("secret"), embedding="float32")
SECRET = SECRET_FILE[slice(*extents(SECRET_FILE)[0])]
TWO_SECRETS = ng.to_bytes([random_study("secret"), random_study("other-secret", 2)], embedding="float32")
THIRD_SECRET_FILE = ng.to_bytes(random_study("third-secret", 3), embedding="float32")


@pytest.mark.parametrize(
    "content",
    [SECRET, SECRET_FILE, TWO_SECRETS, SECRET + THIRD_SECRET_FILE[32:]],
    ids=["record", "file", "archive", "records and a tail"],
)
@pytest.mark.parametrize("others", [0, 2])
def test_content_of_a_study_does_not_become_a_study(bench, content, others):
    data = ng.to_bytes([study_holding(content), *STUDIES[:others]])
    at = data.index(content)
    assert at % 8 == 0
    (start, stop), *_ = extents(data)
    names = ["holder", *(study.study_id for study in STUDIES[:others])]
    # Cut at every interesting place, above all where the content ends: a trailer may then stand at the end of the file.
    ends = {at, at + len(SECRET), at + len(content), stop, stop + 20, len(data) - 96, len(data)}
    for end in sorted(ends):
        for field in (None, 0, 8, 12, 20, 80, 108, 112):
            damaged = bytearray(data[:end])
            if field is not None:
                damaged[start + field] ^= 1
            for options in ({}, {"without_method": True}, {"methods_from": [bench.sibling]}):
                recovery = bench(bytes(damaged), **options)
                assert set(ids(recovery)) <= set(names)
                assert ("holder" in ids(recovery)) <= (field is None and stop <= end)


def test_searching_says_what_it_found_inside(bench):
    data = bytearray(ng.to_bytes([study_holding(SECRET), *STUDIES[:2]])[: -96 - 60])
    data[32 + 8] ^= 1
    recovery = bench(bytes(data), methods_from=[bench.sibling])
    assert recovery.recovered == ()
    assert [study.study_id for study in recovery.suspects] == ["secret", "study-0", "study-1"]
    recovery = bench(bytes(data), methods_from=[bench.sibling], search=True)
    assert [study.searched for study in recovery.recovered] == [True, True, True]


def test_the_same_study_twice_is_recovered_once(bench):
    record = ARCHIVE[slice(*EXTENTS[0])]
    recovery = bench(ARCHIVE[:32] + record + record, methods_from=[bench.sibling])
    assert ids(recovery) == ["study-0"]
    assert "E_DUP" in [loss.problem.code for loss in recovery.lost]


def test_sound_checksums_do_not_excuse_a_study_that_breaks_the_rules(bench):
    """A record whose attention has no unit, sealed again: its header and streams hold, its meaning does not."""
    file = ng.to_bytes(build_study(rows=2, cols=2, patches=2, concepts=0, labels={}, provenance={}))
    record = Container(BytesSource(file)).record(0)
    entry = record.streams[1]
    assert entry.encoding == 0, "the graph stream is stored as it is"
    data = bytearray(file[32 : 32 + len(record.data)])
    # The step of the attention map: bytes 20 to 24 of the columns of one view.
    data[entry.offset + 20 : entry.offset + 24] = struct.pack("<f", float("nan"))
    table = 104
    data[table + 12 : table + 16] = struct.pack(
        "<I", zlib.crc32(data[entry.offset : entry.offset + entry.stored_bytes])
    )
    end = table + 16 * len(record.streams)
    data[end : end + 4] = struct.pack("<I", zlib.crc32(data[:end]))
    recovery = bench(file[:32] + bytes(data), without_method=True)
    assert recovery.recovered == ()
    assert "E_NUM" in [loss.problem.code for loss in recovery.lost]


@pytest.mark.parametrize("data", [b"", b"\x89NGR", b"no such file" * 50, bytes(4096), ARCHIVE[:32]])
def test_files_without_a_study_give_none(bench, data):
    recovery = bench(data, without_method=True, search=True)
    assert (recovery.recovered, recovery.whole) == ((), False)


def test_other_versions_are_refused(bench):
    head = bytearray(ARCHIVE[:32])
    head[24] = 2
    head[28:32] = struct.pack("<I", zlib.crc32(head[:28]))
    with pytest.raises(ng.FormatError) as caught:
        bench(bytes(head) + ARCHIVE[32:])
    assert caught.value.code == "E_PROLOGUE"
