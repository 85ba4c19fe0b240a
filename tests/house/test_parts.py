"""No part of a study is forgotten: every field goes through every export, copy, difference and reader."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import Concept, ConceptVectors, Mention, Study
from neuralgraph.adapters.json import from_dict, to_json
from neuralgraph.adapters.npz import to_npz
from neuralgraph.graph.plain import study_arrays, study_facts, study_of
from neuralgraph.graph.words import WordAttention
from neuralgraph.storage.decoded import decoded_bytes
from neuralgraph.storage.differences import study_differences

ROOT = Path(__file__).parents[2]


def everything() -> Study:
    """A study with every field filled in."""
    study = build_study(seed=5, patches=4, dim=16, concepts=3, vectors=2, views=2, form="float32", report="a b c")
    return replace(
        study,
        pixels=np.arange(4 * 6, dtype=np.uint16).reshape(4, 2, 3),
        word_attention=WordAttention.from_maps([0, 2], [1, 3], np.arange(2.0 * study.n_cells).reshape(2, -1)),
        extensions={"x.org.example.note": b"\x01\x02"},
    )


def changed(study: Study) -> dict[str, Study]:
    """For every field, the study with another value in it alone."""
    patches, words, vectors = study.patches, study.word_attention, study.concept_vectors
    first, *rest = study.concepts
    return {
        "study_id": replace(study, study_id="another"),
        "views": replace(study, views=(replace(study.views[0], position="LATERAL"), study.views[1])),
        "patches": replace(study, patches=replace(patches, embedding=patches.embedding + 1)),
        "concepts": replace(study, concepts=(Concept(*first[:4], section="addendum"), *rest)),
        "mentions": replace(study, mentions=(Mention(2, first.label, 300, 301, "impression"),)),
        "triples": replace(study, triples=study.triples[1:]),
        "fusion": replace(study, fusion=None),
        "labels": replace(study, labels={**study.labels, "oedema": -1.0}),
        "provenance": replace(study, provenance={**study.provenance, "terms": "CC BY 4.0"}),
        "concept_vectors": replace(study, concept_vectors=ConceptVectors(vectors.index, vectors.vector * 2)),
        "report": replace(study, report="another"),
        "pixels": replace(study, pixels=study.pixels + 1),
        "word_attention": replace(study, word_attention=replace(words, step=words.step * 2)),
        "extensions": replace(study, extensions={"x.org.example.note": b"\x03"}),
    }


EVERYTHING = everything()
CHANGED = changed(EVERYTHING)
NAMES = [field.name for field in fields(Study)]


def same(first: Study, second: Study) -> bool:
    """Equal in every field, compared by hand and not by a list of the package."""
    for name in NAMES:
        a, b = getattr(first, name), getattr(second, name)
        if hasattr(a, "__dataclass_fields__"):
            pairs = [(getattr(a, each.name), getattr(b, each.name)) for each in fields(a)]
        elif name == "views":
            pairs = [(getattr(x, f.name), getattr(y, f.name)) for x, y in zip(a, b, strict=True) for f in fields(x)]
        else:
            pairs = [(a, b)]
        if not all(np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y for x, y in pairs):
            return False
    return True


def through_file(study: Study) -> Study:
    return ng.load_bytes(ng.to_bytes(study))


def through_archive(study: Study, folder: Path) -> Study:
    """Packed, unpacked and read again: two copies of the record, once anew for loaders."""
    ng.save([study, build_study(seed=77, dim=16)], folder / "a.ngr")
    ng.pack([folder / "a.ngr"], folder / "b.ngr", profile="train")
    (path, _) = ng.unpack(folder / "b.ngr", folder / "all")
    with ng.open(folder / "b.ngr") as archive:
        assert same(archive[0], archive.read_many([0])[0])
        assert same(archive[0], ng.load(path))
        return archive[0]


def through_npz(study: Study) -> Study:
    with np.load(BytesIO(to_npz(study))) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return study_of(json.loads(str(arrays.pop("facts"))), arrays)


def through_safetensors(study: Study) -> Study:
    safetensors = pytest.importorskip("safetensors.numpy", reason="the extra safetensors is not installed")
    from neuralgraph.adapters.safetensors import METADATA, to_safetensors

    data = to_safetensors(study)
    size = int.from_bytes(data[:8], "little")
    facts = json.loads(json.loads(data[8 : 8 + size])["__metadata__"][METADATA])
    return study_of(facts, safetensors.load(data))


def through_networkx(study: Study) -> Study:
    pytest.importorskip("networkx", reason="the extra networkx is not installed")
    from neuralgraph.adapters.networkx import from_networkx, to_networkx

    return from_networkx(to_networkx(study))


ROUND_TRIPS = {
    "file": through_file,
    "plain": lambda study: study_of(study_facts(study), study_arrays(study)),
    "json": lambda study: from_dict(json.loads(to_json(study))),
    "npz": through_npz,
    "safetensors": through_safetensors,
    "networkx": through_networkx,
}


def test_every_field_has_a_change():
    assert CHANGED.keys() == set(NAMES)
    assert all(
        getattr(EVERYTHING, name) not in (None, (), {})
        for name in NAMES
        if name not in ("patches", "triples", "pixels")
    )


@pytest.mark.parametrize("way", ROUND_TRIPS)
@pytest.mark.parametrize("name", NAMES)
def test_a_field_comes_back(way, name):
    study = CHANGED[name]
    assert not same(study, EVERYTHING)
    assert same(ROUND_TRIPS[way](study), study)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_is_copied(name, tmp_path):
    assert same(through_archive(CHANGED[name], tmp_path), CHANGED[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_field_makes_a_difference(name):
    assert list(study_differences(EVERYTHING, CHANGED[name]))
    assert list(study_differences(EVERYTHING, everything())) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_field_is_in_the_decoded_form(name):
    forms = [decoded_bytes(ng.to_bytes(study))["studies"][0] for study in (EVERYTHING, CHANGED[name])]
    for form in forms:
        del form["digest"]
    assert forms[0] != forms[1]


def test_the_second_reader_gives_the_same_form(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    paths = [tmp_path / f"{name}.ngr" for name in NAMES]
    for path, study in zip(paths, map(CHANGED.get, NAMES), strict=True):
        ng.save(study, path)
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    command = [node, ROOT / "spec/reader-js/cli.mjs", "--list", tmp_path / "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [decoded_bytes(path.read_bytes()) for path in paths]


def test_only_what_the_specification_leaves_out_is_not_in_the_digest():
    unchanged = {name for name, study in CHANGED.items() if study.digest == EVERYTHING.digest}
    assert unchanged == {"word_attention", "extensions"}


def test_an_npz_has_no_pickles():
    with zipfile.ZipFile(BytesIO(to_npz(EVERYTHING))) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
