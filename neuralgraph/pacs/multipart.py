"""The one object in an answer of WADO-RS: a multipart body, or the object alone (PS3.18 section 8.7)."""

from __future__ import annotations

from email.message import Message

from neuralgraph.errors import SourceError

__all__ = ["single_part"]


def single_part(body: bytes, content_type: str) -> bytes:
    """The bytes of the only part, exactly as they were sent.

    Parameters
    ----------
    body : of the answer.
    content_type : its header.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : no part, several, or one without its end.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_maintype() != "multipart":
        return body
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise _damaged("it names no boundary")
    mark = b"--" + boundary.encode("latin-1", errors="replace")
    # What stands before the first mark is said to nobody (RFC 2046, 5.1.1).
    start = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    head = body.find(b"\r\n\r\n", start + len(mark))
    if not body.startswith(mark, start) or head < 0:
        raise _damaged("it has no part")
    end = body.find(b"\r\n" + mark, head + 2)
    if end < 0:
        raise _damaged("its part has no end")
    if not body.startswith(b"--", end + 2 + len(mark)):
        raise _damaged("it has several parts, one was asked for")
    return body[head + 4 : end]


def _damaged(why: str) -> SourceError:
    return SourceError(f"the archive's answer is not understood: {why}", code="E_SOURCE_DAMAGED")
