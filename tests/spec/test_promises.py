"""Duties of readers and writers that no single file can show (FORMAT.md sections 10 and 11)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.storage.atomic import atomic_file
from spec.tools.vectors.draft import put
from spec.tools.vectors.studies import METHOD, basic, draft_of, record_of, textual

sys.path.insert(0, str(Path(__file__).parent))
from corpus import FOLDER

ROOT = FOLDER.parents[1]

WATCH = """
import sys
from pathlib import Path
import neuralgraph as ng
from neuralgraph.storage.decoded import decoded_file

folder = Path(sys.argv[1])
everything, archive = folder / "valid/everything.ngr", folder / "valid/archive-of-five.ngr"
for file in (everything, archive, folder / "invalid/E_TEXT/id-decomposed.ngr", folder / "invalid/E_ZSTD/zstd-cut.ngr"):
    decoded_file(file), ng.validate(file)
files = sorted(folder.rglob("*.ngr"))
forbidden = ("import", "exec", "compile", "subprocess", "socket", "os.system", "os.exec", "os.fork", "ctypes")
met = []
sys.addaudithook(lambda event, _: met.append(event) if event.startswith(forbidden) else None)
for file in files:
    decoded_file(file)
    ng.validate(file)
print(len(files), sorted(set(met)))
"""


def run(code: str, *arguments: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def test_reading_imports_and_starts_nothing():
    count, _, met = run(WATCH, str(FOLDER)).strip().partition(" ")
    assert int(count) > 700
    assert met == "[]"


def test_validator_lists_everything():
    columns = basic().columns()
    graph = {name: array.copy() for name, array in columns.graph.items()}
    graph["concept_label"][0], graph["label_value"][1], graph["patch_score"][3] = 99, np.nan, -1

    draft = replace(
        draft_of(basic()), records=[record_of(replace(columns, graph=graph))], trailer=put(48, "s", bytes(32))
    )
    codes = [problem.code for problem in ng.validate_bytes(draft.pack()).problems]
    assert set(codes) == {"E_DIGEST", "E_IDX", "E_NUM"}
    assert codes.count("E_NUM") == 2


def test_nothing_behind_broken_framing_is_trusted():
    data = bytearray(draft_of(basic()).pack())
    data[-50] ^= 1
    data[40] ^= 1
    assert [problem.code for problem in ng.validate_bytes(bytes(data)).problems] == ["E_TRAILER"]


@pytest.mark.parametrize(
    "provenance",
    [
        {"patient": "x"},
        {"model": {"path": "/home/x"}},
        {"extractor": {"host": "x"}},
        {"x.org": 1},
        {"films": ["/data/film.dcm"]},
        {"report": "yes"},
    ],
    ids=str,
)
def test_writer_refuses_facts_that_are_not_allowed(provenance):
    with pytest.raises(ng.StudyError) as caught:
        textual("a", provenance=provenance)
    assert caught.value.code == "E_TOC_KEY"


def test_writer_keeps_facts_that_are_allowed():
    assert textual("a", provenance=METHOD).provenance == METHOD


WRITE = """
import hashlib, sys
from spec.tools.vectors.studies import basic, textual
import neuralgraph as ng
ng.save([basic("one"), textual("two")], sys.argv[1])
"""


def test_same_studies_give_the_same_bytes(tmp_path):
    here = ng.to_bytes([basic("one"), textual("two")])
    for number, environment in enumerate(
        ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "USER": "x"})
    ):
        target = tmp_path / f"{number} with another name.ngr"
        run(WRITE, str(target), **environment)
        assert target.read_bytes() == here


def test_target_never_shows_a_partial_file(tmp_path):
    target = tmp_path / "a.ngr"
    ng.save(textual("old"), target)
    old = target.read_bytes()

    def die_half_way() -> None:
        with atomic_file(target) as stream:
            stream.write(b"half a")
            stream.flush()
            assert target.read_bytes() == old
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die_half_way()
    assert [path.name for path in tmp_path.iterdir()] == ["a.ngr"]
    assert target.read_bytes() == old


@pytest.mark.parametrize("form", ["bfloat16", "float16", "int8"])
def test_digest_is_that_of_the_decoded_values(form):
    study = basic()
    read = ng.load_bytes(ng.to_bytes(study, embedding=form))
    assert read.digest != study.digest
    # Written without loss, the decoded values have the digest that the lossy file states.
    assert ng.load_bytes(ng.to_bytes(read, embedding="float32")).digest == read.digest
