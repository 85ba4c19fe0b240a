"""Files whose checksums are all right and whose statements are not; the corpus in spec/vectors has the rest.

Here: what refusing costs, and that a library which opens files lazily finds the lie when it matters.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from builders import build_study, hand_made_study

import neuralgraph as ng
from neuralgraph import FormatError, LimitError, Limits, NeuralGraphError
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.encode import encode_record
from neuralgraph.container.writer import ContainerWriter
from spec.tools.vectors.draft import Draft, SectionDraft, put, record_draft

ROOT = Path(__file__).parents[2]


def draft(*studies, form="float32"):
    """The file of ``studies`` as parts to be changed and sealed again."""
    columns = [study.columns() for study in studies]
    records = [
        encode_record(each, embedding=FORMS[form].form, concept_vectors=FORMS["float32"].form) for each in columns
    ]
    return Draft(records, [each.method for each in columns], [study.study_id.encode() for study in studies])


def written(tmp_path, data):
    path = tmp_path / "crafted.ngr"
    path.write_bytes(data)
    return path


def codes(path):
    return {problem.code for problem in ng.validate(path).problems}


def test_the_draft_is_the_file_that_is_written():
    study = hand_made_study()
    assert draft(study).pack() == ng.to_bytes(study, embedding="float32")


COUNTS_AT, N_PATCHES, DIM = 16, 16 + 2 * 4, 16 + 3 * 4
HUGE = {
    "patches": put(N_PATCHES, "I", 2**32 - 1),
    "width": put(DIM, "I", 2**32 - 1),
    "cells": put(COUNTS_AT + 4, "I", 2**32 - 1),
    "all": put(COUNTS_AT, "s", b"\xff" * 52),
    "patches within limits": put(N_PATCHES, "I", 2**16),
    "width within limits": put(DIM, "I", 8192),
    "streams": put(12, "H", 2**16 - 1),
    "decoded size": put(104 + 8, "I", 2**32 - 1),
    "decoded size within limits": put(104 + 8, "I", 2**26),
    "stored size": put(104 + 4, "I", 2**32 - 1),
    "record": put(8, "I", 2**32 - 1),
}

MEASURE = """
import resource, sys
import neuralgraph as ng
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    for read in (ng.load, lambda path: list(ng.open(path))):
        try:
            read(path)
        except ng.NeuralGraphError:
            continue
        raise SystemExit(f"{path} was read")
    assert not ng.validate(path).ok
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def peak_mib(paths):
    """Growth of the largest resident size while all ``paths`` are refused, MiB, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", MEASURE, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_huge_statements_are_refused_without_memory(tmp_path):
    paths = []
    for number, edit in enumerate(HUGE.values()):
        base = draft(hand_made_study())
        record = replace(record_draft(base.records[0]), edit=edit).pack()
        paths.append(tmp_path / f"{number}.ngr")
        paths[-1].write_bytes(base.with_records(record).pack())
    # The offsets, lengths and counts of the index; numbers of the trailer.
    for number, changes in enumerate(
        (
            {"index": put(8, "I", 2**32 - 1)},
            {"index": put(0, "Q", 2**63)},
            {"trailer": put(24, "I", 2**32 - 1)},
            {"trailer": put(24, "I", 2**22)},
            {"trailer": put(8, "I", 2**32 - 1)},
            {"trailer": put(0, "Q", 2**64 - 8)},
            {"trailer": put(32, "Q", 2**64 - 1)},
        )
    ):
        paths.append(tmp_path / f"frame-{number}.ngr")
        paths[-1].write_bytes(replace(draft(hand_made_study()), **changes).pack())
    assert peak_mib(paths) < 64


def test_a_record_of_gigabytes_is_not_read(tmp_path):
    # A sparse file: one record of 2 GiB of zeros that the index declares honestly.
    honest = draft(hand_made_study())
    data = honest.pack()
    first = len(honest.records[0])
    hole = 2**31
    path = tmp_path / "sparse.ngr"
    grown = replace(honest, index=put(8, "I", first + hole))

    def toc(value):
        for row in value["layout"]["sections"]:
            row[2] += hole
        return value

    def trailer(edited):
        struct.pack_into("<Q", edited, 0, struct.unpack_from("<Q", edited, 0)[0] + hole)
        struct.pack_into("<Q", edited, 16, struct.unpack_from("<Q", edited, 16)[0] + hole)

    packed = replace(grown, toc=toc, trailer=trailer).pack()
    with open(path, "wb") as stream:
        stream.write(packed[: 32 + first])
        stream.seek(hole, os.SEEK_CUR)
        stream.write(packed[32 + first :])
    assert path.stat().st_size == len(data) + hole
    assert peak_mib([path]) < 64
    with pytest.raises(LimitError, match="record_bytes"):
        ng.load(path)


def test_an_unknown_section_is_ignored_unless_it_is_critical(tmp_path):
    base = draft(hand_made_study())
    for flags in (0, 2):
        extra = SectionDraft("x.org.example.notes", flags, b"anything at all")
        path = written(tmp_path, replace(base, more_sections=[extra]).pack())
        assert ng.load(path).digest == hand_made_study().digest
        assert ng.validate(path).ok
        with ng.open(path) as archive:
            assert archive[0].study_id == "hand"
    for flags in (1, 3):
        extra = SectionDraft("x.org.example.notes", flags, b"anything at all")
        path = written(tmp_path, replace(base, more_sections=[extra]).pack())
        with pytest.raises(FormatError) as caught:
            ng.load(path)
        assert caught.value.code == "E_SECTION"
        assert codes(path) == {"E_SECTION"}


def test_damage_to_an_ignored_section_is_found(tmp_path):
    extra = SectionDraft("x.org.example.notes", 0, b"anything at all", sealed_edit=put(3, "B", 0))
    path = written(tmp_path, replace(draft(hand_made_study()), more_sections=[extra]).pack())
    assert codes(path) == {"E_CRC"}
    with pytest.raises(FormatError) as caught:
        ng.load(path)
    assert caught.value.code == "E_CRC"


def test_a_feature_is_refused_when_required_and_ignored_when_optional(tmp_path):
    for bit in (0, 1, 2, 63):
        path = written(tmp_path, replace(draft(hand_made_study()), prologue=put(16, "Q", 1 << bit)).pack())
        assert ng.load(path).digest == hand_made_study().digest
        path = written(tmp_path, replace(draft(hand_made_study()), prologue=put(8, "Q", 1 << bit)).pack())
        with pytest.raises(FormatError, match=f"0x{1 << bit:x}") as caught:
            ng.load(path)
        assert caught.value.code == "E_FEATURE"


def test_the_envelope_of_a_single_study_is_exact(tmp_path):
    base = draft(hand_made_study())
    for offset, kind, value in ((32, "Q", 10**6), (40, "I", 10**6), (44, "I", 32)):
        path = written(tmp_path, replace(base, trailer=put(offset, kind, value)).pack())
        with pytest.raises(NeuralGraphError) as caught:
            ng.load(path)
        assert caught.value.code == "E_BUDGET"
        assert codes(path) == {"E_BUDGET"}


def two(**changes):
    """Two studies, "hand" and "study-1", and what the file says of them changed."""
    return replace(draft(hand_made_study(), build_study(seed=1)), **changes).pack()


def test_keys_that_name_another_study_are_refused(tmp_path):
    # ends of the ids stand at 8, ids at 16: "hand" becomes "hanz", which sorts alike.
    path = written(tmp_path, two(keys=put(16, "s", b"hanz")))
    with ng.open(path) as archive:
        for read in (lambda: archive["hanz"], lambda: archive[0], lambda: list(archive)):
            with pytest.raises(FormatError) as caught:
                read()
            assert (caught.value.code, caught.value.where) == ("E_INDEX", f"{path}: keys")
        assert archive[1].study_id == "study-1"
    assert codes(path) == {"E_INDEX"}


def test_keys_out_of_order_do_not_hide_a_study(tmp_path):
    path = written(tmp_path, two(keys=put(0, "s", struct.pack("<II", 1, 0))))
    with ng.open(path) as archive:
        for name in ("hand", "study-1", "absent"):
            try:
                assert archive[name].study_id == name
            except FormatError as error:
                assert error.code == "E_INDEX"  # noqa: PT017  found or refused, never "not found"
    assert codes(path) == {"E_INDEX"}


def test_keys_cannot_be_larger_than_ids_can_be(tmp_path):
    def grow(payload):
        payload += b"a" * (3 * 128)

    with pytest.raises(FormatError) as caught:
        ng.open(written(tmp_path, two(keys=grow)))
    assert caught.value.code == "E_INDEX"


def test_streams_of_later_versions_are_ignored_when_sound_and_refused_when_damaged(tmp_path):
    for damaged in (False, True):
        base = draft(hand_made_study())
        record = record_draft(base.records[0])
        extra = replace(record.streams[0], stream_id=0x11, encoding=77, stored=b"later", decoded_bytes=9)
        if damaged:
            extra.crc32 = 1
        record.streams.insert(1, extra)
        path = written(tmp_path, base.with_records(record.pack()).pack())
        if not damaged:
            assert ng.load(path).digest == hand_made_study().digest
            assert ng.validate(path).ok
            continue
        for read in (lambda path=path: ng.load(path), lambda path=path: list(ng.open(path))):
            with pytest.raises(FormatError) as caught:
                read()
            assert caught.value.code == "E_CRC"


def test_limits_are_the_callers(tmp_path):
    path = written(tmp_path, ng.to_bytes(build_study(patches=5, dim=8)))
    for name, value in (
        ("patches", 4),
        ("embedding_dim", 7),
        ("cells", 29),
        ("file_bytes", 500),
        ("record_bytes", 300),
    ):
        with pytest.raises(LimitError, match=name):
            ng.load(path, limits=Limits(**{name: value}))
        assert [problem.code for problem in ng.validate(path, limits=Limits(**{name: value})).problems] == ["E_LIMIT"]
    assert ng.load(path, limits=Limits(patches=5, embedding_dim=8, cells=30)).study_id == "study-0"


def test_a_writer_does_not_take_a_record_for_another_method(tmp_path):
    columns = hand_made_study().columns()
    record = encode_record(columns, embedding=FORMS["float32"].form, concept_vectors=FORMS["float32"].form)
    with open(tmp_path / "a", "wb") as stream:
        writer = ContainerWriter(stream)
        with pytest.raises(FormatError) as caught:
            writer.add(record, study_id="hand", method=build_study().columns().method)
    assert caught.value.code == "E_METHOD"
