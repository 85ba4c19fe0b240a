import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neuralgraph.bulk.converter import Converter
from neuralgraph.bulk.plan import in_shard, make_plan, study_ids
from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key, read_key
from neuralgraph.bulk.receipts import PackReceipt, Receipt, ReceiptFile, read_receipts
from neuralgraph.bulk.report_text import described
from neuralgraph.bulk.settings import ConversionSettings, policy_of
from neuralgraph.bulk.task import Answer, Task, answer_line, read_answer, read_task, task_line
from neuralgraph.errors import OutputError, SourceError, StudyError
from neuralgraph.sources.layouts import DroppedRow, Manifest, ManifestImage, ManifestRow


def test_pseudonyms_are_keyed_and_by_kind():
    # printf 'study\0s1' | openssl dgst -sha256 -mac HMAC -macopt key:0123456789abcdef, its first 16 bytes.
    assert Pseudonyms(b"0123456789abcdef")("study", "s1") == "cfca049208be15413722fc3ddafa88af"
    other = Pseudonyms(b"0123456789abcdeg")
    same = Pseudonyms(b"0123456789abcdef")
    assert len({same("study", "s1"), same("patient", "s1"), same("study", "s2"), other("study", "s1")}) == 4
    assert same.fingerprint != other.fingerprint


def test_key_files(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"0123456789abcdef\r\n")
    assert read_key(path) == b"0123456789abcdef"
    path.write_bytes(b"too short\n")
    with pytest.raises(SourceError) as caught:
        read_key(path)
    assert caught.value.code == "E_SOURCE_SIZE"
    with pytest.raises(SourceError):
        read_key(tmp_path / "absent")


def test_all_first_processes_agree_on_one_key(tmp_path):
    path = tmp_path / "key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: destination_key(path), range(16)))
    assert len(keys) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["key"]
    assert destination_key(tmp_path / "other") not in keys
    path.write_bytes(b"short")
    with pytest.raises(OutputError):
        destination_key(path)


REPORT = """                                 FINAL REPORT
 INDICATION:  ___ year old with fever, rule out pneumonia.

 COMPARISON:  ___.

 FINDINGS:

 The heart is XXXX normal.  Lungs
 are clear.

 IMPRESSION:

 No acute ___ process.
"""


def test_what_a_report_describes():
    # A mark stays where text was removed, so that its neighbours are not read as one name.
    assert described(REPORT, "impression") == "IMPRESSION:\nNo acute _ process."
    assert described(REPORT, "impression", headings=False) == "No acute _ process."
    both = described(REPORT, "findings+impression")
    assert both == "FINDINGS:\nThe heart is _ normal. Lungs\n are clear.\n\nIMPRESSION:\nNo acute _ process."
    assert described("Lungs are clear.", "impression") == "Lungs are clear."
    assert described(REPORT.replace("IMPRESSION", "NOTE"), "impression").startswith("FINDINGS:\nThe heart is")
    order = "WET READ: Mass.\nIMPRESSION: No mass.\nCOMMENT: Skin fold.\nADDENDUM: None."
    assert described(order, "findings+impression").split("\n")[::3] == [
        "PRELIMINARY REPORT:",
        "IMPRESSION:",
        "COMMENT:",
        "ADDENDUM:",
    ]
    # What the headings say is what they said before.
    assert described(described(order, "findings+impression"), "findings+impression") == described(
        order, "findings+impression"
    )
    assert described("BEFUND: Kein Erguss.", "findings+impression") == "BEFUND: Kein Erguss."


@pytest.mark.parametrize("text", ["INDICATION: rule out pneumonia.", "IMPRESSION: ___ XXXX.", "FINDINGS: 1."])
def test_reports_that_describe_nothing(text):
    with pytest.raises(SourceError) as caught:
        described(text, "impression")
    assert caught.value.code == "E_SOURCE_EMPTY"


def test_receipts(tmp_path):
    path = tmp_path / "receipts.jsonl"
    first, second = Receipt("a", "b", "c"), PackReceipt("p", "d", {"a": "c"})
    path.write_bytes(json.dumps({"study": "a"}).encode() + b"\n[1]\nnull\n\xff\n" + b'{"study": "cut')
    file = ReceiptFile(path)
    file.add(first)
    file.add(second)
    file.close()
    assert list(read_receipts([path])) == [first, second]
    assert b"cut" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0o044 or path.stat().st_mode & 0o777 == 0o600


def test_lines_between_processes():
    task = Task("id", [("/a b;ü\n.png", "PA")], "/out", "Two\nlines", None, {"x y": -1.0}, "mesh")
    assert read_task(task_line(task)) == task
    assert task_line(task).count(b"\n") == 1
    answer = Answer("id", "E_LIMIT", "too\nlong")
    assert read_answer(answer_line(answer)) == answer


def manifest(*keys, dropped=()):
    rows = tuple(
        ManifestRow(key, f"p{key}", (ManifestImage(f"/x/{key}.png", "PA"),), labels={"a": 1.0}) for key in keys
    )
    return Manifest("manifest", rows, dropped)


def test_plan():
    source = manifest("s1", "s2", "s3", dropped=(DroppedRow("s4", "image_missing"), DroppedRow("s5", "no_frontal")))
    pseudonyms = Pseudonyms(b"0" * 16)
    plan = make_plan(source, pseudonyms)
    ids = [study.study_id for study in plan.studies]
    assert ids == sorted(pseudonyms("study", key) for key in ("s1", "s2", "s3"))
    assert [(fault.study, fault.reason) for fault in plan.faults] == [(pseudonyms("study", "s4"), "image_missing")]
    assert plan.dropped == {"no_frontal": 1}
    moved = manifest("s1", "s2", "s3")
    assert [study.given for study in make_plan(moved, pseudonyms).studies] == [study.given for study in plan.studies]
    shards = [make_plan(source, pseudonyms, shard=(number, 2)) for number in (1, 2)]
    assert sorted(study.study_id for plan in shards for study in plan.studies) == ids
    assert sum(len(plan.faults) + sum(plan.dropped.values()) for plan in shards) == 2


def test_shards_are_even_and_stay():
    # sha256 of "shard", a zero byte and "s1": its first 8 bytes modulo 5.
    sizes = [sum(in_shard(f"s{key}", (number, 5)) for key in range(2000)) for number in range(1, 6)]
    assert sum(sizes) == 2000
    assert min(sizes) > 340
    assert [number for number in range(1, 6) if in_shard("s1", (number, 5))] == [4]


def test_ids_that_are_kept():
    pseudonyms = Pseudonyms(b"0" * 16)
    assert study_ids(manifest("patient1/study1", "50414267"), pseudonyms, keep_ids=True) == {
        "patient1/study1": "patient1-study1",
        "50414267": "50414267",
    }
    # One that cannot be kept costs itself, not the others.
    for keys in (["../up"], ["Doe Jane"], [".hidden"], ["a/b", "a-b"]):
        plan = make_plan(manifest("good", *keys), pseudonyms, keep_ids=True)
        assert [study.study_id for study in plan.studies] == ["good"]
        assert {(failure.study, failure.reason) for failure in plan.faults} == {
            (pseudonyms("study", key), "id_unusable") for key in keys
        }


def test_policies():
    for policy, amount in (("fraction", 0.5), ("top_k", 3), ("threshold", 0.1), ("mass", 0.9)):
        record = policy_of(ConversionSettings(policy=policy, amount=amount)).record
        assert record == {"policy": policy, "value": amount}
    with pytest.raises(OutputError):
        policy_of(ConversionSettings(policy="magic"))
    with pytest.raises(StudyError):
        policy_of(ConversionSettings(amount=2.0))
    assert "model" not in ConversionSettings(model="/home/jane").record


@pytest.mark.parametrize(
    ("given", "stated", "used"),
    [
        ("PA", "LATERAL", "PA"),
        ("unknown", "AP", "AP"),
        ("unknown", None, "unknown"),
        ("FRONTAL", "PA", "PA"),
        ("FRONTAL", "LATERAL", "unknown"),
        ("FRONTAL", None, "unknown"),
    ],
)
def test_the_view_of_a_film(tmp_path, given, stated, used):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.1", "2.25.1", "CR"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.add_new("PixelData", "OB", np.arange(256, dtype=np.uint8).tobytes())
    if stated:
        dataset.ViewPosition = stated
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    dcmwrite(tmp_path / "film.dcm", dataset, enforce_file_format=True)
    positions = []

    def maker(films, *_, **__):
        positions.append(films[0].position)
        raise StudyError("seen", code="E_STUDY")

    answer = Converter(ConversionSettings(), maker)(
        Task("id", [(str(tmp_path / "film.dcm"), given)], str(tmp_path / "out.ngr"))
    )
    assert (answer.reason, positions) == ("E_STUDY", [used])
    assert not (tmp_path / "out.ngr").exists()
