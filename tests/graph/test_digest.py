"""The content digest: pinned for one study, and written out a second time straight from its definition."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from builders import studies
from hypothesis import given

import neuralgraph as ng
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.storage.gate import prove

PINNED = "4e52ea7750cbbe8fa340a526e0a8c0b554144a9a4950ce5f0bf18975754bee90"


def straight_line_digest():
    """Every byte of the hand-made study, in the order of FORMAT.md sections 4.2 and 5.3, without the package."""
    method = b"\x81\xa5model\x82\xa4name\xa4none\xa7trained\xc2"
    source = b"\x81\xa6report\xa5given"
    strings = [b"hand", source, b"lung", b"opacity", b"effusion", b"opacity"]
    text = b"".join(strings)
    graph = b"".join(
        (
            struct.pack("<HHIIfff", 2, 3, 64, 96, 32, 32, 0.25),
            bytes([1]),  # PA
            bytes([4, 2, 0, 0, 0, 8]),  # attention map
            bytes([5, 0, 1]),  # cells of the patches
            struct.pack("<fff", 16, 4, 1),
            bytes([1, 2]),  # patches 1 and 2 touch: (0, 0) and (0, 1)
            bytes([0, 4]),  # labels of the concepts
            struct.pack("<II", 3, 10),
            struct.pack("<II", 7, 17),
            bytes([1, 2]),  # sections: findings, impression
            bytes([1]) + bytes([3]) + bytes([1]) + struct.pack("<II", 30, 37),  # the mention
            bytes([1]) + bytes([1]) + bytes([0]),  # head, relation, tail
            bytes([0]) + bytes([0]),  # fusion
            struct.pack("<ff", 0, -1),  # effusion, opacity
            bytes(map(len, strings)),
            text,
        )
    )
    embedding = struct.pack("<6f", 1, -2, 0.5, 0, 3, 4)
    counts = struct.pack("<13I", 1, 6, 3, 2, 1, 2, 0, 0, 1, 1, 1, 2, len(text))
    document = b"NGR1-STUDY\0" + hashlib.sha256(method).digest() + counts
    for part in (graph, embedding, b"", b"", b""):
        document += struct.pack("<Q", len(part)) + part
    return hashlib.sha256(document).hexdigest()


def test_the_digest_is_the_documented_hash(hand_made):
    assert hand_made().digest == straight_line_digest()


def test_the_digest_is_stable(hand_made):
    assert hand_made().digest == PINNED
    assert ng.load_bytes(ng.to_bytes(hand_made())).digest == PINNED


@given(studies())
def test_the_digest_survives_the_file(study):
    assert ng.load_bytes(ng.to_bytes(study)).digest == study.digest


@pytest.mark.parametrize("level", [1, 9, 19])
@pytest.mark.parametrize("form", ["float32", "bfloat16", "float16"])
def test_the_digest_does_not_depend_on_form_or_level(hand_made, form, level):
    columns = hand_made().columns()
    record = encode_record(columns, embedding=FORMS[form].form, concept_vectors=FORMS[form].form, level=level)
    assert record[72:104].hex() == PINNED


def test_the_digest_does_not_depend_on_packing(hand_made, make_study, tmp_path):
    packed = [make_study(seed=1), hand_made(), make_study(seed=2)]
    ng.save(packed, tmp_path / "archive.ngr")
    with ng.open(tmp_path / "archive.ngr") as archive:
        assert [study.digest for study in archive] == [study.digest for study in packed]
        assert archive["hand"].digest == PINNED


def test_a_lossy_form_changes_the_digest_to_that_of_the_decoded_values(make_study):
    study = make_study(form="float32")
    loaded = ng.load_bytes(ng.to_bytes(study, embedding="int8"))
    assert loaded.digest != study.digest
    assert loaded.digest == replace(study, patches=loaded.patches, provenance=loaded.provenance).digest


def test_extensions_do_not_take_part(hand_made):
    assert hand_made(extensions={"x.org.example.note": b"anything"}).digest == PINNED


CHANGES = {
    "study_id": {"study_id": "other"},
    "fusion": {"fusion": (1, 0)},
    "no fusion": {"fusion": None},
    "label": {"labels": {"opacity": 1, "effusion": 0}},
    "label name": {"labels": {"opacity": -1, "effusions": 0}},
    "mention": {"mentions": ()},
    "triple": {"triples": [(1, 2, 0)]},
    "report": {"report": "x"},
    "method": {"provenance": {"report": "given", "model": {"name": "none", "trained": True}}},
    "source": {"provenance": {"report": "none", "model": {"name": "none", "trained": False}}},
    "integer for boolean": {"provenance": {"report": "given", "model": {"name": "none", "trained": 0}}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_study_says_is_in_its_digest(hand_made, name):
    assert hand_made(**CHANGES[name]).digest != PINNED


def test_the_record_and_a_container_made_by_hand_agree(hand_made, tmp_path):
    columns = hand_made().columns()
    record = encode_record(columns, embedding=FORMS["float32"].form, concept_vectors=FORMS["float32"].form)
    with open(tmp_path / "a.ngr", "wb") as stream:
        writer = ContainerWriter(stream)
        writer.add(record, study_id="hand", method=columns.method)
        root = writer.finish()
    container = Container(BytesSource((tmp_path / "a.ngr").read_bytes()))
    assert container.root == root
    assert prove(container, 0).digest().hex() == PINNED
