from __future__ import annotations

import os

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.container.reader import Container
from neuralgraph.errors import NeuralGraphError
from neuralgraph.graph.table import Vocabulary, tabulate
from neuralgraph.storage.batches import known as known_graphs
from neuralgraph.storage.batches.known import KnownGraphs, Words
from neuralgraph.storage.batches.reader import BatchReader
from tests.builders import build_study

ATTRIBUTES = ("node_start", "pair_start", "fusion_start", "graph", "n_patches", "study_id")


@pytest.fixture
def studies():
    return [
        build_study(seed=seed, study_id=f"s{seed:02d}", dim=16, patches=1 + seed % 5, concepts=seed % 4, form="float32")
        for seed in range(12)
    ]


@pytest.fixture
def path(tmp_path, studies):
    ng.save(studies, tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


def light(studies):
    columns = [study.columns() for study in studies]
    return [(each.counts, each.graph) for each in columns]


def assert_same(batch, expected):
    for name in ATTRIBUTES:
        assert np.array_equal(getattr(batch, name), getattr(expected, name)), name
    assert batch.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        assert batch.arrays[name].dtype == array.dtype
        assert np.array_equal(batch.arrays[name], array), name


def test_portions_are_the_same_as_everything_at_once(studies):
    known = KnownGraphs(Words(16))
    assert [known.add(light(part)) for part in (studies[:1], studies[1:6], studies[6:])] == [0, 1, 6]
    expected = tabulate(light(studies), Vocabulary(16))
    for name, column in expected.items():
        assert np.array_equal(known.section.columns[name], column), name
    words = known.words.vocabulary
    assert known.section.head == {"width": 16, "n_features": len(words.places)}
    bounds = known.section.columns["feature_start"]
    for number, (places, values) in enumerate(zip(words.places, words.values, strict=True)):
        mine = slice(bounds[number], bounds[number + 1])
        assert np.array_equal(known.section.columns["feature_place"][mine], places)
        assert np.array_equal(known.section.columns["feature_value"][mine], values)


def test_what_is_added_later_changes_nothing_that_was_handed_out(studies):
    known = KnownGraphs(Words(16))
    known.add(light(studies[:5]))
    section = known.section
    before = {name: column.copy() for name, column in section.columns.items()}
    for study in studies[5:]:
        known.add(light([study]))
    for name, column in before.items():
        assert np.array_equal(section.columns[name], column), name


@pytest.mark.parametrize("room", [0, 1500, 1 << 20])
@pytest.mark.parametrize("verify", ["first", "always"])
def test_batches_do_not_depend_on_what_is_known(path, studies, monkeypatch, room, verify):
    with BatchReader(path) as reader:
        expected = reader.read(range(12))
        again = {number: reader.read([number]) for number in range(12)}
    monkeypatch.setattr(known_graphs, "_ROOM", room)
    with BatchReader(path, verify=verify) as reader:
        for numbers in ([3, 1], [1, 7, 7, 2], [11, 3, 0, 5], [4, 1]):
            batch = reader.read(numbers)
            assert batch.study_id == [f"s{number:02d}" for number in numbers]
            for place, number in enumerate(numbers):
                first, end = batch.node_start[place : place + 2]
                assert np.array_equal(batch.arrays["x"][first:end], again[number].arrays["x"])
        for _ in range(2):
            assert_same(reader.read(range(12)), expected)


def test_records_are_parsed_once(path, monkeypatch):
    with BatchReader(path) as reader:
        expected = reader.read([2, 0, 5])

        def refuse(*_):
            raise AssertionError("a record was read again")

        monkeypatch.setattr(Container, "records", refuse)
        monkeypatch.setattr(Container, "record", refuse)
        monkeypatch.setattr(Container, "study_ids", refuse, raising=False)
        assert_same(reader.read([2, 0, 5]), expected)
        with pytest.raises(AssertionError, match="read again"):
            reader.read([2, 1])


def test_columns_without_embeddings_prove_no_embedding(path):
    with BatchReader(path) as reader:
        expected = reader.read([0, 1])
    with BatchReader(path, columns=["edge_index"]) as reader:
        assert set(reader.read([0, 1]).arrays) == {"edge_index"}
        reader.columns = frozenset(expected.arrays)
        reader._groups = frozenset({"patches", "pairs", "labels", "features"})
        assert_same(reader.read([0, 1]), expected)


def test_a_record_that_is_written_over_is_an_error_or_other_values_but_never_a_crash(path, studies):
    whole = path.read_bytes()
    with ng.open(path) as archive:
        _, _, container = archive.files[0]
        start, length = int(container.index.offset[3]), int(container.index.length[3])
    random = np.random.default_rng(5)
    refused = 0
    with BatchReader(path) as reader:
        reader.read(range(12))
        for _ in range(300):
            damaged = bytearray(whole)
            at = start + int(random.integers(0, length))
            damaged[at] ^= int(random.integers(1, 256))
            with path.open("r+b") as file:
                file.write(damaged)
            try:
                reader.read([3])
            except NeuralGraphError:
                refused += 1
        with path.open("r+b") as file:
            file.write(whole)
        assert_same(reader.read(range(12)), BatchReader(path).read(range(12)))
    assert refused > 10


@pytest.mark.parametrize("profile", ["compact", "train"])
@pytest.mark.parametrize("columns", [None, ["edge_index", "y"], ["x"], ["edge_type", "node_type", "pos", "y_mask"]])
def test_a_graph_alone_is_the_same_the_second_time(tmp_path, studies, profile, columns):
    ng.save(studies, tmp_path / "a.ngr", profile=profile)
    with BatchReader(tmp_path / "a.ngr", columns=columns) as reader:
        expected = [reader.read([number]) for number in range(12)]
    for verify in ("first", "always"):
        with BatchReader(tmp_path / "a.ngr", columns=columns, verify=verify) as reader:
            for _ in range(2):
                for number, batch in enumerate(expected):
                    single = reader.read_single(number)
                    assert (single.n_nodes, single.study_id) == (batch.node_start[1], batch.study_id[0])
                    assert single.arrays.keys() == batch.arrays.keys()
                    for name, array in batch.arrays.items():
                        assert single.arrays[name].dtype == array.dtype
                        assert np.array_equal(single.arrays[name], array), name
            for number in (-1, 12):
                with pytest.raises(ng.StudyNotFoundError):
                    reader.read_single(number)


@pytest.mark.parametrize("profile", ["compact", "train"])
def test_labels_of_several_files_keep_their_places(tmp_path, profile):
    for number, labels in enumerate(({"b": 1.0}, {"a": 0.0, "c": 1.0}, {"c": 0.0})):
        study = build_study(seed=number, study_id=f"s{number}", dim=16, labels=labels)
        ng.save([study, build_study(seed=9, study_id=f"t{number}", dim=16, labels={})], tmp_path / f"{number}.ngr",
                profile=profile)  # fmt: skip
    with BatchReader(tmp_path) as reader:
        assert reader.label_names == ("a", "b", "c")
        for _ in range(2):
            assert [reader.read_single(number).arrays["y"].tolist()[0] for number in (0, 2, 4)] == [
                [0, 1, 0], [0, 0, 1], [0, 0, 0],
            ]  # fmt: skip
            assert reader.read_single(2).arrays["y_mask"].tolist()[0] == [True, False, True]


@pytest.mark.parametrize("profile", ["compact", "train"])
def test_a_file_that_is_cut_between_batches_is_an_error(tmp_path, studies, profile):
    path = tmp_path / "a.ngr"
    ng.save(studies, path, profile=profile)
    with BatchReader(path) as reader:
        for _ in range(2):
            reader.read(range(12))
            reader.read_single(3)
        os.truncate(path, 200)
        for read in (lambda: reader.read(range(12)), lambda: reader.read_single(3)):
            with pytest.raises(ng.FormatError) as caught:
                read()
            assert caught.value.code == "E_TRUNCATED"
