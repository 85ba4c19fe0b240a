"""Archives to train from: the same studies, and a graphs section that is exactly what the records give."""

from __future__ import annotations

import numpy as np
import pytest
from builders import build_study, studies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph.container.contents import GRAPHS
from neuralgraph.container.graphs import GraphsSection
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.graph.features import concept_features
from neuralgraph.graph.joined import both_directions, joined_edges, patch_centres
from neuralgraph.storage import graph_section
from neuralgraph.wire.checksums import crc32


def section_of(data, *, always=False):
    container = Container(BytesSource(data))
    row = container.contents.sections[GRAPHS]
    payload = container.source.read(row.offset, row.end - row.offset)
    return GraphsSection(payload, row, len(container), always=always)


def same_width(made):
    """The studies as wide as the first that has a patch, with ids of their own."""
    width = next((s.patches.embedding.shape[1] for s in made if len(s.patches)), 0)
    return [s for s in made if not len(s.patches) or s.patches.embedding.shape[1] == width]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(studies(), min_size=1, max_size=4, unique_by=lambda study: study.study_id))
def test_the_section_says_what_each_study_says(made):
    made = same_width(made)
    data = ng.to_bytes(made, profile="train")
    assert ng.validate_bytes(data).ok
    section = section_of(data)
    column = {name: section.whole(name) for name in section.columns}
    names = section.label_names()
    for number, study in enumerate(made):
        patches, concepts, pairs, labels = (
            slice(*column[f"{part}_start"][number : number + 2].tolist())
            for part in ("patch", "concept", "pair", "label")
        )
        assert column["patch_centre"][patches].tobytes() == patch_centres(study).tobytes()
        assert column["patch_score"][patches].tobytes() == study.patches.score.tobytes()
        assert column["patch_view"][patches].tolist() == study.patches.view.tolist()
        expected, kinds = both_directions(*joined_edges(study))
        assert column["pair_source"][pairs].tolist() == expected[:, 0].tolist()
        assert column["pair_target"][pairs].tolist() == expected[:, 1].tolist()
        assert column["pair_type"][pairs].tolist() == kinds.tolist()
        numbers, values = column["label_number"][labels].tolist(), column["label_value"][labels].tolist()
        assert dict(zip([names[n] for n in numbers], values, strict=True)) == dict(study.labels)
        fusion = (int(column["fusion_patch"][number]), int(column["fusion_concept"][number]))
        assert fusion == (study.fusion or (2**32 - 1, 2**32 - 1))
        assert int(column["n_cells"][number]) == study.n_cells
        assert len(column["concept_feature"][concepts]) == len(study.concepts)


def test_features_are_those_of_the_recipe():
    study = build_study(dim=32)
    section = section_of(ng.to_bytes(study, profile="train"))
    assert section.head["recipe"] == 1
    start, place, value = (section.whole(f"feature_{part}") for part in ("start", "place", "value"))
    expected = concept_features(study.concepts, 32)
    for word, row in zip(section.whole("concept_feature").tolist(), expected, strict=True):
        made = np.zeros(32, np.float32)
        chosen = slice(int(start[word]), int(start[word + 1]))
        made[place[chosen]] = value[chosen]
        assert made.tobytes() == row.tobytes()


def test_packing_to_train_keeps_values_and_digests(tmp_path):
    made = [build_study(study_id=f"s{number}", seed=number) for number in range(3)]
    for number, study in enumerate(made):
        ng.save(study, tmp_path / f"{number}.ngr", embedding=("exact", "int8", "float32")[number])
    folder = tmp_path / "out"
    folder.mkdir()
    assert ng.pack([tmp_path / f"{n}.ngr" for n in range(3)], folder / "train.ngr", profile="train") == 3
    assert ng.validate(folder / "train.ngr").ok
    with ng.open(folder / "train.ngr") as archive:
        for number, study in enumerate(archive):
            one = ng.load(tmp_path / f"{number}.ngr")
            assert (study.study_id, study.digest) == (one.study_id, one.digest)
    ng.unpack(folder / "train.ngr", folder / "again")
    assert ng.pack([folder / "again"], folder / "compact.ngr") == 3
    assert GRAPHS not in Container(BytesSource((folder / "compact.ngr").read_bytes())).contents.sections
    with pytest.raises(ng.StudyError) as caught:
        ng.pack([folder / "again"], folder / "x.ngr", profile="fast")
    assert caught.value.code == "E_IDX"
    assert not (folder / "x.ngr").exists()


def test_the_same_studies_give_the_same_section_however_they_are_cut_into_pieces(monkeypatch):
    made = [build_study(study_id=f"s{number}", seed=number) for number in range(7)]
    whole = ng.to_bytes(made, profile="train")
    monkeypatch.setattr(graph_section, "_STUDIES_AT_ONCE", 2)
    monkeypatch.setattr(graph_section, "_COPY_BYTES", 64)
    assert ng.to_bytes(made, profile="train") == whole


def test_a_section_that_is_not_that_of_the_records_is_a_problem():
    data = bytearray(ng.to_bytes([build_study(study_id="a"), build_study(study_id="b", seed=1)], profile="train"))
    container = Container(BytesSource(bytes(data)))
    row = container.contents.sections[GRAPHS]
    section = section_of(bytes(data))
    at = row.offset + section._extents["patch_score"].offset
    data[at] ^= 1
    with pytest.raises(ng.ChecksumError, match=r"graphs\.page"):
        section_of(bytes(data)).whole("patch_score")
    assert [(p.code, p.where) for p in ng.validate_bytes(bytes(data)).problems] == [("E_CRC", "graphs.page[0]")]
    # Sealed anew, so that only the records contradict it.
    table = crc32(bytes(data[row.offset : row.offset + row.length])).to_bytes(4, "little")
    toc = container.trailer["toc_offset"]
    contents = bytes(data[toc : toc + container.trailer["toc_bytes"]])
    old, new = row.table_crc32.to_bytes(4, "big"), crc32(table).to_bytes(4, "big")
    assert contents.count(old) == 1
    if new[0] == 0:
        pytest.skip("the new checksum has a shorter canonical form")
    contents = contents.replace(old, new)
    data[row.offset + row.length : row.offset + row.length + 4] = table
    data[toc : toc + len(contents)] = contents
    end = len(data)
    data[end - 96 + 12 : end - 96 + 16] = crc32(contents).to_bytes(4, "little")
    data[end - 12 : end - 8] = crc32(bytes(data[end - 96 : end - 12])).to_bytes(4, "little")
    assert [(p.code, p.where) for p in ng.validate_bytes(bytes(data)).problems] == [("E_INDEX", "graphs")]
    assert len(ng.load_bytes(ng.to_bytes(build_study())).patches) > 0


def test_every_page_is_verified_before_it_is_used_and_once():
    made = [build_study(study_id=f"s{number}", patches=25, seed=number) for number in range(200)]
    data = bytearray(ng.to_bytes(made, profile="train"))
    row = Container(BytesSource(bytes(data))).contents.sections[GRAPHS]
    assert row.length > 2 * 65_536
    place = section_of(bytes(data))._extents["label_value"]
    data[row.offset + place.offset] ^= 0x40
    section = section_of(bytes(data))
    positions = np.array([0, 50, 119])
    section.runs("patch_start", positions, np.full(3, 2))
    with pytest.raises(ng.ChecksumError):
        section.whole("label_value")
    with pytest.raises(ng.FormatError) as caught:
        section.runs("patch_start", np.array([200]), np.array([2]))
    assert caught.value.code == "E_INDEX"
