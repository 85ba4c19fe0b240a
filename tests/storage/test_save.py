"""Saving and loading: nothing lost, the same bytes every time, whatever kind of path."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import build_study, hand_made_study, studies
from hypothesis import given
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph import FormatError, LimitError, NeuralGraphError, StudyError
from neuralgraph.storage.differences import study_differences

ROOT = Path(__file__).parents[2]


@given(studies())
def test_a_saved_study_is_the_study(study):
    data = ng.to_bytes(study)
    loaded = ng.load_bytes(data)
    assert list(study_differences(study, loaded)) == []
    assert loaded.digest == study.digest
    assert ng.to_bytes(loaded) == data
    assert ng.validate_bytes(data).problems == ()


@given(st.lists(studies(), min_size=2, max_size=4, unique_by=lambda study: study.study_id))
def test_saved_archives_hold_the_studies_in_order(made):
    data = ng.to_bytes(made)
    assert ng.validate_bytes(data).problems == ()
    assert ng.validate_bytes(data).n_studies == len(made)
    assert ng.to_bytes(iter(made)) == data


@pytest.mark.parametrize("form", ["exact", "float32", "bfloat16", "float16"])
def test_saving_loading_and_saving_gives_the_same_bytes(make_study, tmp_path, form):
    study = make_study(form="float32" if form == "exact" else form, vectors=2, report="text")
    ng.save(study, tmp_path / "a.ngr", embedding=form)
    ng.save(ng.load(tmp_path / "a.ngr"), tmp_path / "b.ngr", embedding=form)
    assert (tmp_path / "a.ngr").read_bytes() == (tmp_path / "b.ngr").read_bytes()


@pytest.mark.parametrize(
    ("form", "bound"), [("float32", 0), ("bfloat16", 2**-8), ("float16", 2**-11), ("int8", 0.5 / 127 * (1 + 2**-20))]
)
def test_each_form_keeps_its_bound(make_study, form, bound):
    study = make_study(form="float32", dim=64)
    loaded = ng.load_bytes(ng.to_bytes(study, embedding=form))
    largest = np.abs(study.patches.embedding).max(axis=1, keepdims=True)
    error = np.abs(loaded.patches.embedding - study.patches.embedding)
    assert (error <= bound * (largest if form == "int8" else np.abs(study.patches.embedding))).all()
    assert ng.validate_bytes(ng.to_bytes(study, embedding=form)).ok


def test_concept_vectors_are_kept_exactly_whatever_the_form(make_study):
    study = make_study(form="float32", vectors=2)
    loaded = ng.load_bytes(ng.to_bytes(study, embedding="int8"))
    assert loaded.concept_vectors.vector.tobytes() == study.concept_vectors.vector.tobytes()


def test_bytes_do_not_depend_on_the_process(make_study, tmp_path):
    code = f"""
import sys; sys.path.insert(0, {str(ROOT / "tests")!r})
from builders import build_study
import neuralgraph as ng
sys.stdout.buffer.write(ng.to_bytes([build_study(seed=1, vectors=2), build_study(seed=2)]))
"""
    expected = ng.to_bytes([make_study(seed=1, vectors=2), make_study(seed=2)])
    for seed, zone in (("0", "UTC"), ("4242", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
        assert done.stdout == expected


def test_save_writes_what_to_bytes_gives(make_study, tmp_path):
    for study in (make_study(), [make_study(seed=1), make_study(seed=2)]):
        ng.save(study, str(tmp_path / "a.ngr"))
        assert (tmp_path / "a.ngr").read_bytes() == ng.to_bytes(study)


def test_studies_are_taken_one_at_a_time(tmp_path):
    alive = []

    def each():
        for number in range(5):
            alive.append(number)
            yield build_study(seed=number)

    ng.save(each(), tmp_path / "a.ngr")
    with ng.open(tmp_path / "a.ngr") as archive:
        assert archive.ids == [f"study-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("made", "form", "kind", "code"),
    [
        ([], "exact", FormatError, "E_INDEX"),
        ([0, 1, 0], "exact", FormatError, "E_DUP"),
        ([0], "int5", StudyError, "E_FILTER"),
        ([0], "", StudyError, "E_FILTER"),
    ],
)
def test_what_cannot_be_saved_leaves_nothing(tmp_path, made, form, kind, code):
    with pytest.raises(kind) as caught:
        ng.save([build_study(seed=seed) for seed in made], tmp_path / "a.ngr", embedding=form)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_value_beyond_the_form_leaves_nothing(tmp_path, make_study):
    study = make_study(patches=1, dim=1)
    study = build_study(patches=1, dim=1, form="float32")
    big = np.full((1, 1), 1e6, np.float32)
    from dataclasses import replace

    big_study = replace(study, patches=replace(study.patches, embedding=big))
    with pytest.raises(StudyError, match="use float32") as caught:
        ng.save(big_study, tmp_path / "a.ngr", embedding="float16")
    assert caught.value.code == "E_NUM"
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_caller_passes_unchanged(tmp_path):
    def each():
        yield build_study()
        raise FileNotFoundError("the next film is gone")

    with pytest.raises(FileNotFoundError, match="the next film"):
        ng.save(each(), tmp_path / "a.ngr")
    assert list(tmp_path.iterdir()) == []


def test_one_study_is_loaded_and_several_are_opened(tmp_path):
    ng.save([build_study(seed=1), build_study(seed=2)], tmp_path / "a.ngr")
    with pytest.raises(FormatError, match=r"holds 2 studies.*open") as caught:
        ng.load(tmp_path / "a.ngr")
    assert caught.value.code == "E_OPEN"


def test_bytes_may_come_as_a_view():
    data = ng.to_bytes(hand_made_study())
    assert ng.load_bytes(memoryview(data)).digest == hand_made_study().digest
    assert ng.load_bytes(memoryview(b"xx" + data)[2:]).digest == hand_made_study().digest
    assert ng.validate_bytes(memoryview(data)).ok


def test_what_is_loaded_cannot_be_written_to():
    loaded = ng.load_bytes(ng.to_bytes(build_study(vectors=2, pixels=np.zeros((5, 1, 1), np.uint16))))
    for array in (loaded.patches.embedding, loaded.patches.row, loaded.pixels, loaded.concept_vectors.vector):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


@pytest.mark.parametrize("data", [b"", b"\x89NGR\r\n\x1a\n", b"PK\x03\x04" + bytes(500), bytes(128), b"\n" * 127])
def test_other_files_are_refused(data):
    with pytest.raises(FormatError) as caught:
        ng.load_bytes(data)
    assert caught.value.code in {"E_MAGIC", "E_TRUNCATED"}


def test_limits_of_the_caller_bound_what_is_read():
    data = ng.to_bytes(build_study())
    with pytest.raises(LimitError):
        ng.load_bytes(data, limits=ng.Limits(patches=1))


def test_errors_carry_code_place_and_one_line():
    with pytest.raises(NeuralGraphError) as caught:
        ng.load_bytes(io.BytesIO(b"no study").getvalue())
    error = caught.value
    assert (error.code, error.where) == ("E_MAGIC", "prologue")
    assert str(error) == f"E_MAGIC [prologue]: {error.message}"
    assert error.problem == (error.code, error.where, error.message)
