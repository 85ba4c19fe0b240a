"""Nothing of a source shows in what a conversion writes or says, whatever form the source has."""

import subprocess
import sys
from pathlib import Path

import pytest
from structured_reports import structured_report

from neuralgraph.bulk.audit import audit
from neuralgraph.bulk.identifiers import Identifier, identifiers_of_folder
from tests.bulk.test_audit import NAME, film_of_a_talkative_patient

DRIVER = """
import sys
from functools import partial
from neuralgraph.bulk import run
run.RunOptions = partial(run.RunOptions, command=(sys.executable, {worker!r}))
from neuralgraph.cli.main import main
main()
"""
WORKER = str(Path(__file__).parents[1] / "bulk" / "fake_worker.py")
WORDS = ("Quodlibet-Hospital", "17.03.1942", "Zweifelhaft", "0815-4711", "Doe-Jane")


def ngr(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER.format(worker=WORKER), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "Doe-Jane"
    folder.mkdir()
    for number in range(3):
        film = film_of_a_talkative_patient(
            StudyInstanceUID=f"1.2.826.0.1.471{number}",
            AccessionNumber=f"0815-4711-{number}",
            PatientID="4711-PID",
            BurnedInAnnotation="YES" if number == 2 else "NO",
        )
        (folder / f"Zweifelhaft-{number:06d}.dcm").write_bytes(film)
    (folder / "broken-471100.dcm").write_bytes(film[:3000])
    text = f"{NAME}, born 17.03.1942, at Quodlibet-Hospital"
    (folder / "471101.hl7").write_text(
        "MSH|^~\\&|RIS||||20200102||ORU^R01|1|P|2.3\rPID|1||4711-PID||Doe^Jane\r"
        "OBR|1||0815-4711-0||||||||||||||||||||||F\r"
        f"OBX|1|TX|||INDICATION: {text}.\rOBX|2|TX|||IMPRESSION: ___ XXXX Clear.\r"
    )
    (folder / "471102.dcm").write_bytes(
        structured_report(
            [("History", "History", text), ("Conclusions", "Conclusion", "Small XXXX effusion.")],
            study="1.2.826.0.1.4711",
            accession="0815-4711-1",
            patient="4711-PID",
        )
    )
    return folder


def test_an_export_with_reports(source, tmp_path):
    known = identifiers_of_folder(source) + [Identifier("word", word) for word in WORDS]
    assert len(known) > 700
    code, said = ngr("convert", source, tmp_path / "out", "--layout", "dicom", "--store-report", "--workers", "1")
    assert code == 1, said
    assert "2 converted" in said
    code, dry = ngr("convert", source, tmp_path / "dry", "--layout", "dicom", "--dry-run")
    assert code == 0
    code, refused = ngr("convert", source, tmp_path / "other", "--layout", "chexpert")
    assert code == 3
    # What was typed may be said to whoever typed it.
    assert str(source) in refused
    (tmp_path / "run.log").write_text((said + dry + refused).replace(str(source), "").replace(str(tmp_path), ""))
    assert list(audit([tmp_path / "out", tmp_path / "run.log"], known)) == []
    # What is left of the reports is what they say of the films.
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").glob("*.ngr"))
    assert b"XXXX" not in written
    assert b"___" not in written


def test_audit_of_a_folder(source, tmp_path):
    ngr("convert", source, tmp_path / "out", "--layout", "dicom", "--workers", "1")
    code, said = ngr("audit", tmp_path / "out", "--source", source)
    assert (code, said.splitlines()[-1].partition(" identifiers")[2]) == (0, " looked for, 0 findings")
    code, _ = ngr("audit", source, "--source", source)
    assert code == 1
