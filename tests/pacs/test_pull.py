"""A pull is complete, or says what is missing: against archives that cap, forget, dawdle, repeat and break off."""

import json
import re
import subprocess
import sys
import threading
import time
from io import BytesIO

import pytest
import typer
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.errors import SourceError
from neuralgraph.pacs import connection, web
from neuralgraph.pacs.pulling import MISSING_NAME
from neuralgraph.pacs.spool import Spool
from neuralgraph.pacs.web import WebArchive
from tests.pacs import toy_archive as bad
from tests.pacs.conftest import film
from tests.pacs.toy_archive import Toy, serving, uid

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def pulled(toy, folder, *, patience=10.0, **options):
    with serving(toy):
        archive = WebArchive(toy.url, patience=patience)
        try:
            return archive.pull(Spool(folder), {}, **options)
        finally:
            archive.close()


def films(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.dcm")}


@pytest.mark.parametrize(
    "toy",
    [
        Toy(total=0),
        Toy(total=1),
        Toy(total=75, cap=30),
        Toy(total=60, cap=30),
        Toy(total=7, cap=2),
        Toy(total=4, cap=1),
        Toy(total=60, cap=7, count_header=True, warning_header=True),
        Toy(total=9, cap=4, offsets="rounded"),
        Toy(total=9, cap=5, offsets="pages"),
        Toy(total=9, offsets="pages"),
        Toy(total=30, offsets="ignored", limits=False),
        Toy(total=6, cap=4, twice=True),
        Toy(total=6, cap=4, classes=False, packed=True),
        Toy(total=3, alone=True, says={"00201208": 1, "00201209": 1}),
    ],
    ids=str,
)
def test_whatever_the_cap_everything_comes(tmp_path, toy):
    result = pulled(toy, tmp_path)
    assert result.missing == []
    assert (result.studies, result.stored, result.repeated) == (toy.total, toy.total, 0)
    assert set(films(tmp_path)) == {f"{uid(n)}/{uid(n)}.9.dcm" for n in range(toy.total)}
    # Byte for byte what the archive sent.
    assert all(data == toy.film(int(name.split("/")[0].rpartition(".")[2])) for name, data in films(tmp_path).items())
    assert bool(result.notes) is (toy.offsets == "ignored")
    toy.asked.clear()
    again = pulled(toy, tmp_path)
    assert (again.stored, again.repeated, again.missing) == (0, toy.total, [])
    assert not any("/instances/" in path for path, _ in toy.asked)


@pytest.mark.parametrize(
    ("toy", "found", "why"),
    [
        (Toy(total=25, cap=10, offsets="ignored"), 10, "ignores the offset"),
        (Toy(total=25, cap=10, offsets="ignored", count_header=True), 10, "ignores the offset"),
        (Toy(total=25, cap=10, offsets="gap"), None, "do not join"),
        (Toy(total=5, says={"00201208": 3}), 5, "has 3 objects, and lists 1"),
        (Toy(total=5, says={"00201209": 2}), 5, "has 2 objects, and lists 1"),
        (Toy(total=3, listed={1: 0}, says={"00201209": 1}), 2, "has 1 objects, and lists 0"),
    ],
    ids=str,
)
def test_what_may_be_missing_is_said(tmp_path, toy, found, why):
    result = pulled(toy, tmp_path)
    assert not result.complete
    assert why in result.missing[0].message
    assert found in (None, result.stored)
    assert toy.total > 10 or result.stored == found


def test_a_study_without_objects_is_missing(tmp_path):
    result = pulled(Toy(total=3, listed={1: 0}), tmp_path)
    assert (result.stored, result.complete) == (2, False)
    assert [(each.code, each.message) for each in result.missing] == [
        ("E_SOURCE_READ", "the archive lists the study and no object of it")
    ]


def test_a_busy_archive_is_asked_again(tmp_path):
    toy = Toy(total=2, faults=[("/series", bad.busy()), ("/instances", bad.busy()), (f"{uid(1)}.9", bad.busy("1"))])
    result = pulled(toy, tmp_path)
    assert (result.stored, result.missing) == (2, [])
    busy_for_good = Toy(total=2, faults=[(f"{uid(0)}.9", bad.busy()) for _ in range(9)])
    result = pulled(busy_for_good, tmp_path / "b")
    assert (result.stored, [one.instance for one in result.missing]) == (1, [f"{uid(0)}.9"])
    assert result.missing[0].message.endswith("(HTTP 503)")
    # Nobody waits for an hour.
    late = Toy(total=2, faults=[(f"{uid(0)}.9", bad.busy("3600"))])
    assert "come back in 3,600 s" in pulled(late, tmp_path / "c").missing[0].message


@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        (bad.refused(404), "E_SOURCE_READ", "HTTP 404"),
        (bad.refused(500), "E_SOURCE_READ", "HTTP 500"),
        (bad.endless, "E_SOURCE_SIZE", "larger than"),
        (bad.trickling, "E_SOURCE_READ", "too slowly"),
        (bad.trickling_head, "E_SOURCE_READ", "silent"),
        (bad.silent, "E_SOURCE_READ", "silent"),
        (bad.cut, "E_SOURCE_READ", "breaks off"),
        (bad.bomb, "E_SOURCE_SIZE", "larger than"),
        (bad.half_packed, "E_SOURCE_DAMAGED", "cannot be unpacked"),
        (lambda handler: bad.reply(handler, b"{", "multipart/related; boundary=x"), "E_SOURCE_DAMAGED", "no part"),
        (lambda handler: bad.reply(handler, b"--x\r\n\r\nDICM", "multipart/related; boundary=x"),
         "E_SOURCE_DAMAGED", "no end"),
        (lambda handler: bad.reply(handler, b"text"), "E_SOURCE_DAMAGED", "no DICOM file"),
        (lambda handler: bad.reply(handler, film(study=uid(2), instance=f"{uid(2)}.9"), "application/dicom"),
         "E_SOURCE_DAMAGED", "another object"),
        (lambda handler: bad.reply(handler, b"", Content_Encoding="br"), "E_SOURCE_DAMAGED", "not asked for"),
    ],
)  # fmt: skip
def test_one_object_that_cannot_be_had_costs_nothing_else(tmp_path, monkeypatch, fault, code, why):
    monkeypatch.setattr(web, "_MOST_OBJECT_BYTES", 1_000_000)
    # What breaks off is asked for once more.
    toy = Toy(total=4, faults=[(f"/instances/{uid(1)}.9", fault)] * (2 if fault is bad.cut else 1))
    result = pulled(toy, tmp_path, patience=2.0)
    assert result.stored == 3
    (missing,) = result.missing
    assert (missing.study, missing.series, missing.instance) == (uid(1), f"{uid(1)}.1", f"{uid(1)}.9")
    assert missing.code == code
    assert why in missing.message
    assert "Doe" not in missing.message
    # The next pull gets it.
    again = pulled(toy, tmp_path)
    assert (again.stored, again.repeated, again.missing) == (1, 3, [])


@pytest.mark.parametrize("fault", [bad.refused(500), bad.endless, bad.trickling, bad.cut, bad.bomb])
def test_a_listing_that_cannot_be_had_costs_its_study(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(web, "_MOST_JSON_BYTES", 1_000_000)
    toy = Toy(total=4, faults=[(f"/studies/{uid(1)}/instances", fault)] * (2 if fault is bad.cut else 1))
    result = pulled(toy, tmp_path, patience=2.0)
    assert result.stored == 3
    assert [(one.study, one.instance) for one in result.missing] == [(uid(1), "")]


def test_a_search_that_breaks_off_is_told_and_what_was_found_is_fetched(tmp_path):
    with serving(Toy(total=9, cap=4)) as toy:
        archive = WebArchive(toy.url)
        ask = archive._connection.get

        def get(path, query, **options):
            if (path, query.get("offset")) == ("series", "3"):
                raise SourceError("the archive cannot be searched (HTTP 500)", code="E_SOURCE_READ")
            return ask(path, query, **options)

        archive._connection.get = get
        result = archive.pull(Spool(tmp_path), {})
        archive.close()
    assert result.stored == 4
    assert "broke off" in result.missing[0].message


def test_an_archive_that_cannot_be_searched_is_an_error(tmp_path):
    for fault in (bad.refused(401), lambda handler: bad.reply(handler, b"<html>"), bad.hung_up):
        with pytest.raises(SourceError):
            pulled(Toy(faults=[("/series", fault)] * 3), tmp_path)
    with pytest.raises(SourceError, match="nobody answers"):
        WebArchive("http://127.0.0.1:9").pull(Spool(tmp_path), {})
    for url in ("ftp://x", "pacs", "http://", "http://user:secret@127.0.0.1", "http://[::1"):
        with pytest.raises(SourceError) as caught:
            WebArchive(url)
        assert "secret" not in str(caught.value)


def test_an_archive_that_dies_is_not_asked_for_ever(tmp_path):
    faults = [(f"/instances/{uid(n)}.9", bad.silent) for n in range(1, 9)]
    result = pulled(Toy(total=9, faults=faults), tmp_path, patience=1.0)
    assert result.stored == 1
    assert len(result.missing) == 8
    assert sum("stopped answering" in one.message for one in result.missing) == 3


def test_a_study_that_is_not_answered_for_does_not_hold_up_the_others(tmp_path):
    faults = [(f"/instances/{uid(1)}.{n}", bad.silent) for n in range(9, 15)]
    toy = Toy(total=3, listed={1: 6}, faults=faults)
    result = pulled(toy, tmp_path, patience=1.0)
    assert result.stored == 2
    assert [one.instance for one in result.missing] == [f"{uid(1)}.{n}" for n in range(9, 15)]
    assert sum("does not answer for others" in one.message for one in result.missing) == 4


def test_a_kept_connection_that_was_closed_is_opened_again(tmp_path):
    toy = Toy(total=3, faults=[(f"/instances/{uid(1)}.9", bad.hung_up)])
    assert pulled(toy, tmp_path).stored == 3


def test_a_service_that_has_moved(tmp_path):
    def moved(where):
        return lambda handler: bad.reply(handler, b"", status=307, Location=where)

    toy = Toy(total=2, faults=[(f"/instances/{uid(1)}.9", moved(f"/studies/{uid(1)}/series/x/instances/y"))])
    assert pulled(toy, tmp_path).stored == 2
    other = Toy(total=2, faults=[(f"/instances/{uid(1)}.9", moved("http://127.0.0.2/steal"))])
    assert "another address" in pulled(other, tmp_path / "b").missing[0].message


def test_what_was_corrected_in_the_archive_comes_when_it_is_asked_for_again(tmp_path):
    toy = Toy(total=2)
    pulled(toy, tmp_path)
    toy.films[1] = film(study=uid(1), instance=f"{uid(1)}.9", PatientName="Roe^Jane")
    assert pulled(toy, tmp_path).repeated == 2
    result = pulled(toy, tmp_path, again=True)
    assert (result.stored, result.repeated, result.corrected) == (0, 1, 1)
    assert films(tmp_path)[f"{uid(1)}/{uid(1)}.9-2.dcm"] == toy.films[1]
    assert f"{uid(1)}/{uid(1)}.9.dcm" not in films(tmp_path)


def test_logging_in(tmp_path, monkeypatch):
    seen = []
    toy = Toy(total=1, faults=[("/series", lambda handler: (seen.append(dict(handler.headers)), bad.busy()(handler)))])
    monkeypatch.setenv("NGR_DICOMWEB_USER", "reader")
    monkeypatch.setenv("NGR_DICOMWEB_PASSWORD", "secret")
    pulled(toy, tmp_path)
    assert seen[0]["Authorization"] == "Basic cmVhZGVyOnNlY3JldA=="
    monkeypatch.setenv("NGR_DICOMWEB_TOKEN", "abc")
    assert connection.login_header() == {"Authorization": "Bearer abc"}


def ngr(*arguments):
    from neuralgraph.cli.pull import pull

    app = typer.Typer()
    app.command()(pull)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_command_says_what_is_missing(tmp_path):
    toy = Toy(total=25, cap=10, faults=[(f"/instances/{uid(3)}.9", bad.refused(500))])
    with serving(toy):
        result = ngr(toy.url, tmp_path / "spool")
    assert result.exit_code == 1
    assert re.match(r"24 fetched, 0 there already, 1 failed\n  INCOMPLETE: E_SOURCE_READ 1\n", result.stdout)
    listed = tmp_path / "spool" / MISSING_NAME
    assert listed.stat().st_mode & 0o77 == 0
    (line,) = map(json.loads, listed.read_text().splitlines())
    assert (line["instance"], line["code"]) == (f"{uid(3)}.9", "E_SOURCE_READ")
    with serving(toy):
        result = ngr(toy.url, tmp_path / "spool", "--json")
    assert result.exit_code == 0
    told = printed("pull", result.stdout)
    assert (told["complete"], told["stored"], told["repeated"], told["missing"]) == (True, 1, 24, [])
    assert not listed.exists()


def test_a_pull_that_was_killed_is_continued(tmp_path):
    spool = tmp_path / "spool"
    killed = threading.Event()
    later = [(f"/instances/{uid(number)}.9", lambda _: killed.wait(300)) for number in range(15, 41)]
    with serving(Toy(total=40, faults=later)) as toy:
        command = [sys.executable, "-m", "neuralgraph", "pull", toy.url, spool, "--json"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(list(spool.rglob("*.dcm"))) < 5:
            time.sleep(0.01)
        process.kill()
        process.wait()
        toy.faults.clear()
        killed.set()
        before = films(spool)
        assert 5 <= len(before) < 40
        toy.asked.clear()
        told = printed("pull", subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert (told["stored"], told["repeated"], told["complete"]) == (40 - len(before), len(before), True)
    assert sum("/instances/" in path for path, _ in toy.asked) == 40 - len(before)
    assert {name: films(spool)[name] for name in before} == before


def test_an_error_names_the_address_that_was_typed(tmp_path):
    with pytest.raises(SourceError) as caught:
        ngr("http://127.0.0.1:9/dicom-web", tmp_path / "spool")
    assert "http://127.0.0.1:9/dicom-web" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda handler: bad.reply(handler, b"{}"), None),
        (lambda handler: bad.reply(handler, b""), None),
        (lambda handler: bad.reply(handler, b'{"00081198": {"vr": "SQ"}}'), None),
        (lambda handler: bad.reply(handler, b"<xml/>"), None),
        (lambda handler: bad.reply(handler, b'{"00081198": {"vr": "SQ", "Value": [{}]}}', status=202), "E_WRITE"),
        (lambda handler: bad.reply(handler, b"PatientName Doe", status=409), "E_WRITE"),
        (bad.endless, "E_WRITE"),
    ],
)
def test_objects_are_stored_over_the_web(answer, code):
    from pydicom import dcmread

    from neuralgraph.errors import OutputError
    from neuralgraph.pacs.multipart import single_part
    from neuralgraph.pacs.send import sender

    toy = Toy(faults=[("/studies", bad.busy()), ("/studies", answer)])
    sent = dcmread(BytesIO(film()))
    with serving(toy), sender(toy.url) as send:
        if code is None:
            send(sent)
        else:
            with pytest.raises(OutputError) as caught:
                send(sent)
            assert caught.value.code == code
            assert "Doe" not in str(caught.value)
    kind, body = toy.posted[-1]
    assert dcmread(BytesIO(single_part(body, kind))) == sent


def test_addresses_that_nothing_can_be_sent_to():
    from neuralgraph.errors import OutputError
    from neuralgraph.pacs.send import sender

    with pytest.raises(OutputError), sender("http://") as _:
        pass
