"""The profile "smallest": fewer bytes, the same studies, and studies that leave their archive are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.codecs.registry import SHORT_NUMBERS, STORE, ZSTD, ZSTD_DICTIONARY
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import GRAPH_STREAM, REPORT_STREAM
from neuralgraph.storage import smallest
from neuralgraph.storage.pack import pack, unpack
from neuralgraph.storage.recover import recover
from neuralgraph.storage.summary import file_summary

REPORT = "The heart is normal in size. No focal consolidation, pleural effusion or pneumothorax is seen. "


def studies(count: int) -> list[ng.Study]:
    return [
        build_study(seed=seed, rows=9, cols=9, patches=4, dim=2, report=f"{REPORT}Study {seed} of the day. {REPORT}")
        for seed in range(count)
    ]


MANY = studies(150)
ARCHIVE = ng.to_bytes(MANY, profile="smallest")


def encodings(data: bytes) -> list[dict[int, int]]:
    container = Container(BytesSource(data))
    records = [container.record(position) for position in range(len(container))]
    return [{number: entry.encoding for number, entry in record.streams.items()} for record in records]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "smallest.ngr"
    path.write_bytes(ARCHIVE)
    return path


def test_an_archive_is_smaller_and_holds_the_same_studies(archive):
    assert len(ARCHIVE) < 0.9 * len(ng.to_bytes(MANY))
    assert ng.validate(archive).problems == ()
    with ng.open(archive) as opened:
        assert [study.digest for study in opened] == [study.digest for study in MANY]
    used = {row[number] for row in encodings(ARCHIVE) for number in (GRAPH_STREAM, REPORT_STREAM)}
    assert ZSTD_DICTIONARY in used
    sections = Container(BytesSource(ARCHIVE)).contents.sections
    assert sum(name.startswith("dictionary_") for name in sections) == 1


def test_the_same_studies_give_the_same_bytes(tmp_path):
    assert ng.to_bytes(MANY, profile="smallest") == ARCHIVE
    ng.save(iter(MANY), tmp_path / "again.ngr", profile="smallest")
    assert (tmp_path / "again.ngr").read_bytes() == ARCHIVE


def test_a_study_alone_has_short_numbers_at_most():
    study = build_study(seed=3, rows=30, cols=30, patches=200, dim=1)
    alone = ng.to_bytes(study, profile="smallest")
    assert encodings(alone)[0][GRAPH_STREAM] == SHORT_NUMBERS
    assert len(alone) < len(ng.to_bytes(study))
    assert ng.load_bytes(alone).digest == study.digest


def test_few_studies_have_no_dictionary():
    few = ng.to_bytes(MANY[:3], profile="smallest")
    assert not any(name.startswith("dictionary_") for name in Container(BytesSource(few)).contents.sections)


@pytest.mark.parametrize("count", [2, 3, 5, 8, 12, 20, 40])
def test_a_dictionary_is_there_only_where_it_pays(count):
    few = MANY[:count]
    data = ng.to_bytes(few, profile="smallest")
    sections = Container(BytesSource(data)).contents.sections
    assert any(name.startswith("dictionary_") for name in sections) == (count > 3)
    assert len(data) < len(ng.to_bytes(few))


def test_later_studies_lean_on_what_the_first_ones_gave(monkeypatch):
    monkeypatch.setattr(smallest, "SAMPLE", 100)
    data = ng.to_bytes(MANY, profile="smallest")
    assert {row[REPORT_STREAM] for row in encodings(data)[100:]} == {ZSTD_DICTIONARY}
    assert ng.validate_bytes(data).ok


def test_unpacking_gives_the_files_that_each_study_has_alone(archive, tmp_path):
    paths = unpack(archive, tmp_path / "files")
    assert [path.read_bytes() for path in paths] == [ng.to_bytes(study) for study in MANY]


def test_packing_copies_records_with_their_dictionary(archive, tmp_path):
    other = tmp_path / "other.ngr"
    ng.save(build_study(seed=999), other)
    assert pack([archive, other], tmp_path / "both.ngr") == len(MANY) + 1
    assert ng.validate(tmp_path / "both.ngr").ok
    before, after = Container(BytesSource(ARCHIVE)), Container(BytesSource((tmp_path / "both.ngr").read_bytes()))
    assert all(before.index.leaf(n) == after.index.leaf(n) for n in range(len(MANY)))


def test_packing_anew_gives_what_saving_gives(archive, tmp_path):
    files = unpack(archive, tmp_path / "files")
    pack([str(path) for path in files], tmp_path / "again.ngr", profile="smallest")
    assert (tmp_path / "again.ngr").read_bytes() == ARCHIVE
    pack([archive], tmp_path / "twice.ngr", profile="smallest")
    assert (tmp_path / "twice.ngr").read_bytes() == ARCHIVE
    pack([archive], tmp_path / "train.ngr", profile="train")
    assert ng.validate(tmp_path / "train.ngr").ok
    assert (tmp_path / "train.ngr").read_bytes() == ng.to_bytes(MANY, profile="train")


def test_codebooks_go_along(tmp_path):
    book = ng.fit_codebook(np.random.default_rng(0).standard_normal((50, 2)).astype("f4"))
    ng.save(MANY, tmp_path / "klt.ngr", embedding="klt", codebook=book)
    pack([tmp_path / "klt.ngr"], tmp_path / "small.ngr", profile="smallest")
    assert ng.validate(tmp_path / "small.ngr").ok
    ng.save(MANY, tmp_path / "direct.ngr", embedding="klt", codebook=book, profile="smallest")
    assert (tmp_path / "direct.ngr").read_bytes() == (tmp_path / "small.ngr").read_bytes()


def damaged(path: Path, offset: int) -> Path:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    target = path.with_name("damaged.ngr")
    target.write_bytes(data)
    return target


def test_recovery_writes_studies_that_need_no_dictionary(archive, tmp_path):
    index = Container(BytesSource(ARCHIVE)).index
    found = recover(damaged(archive, int(index.offset[7]) + 130), tmp_path / "new.ngr")
    assert [study.study_id for study in found.recovered] == [s.study_id for n, s in enumerate(MANY) if n != 7]
    assert ng.validate(tmp_path / "new.ngr").ok
    used = {row[number] for row in encodings((tmp_path / "new.ngr").read_bytes()) for number in (1, 2)}
    assert used <= {STORE, ZSTD, SHORT_NUMBERS}


def test_what_lost_its_dictionary_is_lost_unless_it_is_known_from_elsewhere(archive, tmp_path):
    index = Container(BytesSource(ARCHIVE)).index
    cut = tmp_path / "cut.ngr"
    cut.write_bytes(ARCHIVE[: int(index.offset[-1]) + int(index.length[-1])])
    assert not recover(cut, tmp_path / "none.ngr").recovered
    found = recover(cut, tmp_path / "new.ngr", methods_from=[archive])
    assert len(found.recovered) == len(MANY)
    assert not found.lost


def test_recovery_takes_codebooks_along(tmp_path):
    book = ng.fit_codebook(np.random.default_rng(0).standard_normal((50, 2)).astype("f4"))
    path = tmp_path / "klt.ngr"
    ng.save(MANY[:4], path, embedding="klt", codebook=book)
    offset = int(Container(BytesSource(path.read_bytes())).index.offset[1])
    found = recover(damaged(path, offset + 130), tmp_path / "new.ngr")
    assert len(found.recovered) == 3
    assert ng.validate(tmp_path / "new.ngr").ok


def test_a_damaged_dictionary_is_reported_once_and_refuses_what_leans_on_it(archive, tmp_path):
    sections = Container(BytesSource(ARCHIVE)).contents.sections
    place = next(section for name, section in sections.items() if name.startswith("dictionary_"))
    broken = damaged(archive, place.offset + 200)
    problems = ng.validate(broken).problems
    assert problems[0].code == "E_CRC"
    with ng.open(broken) as opened, pytest.raises(ng.FormatError, match="E_CRC"):
        opened[0]


def test_what_studies_share_is_told(archive):
    (shared,) = file_summary(archive)["shared"]
    assert shared["section"].startswith("dictionary_")
    assert 0 < shared["bytes"] <= 8_192
