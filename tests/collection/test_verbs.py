"""The verbs of a collection on the command line: dry runs, exit codes, what is printed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.cli.main import application, exit_code
from neuralgraph.collection import add


def ngr(*arguments):
    return CliRunner().invoke(application(["collection", "find", "validate"]), [str(each) for each in arguments])


@pytest.fixture
def place(collection, archive):
    add(collection, [archive("a.ngr", range(6))])
    return collection.room.where


def answer(*arguments):
    run = ngr(*arguments, "--json")
    assert run.exit_code == 0, run.output
    return printed("-".join(arguments[: 2 if arguments[0] == "collection" else 1]), run.stdout)


def test_dry_runs_change_nothing(place, collection, archive):
    more = archive("b.ngr", [7, 8])
    assert answer("collection", "add", place, more, "--dry-run")["added"] == 2
    assert answer("collection", "remove", place, "--id", "study-1", "--dry-run")["studies"] == 1
    assert answer("collection", "compact", place, "--dry-run")["merged"] == 0
    assert answer("collection", "vacuum", place, "--older-than", "0s", "--dry-run")["files"] == 1
    assert collection.head().snapshot == 2
    assert collection.room.names("manifests") == ["000000000001.json", "000000000002.json"]


def test_answers_say_how_many_and_never_who(place, tmp_path):
    (tmp_path / "ids.txt").write_text("study-1\n\nstudy-2\n")
    run = ngr("collection", "remove", place, "--ids", tmp_path / "ids.txt")
    assert "2 studies removed, 1 archive written again" in run.stdout
    log = ngr("collection", "log", place)
    for text in (run.stdout, log.stdout):
        assert "study-" not in text
    assert answer("collection", "log", place)["commits"][-1]["removed"] == 2


def test_a_table_of_patients_lets_a_patient_go(place, archive, tmp_path):
    (tmp_path / "p.csv").write_text("study_id,patient,split\nstudy-10,p-1,train\nstudy-11,p-2,test\n")
    answer("collection", "add", place, archive("b.ngr", [10, 11]), "--patients", tmp_path / "p.csv")
    assert answer("collection", "remove", place, "--patient-key", "p-1")["studies"] == 1
    rows = answer("find", place, "--sql", "SELECT study_id, patient, split FROM studies WHERE patient IS NOT NULL")
    assert rows == [{"study_id": "study-11", "patient": "p-2", "split": "test"}]


def test_findings_become_a_file_of_ids(place, tmp_path):
    output = tmp_path / "ids.txt"
    assert answer("find", place, "finding 3", "-o", output, "--generated")["count"] == 0
    assert ngr("find", place, "finding 0 any", "-o", output).exception is not None, "it is there already"
    found = answer("find", place, "finding any", "-o", output, "--force")
    assert output.read_text().split() == found["ids"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("remove",), 2),
        (("remove", "--id", "nobody"), 3),
        (("remove", "--where", "nothing = 1"), 2),
        (("vacuum", "--older-than", "soon"), 2),
        (("verify", "--level", "deep"), 2),
        (("add", "nowhere.ngr"), 3),
    ],
)
def test_exit_codes(place, arguments, code):
    verb, *rest = arguments
    run = ngr("collection", verb, place, *rest)
    error = run.exception
    assert (run.exit_code if isinstance(error, SystemExit) else exit_code(error)) == code


def test_validate_takes_what_counts(place, collection):
    run = ngr("validate", place)
    assert run.exit_code == 0
    assert run.stdout.count(": valid") == len(collection.head().archives)


def test_verify_says_what_is_wrong_with_exit_code_1(place, collection):
    member = collection.head().archives[0]
    path = collection.room.path / member.path
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    run = ngr("collection", "verify", place)
    assert run.exit_code == 1
    assert member.path in run.stdout


def test_a_question_loads_nothing_it_does_not_need(place):
    """A question to a million studies takes as long as starting does."""
    code = (
        "import sys; from neuralgraph.cli.find import find; find(sys.argv[1], 'finding 3'); "
        "print([name for name in ('numpy', 'pyarrow', 'asyncio', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_one_or_nothing_is_said_so(place):
    assert ngr("collection", "verify", place).stdout.endswith(": valid, 6 studies in 2 archives\n")
    assert "no small archives to merge" in ngr("collection", "compact", place).stdout
