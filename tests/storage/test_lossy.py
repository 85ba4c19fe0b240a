"""What a lossy form costs is measured when a study is written, and stands in the file."""

from __future__ import annotations

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.codecs.registry import FORMS, decode_bytes
from neuralgraph.errors import CodecError, StudyError
from neuralgraph.storage.lossy import form_named, measured_loss
from neuralgraph.storage.save import PROFILES

LOSSY = ["bfloat16", "float16", "int8", "svd", "svd:0.2"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("embedding", LOSSY)
def test_the_declared_loss_can_be_measured_again(embedding, profile):
    study = build_study(form="float32", dim=40)
    loaded = ng.load_bytes(ng.to_bytes(study, embedding=embedding, profile=profile))
    (loss,) = loaded.provenance["loss"]
    assert loss["form"] == embedding.partition(":")[0]
    again = measured_loss(study.patches.embedding, loaded.patches.embedding)
    assert {name: loss[name] for name in again} == again
    assert again["largest"] > 0
    # Three digits may round a measured error up to just above its bound.
    assert loss["rmse" if loss["form"] == "svd" else "largest"] <= loss["bound"] * 1.005


def test_nothing_is_declared_when_nothing_is_lost():
    study = build_study(form="float32", dim=40)
    for embedding in ("exact", "float32"):
        loaded = ng.load_bytes(ng.to_bytes(study, embedding=embedding))
        assert "loss" not in loaded.provenance
        assert loaded.digest == study.digest


def test_losses_add_up():
    study = build_study(form="float32", dim=40)
    once = ng.load_bytes(ng.to_bytes(study, embedding="bfloat16"))
    assert ng.load_bytes(ng.to_bytes(once, embedding="bfloat16")).provenance == once.provenance
    twice = ng.load_bytes(ng.to_bytes(once, embedding="svd"))
    assert [loss["form"] for loss in twice.provenance["loss"]] == ["bfloat16", "svd"]


def test_loss_by_hand():
    # Deviations: variances 1 and 4, median 2.5: (2 * 1 + 2.5) / 3 = 1.5 and (8 + 2.5) / 3 = 3.5.
    matrix = np.array([[1, 2], [3, 6]], np.float32)
    decoded = np.array([[1, 2], [3, 5]], np.float32)
    expected = {"largest": 1.0, "rmse": np.sqrt(1 / 3.5 / 4), "cosine": (1 - 39 / np.sqrt(45 * 34)) / 2}
    assert measured_loss(matrix, decoded) == {name: float(f"{value:.3g}") for name, value in expected.items()}


@pytest.mark.parametrize("name", ["int5", "svd:", "svd:x", "svd:0", "svd:2", "int8:0.1", "exact:1", ""])
def test_unknown_forms_are_refused(name):
    with pytest.raises(StudyError) as caught:
        form_named(name)
    assert caught.value.code == "E_FILTER"


def test_every_form_of_the_book_is_offered():
    assert [form_named(name).name for name in FORMS] == list(FORMS)


def private(study, encoding):
    """A file of a study whose report is stored backwards, in a private encoding."""
    from spec.tools.vectors.draft import record_draft
    from spec.tools.vectors.studies import draft_of

    draft = draft_of(study)
    record = record_draft(draft.records[0])
    stream = record.stream(2)
    stream.encoding, stream.stored = encoding, study.report.encode()[::-1]
    return draft.with_records(record.pack()).pack()


def backwards(stored, decoded_bytes, *, where):
    return bytes(stored)[::-1]


def test_extra_codecs_read_private_encodings(tmp_path):
    study = build_study(form="float32", dim=40, report="The heart is enlarged.")
    data = private(study, 0x8001)
    with pytest.raises(CodecError) as caught:
        ng.load_bytes(data)
    assert caught.value.code == "E_STREAM"
    assert ng.load_bytes(data, extra_codecs={0x8001: backwards}).report == study.report
    (tmp_path / "a.ngr").write_bytes(data)
    assert ng.load(tmp_path / "a.ngr", extra_codecs={0x8001: backwards}).digest == study.digest
    with ng.open(tmp_path / "a.ngr", extra_codecs={0x8001: backwards}) as archive:
        assert archive[0].report == study.report


def test_a_private_codec_gives_the_bytes_that_are_stated():
    with pytest.raises(CodecError) as caught:
        decode_bytes(0x8000, memoryview(b"abc"), 2, where="x", extra_codecs={0x8000: backwards})
    assert caught.value.code == "E_SIZE"


@pytest.mark.parametrize("encoding", [0, 1, 2, 0x7FFF, 0x10000])
def test_extra_codecs_replace_nothing(encoding):
    data = ng.to_bytes(build_study(form="float32", dim=40))
    with pytest.raises(StudyError) as caught:
        ng.load_bytes(data, extra_codecs={encoding: backwards})
    assert caught.value.code == "E_FILTER"
