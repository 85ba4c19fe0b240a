"""The server behind ``ngr view``: ranges, and nobody else's requests."""

from __future__ import annotations

import http.client
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph.adapters.viewer import Serving, page_with, viewer_page
from neuralgraph.adapters.viewer.serving import byte_range

DATA = bytes(range(256)) * 8


@pytest.fixture
def serving(tmp_path):
    path = tmp_path / "a ü&b?.ngr"
    path.write_bytes(DATA)
    with Serving(path) as started:
        yield started


def ask(serving, *, path=None, method="GET", **headers):
    parts = urlsplit(serving.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, path or parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def file_path(serving):
    parts = urlsplit(serving.url)
    (name,) = parse_qs(parts.query)["file"]
    return parts.path + name


def test_page_and_file(serving):
    status, headers, body = ask(serving)
    assert (status, body.decode()) == (200, viewer_page(connect="'self'"))
    assert "connect-src 'self';" in body.decode()
    assert headers["Cache-Control"] == "no-store"
    status, headers, body = ask(serving, path=file_path(serving))
    assert (status, body) == (200, DATA)
    assert headers["Accept-Ranges"] == "bytes"
    status, headers, body = ask(serving, path=file_path(serving), method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(DATA)), b"")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=0-0", DATA[:1]), ("bytes=-96", DATA[-96:]), ("bytes=2000-", DATA[2000:]), ("bytes=5-99999", DATA[5:])],
)
def test_ranges(serving, asked, expected):
    status, headers, body = ask(serving, path=file_path(serving), Range=asked)
    start = DATA.rindex(expected) if asked == "bytes=-96" else int(asked[6:].split("-")[0])
    assert (status, body) == (206, expected)
    assert headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(DATA)}"


def test_ranges_outside_the_file(serving):
    status, headers, body = ask(serving, path=file_path(serving), Range=f"bytes={len(DATA)}-")
    assert (status, headers["Content-Range"], body) == (416, f"bytes */{len(DATA)}", b"")


def test_nobody_else_is_answered(serving):
    token = urlsplit(serving.url).path
    assert len(token) > 30
    for path in ("/", "/x/", token[:-2] + "/", token + "../", token + "other.ngr", "/favicon.ico", token + "%2e%2e/a"):
        assert ask(serving, path=path)[0] == 404, path
    for host in ("evil.example", "localhost", "127.0.0.1"):
        assert ask(serving, Host=host)[0] == 404, host
    status, _, _ = ask(serving, method="POST")
    assert status == 501


def test_only_this_machine_is_listened_to(serving):
    assert serving._server.server_address[0] == "127.0.0.1"


@given(first=st.integers(0, 300), last=st.integers(0, 300), size=st.integers(0, 200))
def test_byte_ranges_are_those_of_slices(first, last, size):
    data = bytes(index % 251 for index in range(size))
    expected = data[first : last + 1]
    if last < first:
        assert byte_range(f"bytes={first}-{last}", size) is None
    elif not expected:
        with pytest.raises(ValueError, match="no bytes"):
            byte_range(f"bytes={first}-{last}", size)
    else:
        start, end = byte_range(f"bytes={first}-{last}", size)
        assert data[start:end] == expected


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=1-2,4-5", "items=0-1", "bytes=a-b"])
def test_what_is_not_one_range_of_bytes_is_answered_with_everything(header):
    assert byte_range(header, 10) is None


def test_files_that_cannot_be_read(tmp_path):
    for make in (Serving, page_with):
        with pytest.raises(ng.FormatError) as caught:
            make(tmp_path / "none.ngr")
        assert caught.value.code == "E_OPEN"


def test_a_name_is_no_markup(tmp_path):
    path = tmp_path / '"><script>alert(1)<.ngr'
    path.write_bytes(DATA)
    assert "<script>alert" not in page_with(path)
