"""The conformance vectors: the corpus is whole, and this package's readers say about every file what it expects."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

import neuralgraph as ng
from neuralgraph.errors import CODES
from neuralgraph.storage.decoded import decoded_bytes, decoded_file
from spec.tools.vectors.corpus import corpus_files

sys.path.insert(0, str(Path(__file__).parent))
from corpus import FOLDER, INDEX, INVALID, ROWS, VALID, data_of, name_of

# Codes of FORMAT.md that no file can be refused with by a reader of this version, and why.
NOT_IN_A_FILE = {
    "E_SIG": "there are no signatures in version 1.0",
    "E_STUDY": "of studies that are made, not read",
    "E_NOT_FOUND": "of questions to an archive",
    "E_OPEN": "of files that cannot be opened",
}

# Rules of an archive as a whole, which ``ng.open`` and reading every study does not prove, and the vectors that break
# them. Validators and the decoded form do; so does ``ng.load``, of the one study of a file.
OF_THE_WHOLE_ARCHIVE = {
    "R2: the envelope is exactly that of all records": {
        "E_BUDGET/total-minus-1",
        "E_BUDGET/total-plus-1",
        "E_BUDGET/largest-plus-1",
        "E_BUDGET/streams-plus-1",
        "E_BUDGET/streams-limit",
    },
    "R5: the root is that of all records": {"E_DIGEST/root-of-two"},
    "R7, F3: pages and padding of sections that the reader does not know": {
        "E_CRC/section-byte",
        "E_CRC/second-page",
        "E_CRC/page-crc",
        "E_COVER/section-padding",
    },
    "F19: the keys stand in the order of all ids, each once": {
        "E_INDEX/keys-order-descends",
        "E_DUP/two-equal-ids",
        "E_DUP/equal-ids-apart",
    },
}
NOT_PROVEN = {f"invalid/{name}.ngr" for names in OF_THE_WHOLE_ARCHIVE.values() for name in names}


def test_corpus_is_present():
    assert len(VALID) >= 80
    assert len(INVALID) >= 750


def test_every_code_of_the_format_has_a_vector():
    codes = [row["code"] for row in json.loads((FOLDER.parent / "error-codes.json").read_bytes())["codes"]]
    assert len(codes) > 35
    assert {row["code"] for row in INVALID} == set(codes) - NOT_IN_A_FILE.keys()


def test_index_is_complete_and_its_digests_are_right():
    listed = {"index.json"} | {row["path"] for row in ROWS} | {row["expected"] for row in VALID}
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()} - {
        "README.md"
    } == listed
    for row in ROWS:
        assert hashlib.sha256(data_of(row)).hexdigest() == row["sha256"], row["path"]
        if "expected" in row:
            assert hashlib.sha256((FOLDER / row["expected"]).read_bytes()).hexdigest() == row["expected_sha256"]


def test_files_are_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 2_500_000


def test_command_writes_the_committed_files():
    if ".".join(map(str, zstandard.ZSTD_VERSION)) != INDEX["provenance"]["zstd"]:
        pytest.skip("another version of libzstd, whose frames may have other bytes")
    for path, data in corpus_files().items():
        assert (FOLDER / path).read_bytes() == data, f"{path}; run: python -m spec.tools"


@pytest.mark.parametrize("row", VALID, ids=name_of)
def test_valid_file_has_the_expected_values(row):
    assert decoded_bytes(data_of(row)) == json.loads((FOLDER / row["expected"]).read_bytes())


@pytest.mark.parametrize("row", VALID, ids=name_of)
def test_valid_file_has_no_problems(row):
    report = ng.validate(FOLDER / row["path"])
    assert report.ok, report.problems


@pytest.mark.parametrize("row", INVALID, ids=name_of)
def test_invalid_file_is_refused_with_its_code(row):
    form = decoded_file(FOLDER / row["path"])
    assert (form["ok"], form.get("code")) == (False, row["code"]), form


@pytest.mark.parametrize("row", INVALID, ids=name_of)
def test_validator_lists_the_code(row):
    report = ng.validate(FOLDER / row["path"])
    assert row["code"] in {problem.code for problem in report.problems}
    assert all(problem.code in CODES and problem.message and "\n" not in problem.message for problem in report.problems)


@pytest.mark.parametrize("row", INVALID, ids=name_of)
def test_reading_every_study_refuses_with_the_code(row):
    code = refusal(FOLDER / row["path"])
    assert code == (None if row["path"] in NOT_PROVEN else row["code"])


@pytest.mark.parametrize("row", INVALID, ids=name_of)
def test_loading_refuses_with_the_code(row):
    with pytest.raises(ng.NeuralGraphError) as caught:
        ng.load(FOLDER / row["path"])
    assert caught.value.code in (row["code"], "E_OPEN")
    if caught.value.code == "E_OPEN":
        with ng.open(FOLDER / row["path"]) as archive:
            assert len(archive) > 1


def test_what_opening_leaves_to_validators_is_named():
    assert {row["path"] for row in INVALID} >= NOT_PROVEN
    for rule, names in OF_THE_WHOLE_ARCHIVE.items():
        for identifier in rule.split(":")[0].split(", "):
            assert any(identifier in requirements_of(name) for name in names), (identifier, names)


def requirements_of(name: str) -> list[str]:
    return next(row["requirements"] for row in INVALID if row["path"] == f"invalid/{name}.ngr")


def refusal(path: Path) -> str | None:
    """The code with which ``ng.open`` and reading every study of a file fails."""
    try:
        with ng.open(path) as archive:
            for _ in archive:
                pass
    except ng.NeuralGraphError as error:
        return error.code
    return None


def test_values_survive_being_written_again():
    for row in VALID:
        with ng.open(FOLDER / row["path"]) as archive:
            studies = list(archive)
        again = decoded_bytes(ng.to_bytes(studies, embedding="float32"))
        assert again == json.loads((FOLDER / row["expected"]).read_bytes()), row["path"]


MEASURE = """
import resource, sys, tracemalloc
from pathlib import Path
import neuralgraph as ng
from neuralgraph.storage.decoded import decoded_file

folder = Path(sys.argv[1])
files = sorted(folder.rglob("*.ngr"))
ng.validate(files[0])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tracemalloc.start()
for file in files:
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]
    assert not decoded_file(file)["ok"], file
    assert ng.validate(file).problems, file
    peak = tracemalloc.get_traced_memory()[1] - start
    assert peak < 64 * 2**20, (file, peak)
tracemalloc.stop()
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
assert grown < 64 * 2**20, grown
print(len(files))
"""


@pytest.mark.skipif(os.name == "nt", reason="the resource module is that of Unix")
def test_refusing_takes_little_memory():
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, str(FOLDER / "invalid")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert int(result.stdout) == len(INVALID)
