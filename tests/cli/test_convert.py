import json
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import typer
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.bulk import run as bulk_run
from neuralgraph.bulk.destination import STATE
from neuralgraph.cli.convert import convert
from neuralgraph.cli.model_notice import model_notice
from neuralgraph.compressor.model.files import model_name
from neuralgraph.compressor.scorer import DEMO_DIRECTORY
from neuralgraph.errors import OutputError, SourceError
from neuralgraph.phantoms import phantom
from neuralgraph.storage.archive import load
from neuralgraph.storage.opening import open_archive

PROGRESS = ("ngr: convert: ", "ngr: reading the source: ", "ngr: estimate: ")
FAKE = (sys.executable, str(Path(__file__).parents[1] / "bulk" / "fake_worker.py"))


@pytest.fixture
def ngr(monkeypatch):
    """Runs ``ngr convert`` with workers that need no model; errors come through."""
    app = typer.Typer()
    app.command()(convert)
    monkeypatch.setattr(bulk_run, "RunOptions", partial(bulk_run.RunOptions, command=FAKE))

    def run(*arguments):
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def films(tmp_path):
    from PIL import Image

    folder = tmp_path / "films"
    folder.mkdir()
    for seed in range(4):
        study = phantom(seed, height=64, width=64)
        stream = BytesIO()
        Image.fromarray(np.rint(study.pixels * 255).astype(np.uint8)).save(stream, "PNG")
        (folder / f"film{seed}.png").write_bytes(stream.getvalue())
        (folder / f"film{seed}.txt").write_text(study.report)
    return folder


@pytest.mark.parametrize("trained", [False, True])
def test_what_is_said_of_a_model_is_what_its_folder_says(ngr, films, tmp_path, trained):
    model = tmp_path / "model"
    shutil.copytree(DEMO_DIRECTORY, model)
    facts = json.loads((model / "config.json").read_text()) | {"name": "ours", "trained": trained}
    (model / "config.json").write_text(json.dumps(facts))
    result = ngr(films, tmp_path / "out", "--workers", 1, "--model", model)
    assert "converted" in result.stdout
    assert ("UNTRAINED" in result.stderr) is not trained
    assert "SYNTHETIC" not in result.stderr


def test_convert_and_continue(ngr, films, tmp_path):
    dest = tmp_path / "out"
    (films / "film3.png").write_bytes(b"not an image")
    result = ngr(films, dest, "--workers", "1", "--json")
    assert result.exit_code == 1
    first = printed("convert", result.stdout)
    assert (first["converted"], first["failed"], first["reasons"]) == (3, 1, {"E_SOURCE_TYPE": 1})
    assert (first["complete"], first["remaining"]) == (False, 0)
    assert json.loads((dest / "failures.jsonl").read_text())["reason"] == "E_SOURCE_TYPE"
    # On a slow machine lines of progress stand there too.
    said = [line for line in result.stderr.splitlines() if not line.startswith(PROGRESS)]
    assert len(said) == 2
    assert said[0].startswith("ngr: 3 reports gave no concept: ")
    name, trained = model_name(DEMO_DIRECTORY)
    assert model_notice(name, trained=trained) in result.stderr
    (films / "film3.png").write_bytes((films / "film2.png").read_bytes())
    result = ngr(films, dest, "--workers", "1")
    assert result.exit_code == 0
    assert "1 converted, 3 there already, 0 failed" in result.stdout
    with open_archive(dest) as archive:
        assert len(archive.ids) == 4


def test_dry_run(ngr, films, tmp_path):
    (films / "film3.txt").unlink()
    dest = tmp_path / "out"
    result = ngr(films, dest, "--dry-run", "--without-report", "drop", "--json")
    assert result.exit_code == 0
    told = printed("convert", result.stdout)
    parts, expected = told.pop("parts"), told.pop("estimate")
    assert told == {
        "layout": "folder",
        "studies": 3,
        "without_report": 0,
        "dropped": {"no_report": 1},
        "table": None,
        "manifest": str(tmp_path / "out.manifest.jsonl"),
    }
    assert (parts["films"], parts["report"], parts["patient"]) == (3, 3, 0)
    assert (expected["studies"], expected["sampled"], expected["failed"]) == (3, 3, 0)
    assert expected["bytes_in"] == sum((films / f"film{n}.png").stat().st_size for n in range(3))
    assert expected["bytes_out"] > 0
    assert expected["seconds"] > 0
    assert not list(tmp_path.glob("*.ngr"))
    assert not dest.exists()
    text = ngr(films, dest, "--dry-run").stdout
    assert "4 studies to convert" in text
    assert "1 of them without a report" in text
    # The manifest is a source itself.
    assert ngr(tmp_path / "out.manifest.jsonl", dest, "--workers", "1").exit_code == 0
    assert len(list(dest.glob("*.ngr"))) == 4


def test_an_estimate_needs_no_model_to_leave_the_counts_alone(ngr, films, tmp_path):
    result = ngr(films, tmp_path / "out", "--dry-run", "--model", "absent")
    assert result.exit_code == 0
    assert "time and bytes cannot be estimated here: E_MODEL" in result.stdout
    assert "4 studies to convert" in result.stdout
    assert "estimated" not in ngr(films, tmp_path / "out", "--dry-run", "--model", "absent", "--sample", "0").stdout
    (films / "film0.png").write_bytes(b"no film")
    result = ngr(films, tmp_path / "out", "--dry-run", "--workers", "3")
    assert re.search(r"about \d+ s with 3 workers \(\d+ s to \d+ s; from 4 studies, 1 of which failed\)", result.stdout)


def test_the_last_line_counts_reports(ngr, films, tmp_path):
    (films / "film3.txt").unlink()
    dest = tmp_path / "out"
    last = "  reports: given 3, generated 1, absent 0"
    assert ngr(films, dest, "--workers", "1").stdout.splitlines()[-1] == last
    # A run that only verifies says the same.
    assert ngr(films, dest, "--workers", "1").stdout.splitlines()[-1] == last
    told = printed("convert", ngr(films, dest, "--workers", "1", "--json").stdout)
    assert told["here"]["reports"] == {"given": 3, "generated": 1, "absent": 0}


def test_a_run_is_watched_by_its_metrics(ngr, films, tmp_path):
    (films / "film3.png").write_bytes(b"no film")
    watched = tmp_path / "ngr.prom"
    ngr(films, tmp_path / "out", "--workers", "1", "--metrics", watched)
    lines = watched.read_text().splitlines()
    samples = dict(line.split() for line in lines if not line.startswith("#"))
    assert len(samples) * 3 == len(lines)
    assert samples["ngr_convert_converted_studies_total"] == "3"
    assert samples["ngr_convert_failed_studies_total"] == "1"
    assert samples["ngr_convert_remaining_studies"] == "0"
    assert samples["ngr_convert_running"] == "0"
    assert float(samples["ngr_convert_read_seconds_total"]) > 0
    with pytest.raises(OutputError):
        ngr(films, tmp_path / "other", "--metrics", tmp_path / "nowhere" / "ngr.prom")


def test_a_dry_run_shows_what_is_read_of_a_table_and_what_is_not(ngr, films, tmp_path):
    table = films / "mine.csv"
    table.write_text("Path;Findings;impression;age;lable.nodule\nfilm0.png;Large effusion.;Effusion.;70;1\n")
    result = ngr(table, tmp_path / "out", "--dry-run")
    assert result.exit_code == 0
    for line in (
        "  table mine.csv: separated by semicolons, UTF-8",
        "    Path is read as image",
        "    Findings is read as findings",
        "    impression",
        "    not read: age, lable.nodule (did you mean label.nodule?)",
        "  1 with a report, 0 of them without a report",
    ):
        assert line in result.stdout.splitlines()
    told = printed("convert", ngr(table, tmp_path / "out", "--dry-run", "--json").stdout)
    assert told["table"]["columns"] == {"Path": "image", "Findings": "findings", "impression": "impression"}
    table.write_text("image,finding\nfilm0.png,Effusion.\n")
    result = ngr(table, tmp_path / "out", "--workers", "1")
    assert "the column 'finding' is not read; did you mean 'findings'?" in result.stderr
    assert "finding (did you mean findings?)" in ngr(table, tmp_path / "out", "--dry-run").stdout
    table.write_text("pictures,finding\nfilm0.png,Effusion.\n")
    with pytest.raises(SourceError) as caught:
        ngr(table, tmp_path / "out")
    assert str(table) in str(caught.value)


def test_keys_make_names(ngr, films, tmp_path):
    key = tmp_path / "site.key"
    key.write_bytes(b"0123456789abcdef")
    names = []
    for dest, options in (("a", ["--key-file", key]), ("b", ["--key-file", key]), ("c", []), ("d", ["--keep-ids"])):
        ngr(films, tmp_path / dest, "--workers", "1", *options)
        names.append({path.name for path in (tmp_path / dest).glob("*.ngr")})
    assert names[0] == names[1]
    assert not names[0] & names[2]
    assert names[3] == {f"film{number}.png.ngr" for number in range(4)}
    assert [(tmp_path / dest / STATE / "key").exists() for dest in "abcd"] == [False, False, True, True]
    with pytest.raises(OutputError, match="another key"):
        ngr(films, tmp_path / "a", "--workers", "1")
    manifest = tmp_path / "m.jsonl"
    ngr(films, tmp_path / "a", "--key-file", key, "--manifest", manifest)
    assert {json.loads(line)["converted_as"] + ".ngr" for line in manifest.read_text().splitlines()} == names[0]


@pytest.mark.parametrize(
    "options",
    [
        ["--shard", "0/2"],
        ["--shard", "3/2"],
        ["--shard", "half"],
        ["--view", "sideways"],
        ["--layout", "dicomweb"],
        ["--retain", "2"],
        ["--top-k", "3", "--mass", "0.5"],
        ["--prevalence", "0.2"],
        ["--max-errors", "-1"],
        ["--extractor", "magic"],
        ["--profile", "tiny", "--pack", "2"],
        ["--profile", "train"],
    ],
)
def test_wrong_usage(ngr, films, tmp_path, options):
    assert ngr(films, tmp_path / "out", *options).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_nothing_to_convert(ngr, films, tmp_path):
    with pytest.raises(SourceError):
        ngr(tmp_path / "absent", tmp_path / "out")
    with pytest.raises(OutputError, match="nothing of the source"):
        ngr(films, tmp_path / "out", "--view", "pa")
    with pytest.raises(OutputError, match="cannot create the folder"):
        ngr(films, films / "film0.txt", "--workers", "1")


def test_options_of_the_selection(ngr, tmp_path, films):
    rows = ["study_id,patient_id,image,report,view,label.pneumonia,split"]
    for number in range(4):
        view, label = ("PA", "AP", "LATERAL", "PA")[number], ("1", "0", "1", "-1")[number]
        rows.append(f"s{number},p{number % 2},film{number}.png,Clear.,{view},{label},{'train' if number else 'test'}")
    (films / "manifest.csv").write_text("\n".join(rows))

    def counts(*options):
        record = printed("convert", ngr(films, tmp_path / "out", "--dry-run", "--json", *options).stdout)
        return record["studies"], record["dropped"]

    assert counts() == (4, {})
    assert counts("--view", "PA,AP") == (3, {"no_frontal": 1})
    assert counts("--view", "any", "--films", "one", "--one-per-patient", "last") == (2, {"duplicate_patient": 2})
    assert counts("--split", "test") == (1, {"split_not_wanted": 3})
    assert counts("--cohort", "neural-chexpert") == (2, {"label_uncertain": 1, "no_frontal": 1})


def test_with_the_demo_model(films, tmp_path):
    for seed in (2, 3):
        (films / f"film{seed}.png").unlink()
    (films / "manifest.csv").write_text(
        "study_id,patient_id,image,report,view,label.pneumonia\n"
        'Jane Doe,4711,film0.png,"INDICATION: Jane Doe, fever.\n\nIMPRESSION: Small right pleural effusion.",PA,1\n'
        "Richard Roe,4712,film1.png,,AP,\n"
    )
    script = "from neuralgraph.cli.convert import convert; import typer; typer.run(convert)"
    command = [sys.executable, "-c", script, films, tmp_path / "out", "--workers", "1", "--store-report", "--json"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    assert printed("convert", result.stdout)["converted"] == 2
    by_kind = {}
    for path in (tmp_path / "out").glob("*.ngr"):
        study = load(path)
        by_kind[study.provenance["report"]] = study
        assert study.study_id == path.stem
        assert study.provenance["model"]["name"] == "demo"
    given = by_kind["given"]
    assert given.report == "IMPRESSION:\nSmall right pleural effusion."
    assert {concept.section for concept in given.concepts} == {"impression"}
    assert "pleural effusion" in [concept.text for concept in given.concepts]
    assert given.labels == {"pneumonia": 1.0}
    assert (given.views[0].position, by_kind["generated"].views[0].position) == ("PA", "AP")
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    for secret in (b"Doe", b"Roe", b"4711", b"fever", b"film0", str(films).encode()):
        assert secret not in written
        assert secret.decode() not in result.stdout.replace(str(tmp_path / "out"), "")
