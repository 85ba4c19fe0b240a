"""Records: the same bytes wherever they stand, every form, extensions, and what writers refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import build_study, hand_made_study, studies
from hypothesis import given

import neuralgraph as ng
from neuralgraph import LimitError, NeuralGraphError
from neuralgraph.codecs.registry import FORMS, STORE, ZSTD
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import GRAPH_STREAM, PIXELS_STREAM, REPORT_STREAM


def record_of(data, position=0):
    return Container(BytesSource(data)).record(position)


def test_streams_of_a_full_study_by_hand():
    study = build_study(
        vectors=2,
        form="float32",
        report="clear",
        pixels=np.zeros((5, 2, 2), np.uint8),
        extensions={"x.org.example.b": b"2", "x.org.example.a": b"1"},
    )
    record = record_of(ng.to_bytes(study))
    assert list(record.streams) == [0x01, 0x02, 0x03, *range(0x20, 0x24), *range(0x60, 0x64), 0x8000, 0x8001]
    assert bytes(record.read(REPORT_STREAM)) == b"clear"
    assert bytes(record.read(PIXELS_STREAM)) == b"\2\0\2\0\1\0\0\0" + bytes(20)
    assert bytes(record.read(0x8000)) == b"\x0fx.org.example.a1"
    assert bytes(record.read(0x8001)) == b"\x0fx.org.example.b2"


@pytest.mark.parametrize(
    ("form", "streams"),
    [
        ("float32", [0x20, 0x21, 0x22, 0x23]),
        ("bfloat16", [0x28, 0x29]),
        ("float16", [0x2A, 0x2B]),
        ("int8", [0x30, 0x31]),
        ("exact", [0x28, 0x29]),
    ],
)
def test_each_form_has_its_streams(form, streams):
    record = record_of(ng.to_bytes(build_study(), embedding=form))
    assert [stream for stream in record.streams if stream >= 0x20] == streams


@pytest.mark.parametrize("form", ["float32", "bfloat16", "float16"])
def test_the_training_profile_stores_the_planes_and_says_the_same(form):
    study = build_study(report=None, pixels=None, form="bfloat16")
    record = record_of(ng.to_bytes(study, embedding=form, profile="train"))
    entries = [entry for stream_id, entry in record.streams.items() if stream_id >= 0x20]
    assert all((entry.encoding, entry.stored_bytes) == (STORE, entry.decoded_bytes) for entry in entries)
    assert record.content_digest == record_of(ng.to_bytes(study, embedding=form)).content_digest


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32"])
def test_exact_takes_the_smallest_form_that_loses_nothing(name):
    study = build_study(form=name)
    record = record_of(ng.to_bytes(study))
    assert record.form(0x20) is FORMS[name]
    assert ng.load_bytes(ng.to_bytes(study)).patches.embedding.tobytes() == study.patches.embedding.tobytes()


def test_a_study_without_patches_has_no_embedding():
    study = replace(build_study(), patches=build_study().patches.first(0), fusion=None)
    record = record_of(ng.to_bytes(study))
    assert list(record.streams) == [GRAPH_STREAM]
    assert ng.load_bytes(ng.to_bytes(study)).patches.embedding.shape == (0, 8)


def test_streams_are_compressed_when_that_saves_3_percent():
    noise = np.random.default_rng(0).integers(0, 256, 40_000, np.uint8)
    for payload, encoding in ((noise.tobytes(), STORE), (bytes(40_000), ZSTD), (b"", STORE), (b"ab", STORE)):
        study = hand_made_study(extensions={"x.org.example.payload": payload})
        entry = record_of(ng.to_bytes(study)).streams[0x8000]
        assert entry.encoding == encoding
        assert entry.stored_bytes <= entry.decoded_bytes
        assert ng.load_bytes(ng.to_bytes(study)).extensions == {"x.org.example.payload": payload}
    # Half of it is noise: the probe of the fastest level must not decide against the rest.
    mixed = noise[:20_000].tobytes() + bytes(20_000)
    assert (
        record_of(ng.to_bytes(hand_made_study(extensions={"x.org.example.m": mixed}))).streams[0x8000].encoding == ZSTD
    )


@given(studies())
def test_a_record_is_the_same_alone_and_in_an_archive(study):
    alone = Container(BytesSource(ng.to_bytes(study))).record_bytes(0)
    other = build_study(study_id="other", patches=3)
    if study.study_id != "other":
        packed = Container(BytesSource(ng.to_bytes([other, study])))
        assert bytes(packed.record_bytes(1)) == bytes(alone)


@pytest.mark.parametrize(
    ("extensions", "code"),
    [
        ({f"x.org.example.e{number}": b"" for number in range(40)}, "E_LIMIT"),
        ({f"x.org.example.e{number}": b"" for number in range(16_385)}, "E_LIMIT"),
    ],
    ids=["more streams than readers accept", "more streams than there are ids"],
)
def test_too_many_extensions_are_one_error(extensions, code):
    study = hand_made_study(extensions=extensions)
    with pytest.raises(LimitError) as caught:
        ng.to_bytes(study)
    assert caught.value.code == code


def test_what_every_reader_must_refuse_is_not_written():
    wide = build_study(patches=1, dim=8_193)
    with pytest.raises(NeuralGraphError, match="embedding_dim") as caught:
        ng.to_bytes(wide)
    assert caught.value.code == "E_LIMIT"


def test_methods_beyond_the_contents_are_one_error():
    def with_model(number, name):
        provenance = {"model": {"name": f"{number:09d}" + name}}
        return hand_made_study(study_id=f"s{number}", provenance=provenance)

    # More than 4 MiB of methods: the default limit of every reader.
    with pytest.raises(NeuralGraphError) as caught:
        ng.to_bytes(
            with_model(number, "a" * 2**20) if number < 0 else with_model(number, "a" * 1_000_000)
            for number in range(5)
        )
    assert caught.value.code == "E_TOC_SIZE"


def test_two_methods_stand_in_one_file_and_one_stands_once():
    studies_ = [build_study(seed=1), build_study(seed=2), hand_made_study()]
    container = Container(BytesSource(ng.to_bytes(studies_)))
    assert len(container.contents.methods) == 2
    assert [Container.method(container, container.record(n)) for n in range(3)] == [
        s.columns().method for s in studies_
    ]
