"""What is served of a collection: archives by ranges, the catalogue, and single studies in several forms."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from neuralgraph.adapters.json import to_json
from neuralgraph.container.reader import Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import NeuralGraphError, StudyError, StudyNotFoundError
from neuralgraph.rows.columns import TABLES, arrow
from neuralgraph.serving.description import Endpoint
from neuralgraph.serving.state import ServedState
from neuralgraph.storage.manifest import Manifest, write_manifest
from neuralgraph.storage.save import copy_record

__all__ = ["Studies"]

if TYPE_CHECKING:
    from numpy.typing import NDArray

Films = Callable[[str, int], "NDArray[Any] | None"]

_MOST_LISTED = 1000
_LISTED = ("study_id", "report", "views", "patches", "concepts", "retention", "model")


class Studies:
    """The endpoints of a collection.

    Parameters
    ----------
    state : what is open.
    films : gives the pixels of a film by study id and view ([height, width] float in 0..1), or None; None has no films.
    """

    def __init__(self, state: ServedState, films: Films | None = None) -> None:
        self._state, self._films = state, films
        question = ("question", "string", "findings with commas between: right effusion present, no tube")
        generated = ("generated", "boolean", "count what a model wrote as findings too")
        self.endpoints = [
            Endpoint("/collection.json", self.manifest, "the manifest; neuralgraph.open takes the address before it"),
            Endpoint(
                "/archives/{name}",
                self.archive,
                "an archive, whole or a range of its bytes",
                ("application/octet-stream",),
            ),
            Endpoint(
                "/studies",
                self.studies,
                "studies that answer a question, or all, in the order of the catalogue",
                query=(
                    question,
                    generated,
                    ("offset", "integer", "studies to pass over"),
                    ("limit", "integer", f"studies to list, at most {_MOST_LISTED}"),
                ),
            ),
            Endpoint("/find", self.find, "ids of the studies that answer a question", query=(question, generated)),
            Endpoint("/catalogue/{table}", self.table, "a table: studies, concepts or triples", _TABLE_MEDIA, _FORM),
            Endpoint("/studies/{study_id:path}.ngr", self.file, "a study as a file", ("application/octet-stream",)),
            Endpoint("/studies/{study_id:path}.json", self.json, "a study as JSON"),
            Endpoint("/studies/{study_id:path}.png", self.picture, "a study as a picture", ("image/png",)),
            Endpoint(
                "/films",
                self.film,
                "the film of a study, where the server has it: height and width as u32, samples as u16, little-endian",
                ("application/octet-stream",),
                (("study", "string", "id of a study of the collection"), ("view", "integer", "which film, from 0")),
            ),
        ]

    def manifest(self, _: Request) -> Response:
        """The newest manifest, under the name that a reader of URLs asks for."""
        return Response(write_manifest(self._state.manifest()), media_type="application/json")

    def archive(self, request: Request) -> Response:
        """An archive that counts now; one that no longer does may hold a study that was removed."""
        path = self._state.archive_path(request.path_params["name"])
        if path is None:
            return JSONResponse({"code": "E_NOT_FOUND", "message": "no such archive counts now"}, 404)
        return FileResponse(path, media_type="application/octet-stream", headers={"Cache-Control": "no-cache"})

    def find(self, request: Request) -> Response:
        """Ids that answer."""
        ids = self._state.now().answer(_text(request, "question"), generated=_flag(request, "generated"))
        return JSONResponse({"count": len(ids), "ids": ids})

    def studies(self, request: Request) -> Response:
        """A part of the studies, with what the table says of them."""
        offset, limit = _number(request, "offset", 0), min(_number(request, "limit", 100), _MOST_LISTED)
        question = _text(request, "question").strip()
        state = self._state.now()
        if question:
            ids = state.answer(question, generated=_flag(request, "generated"))
            count, wanted = len(ids), ids[offset : offset + limit]
            generated = _flag(request, "generated")
            with state.catalogue() as catalogue:
                rows = catalogue.rows_of(wanted, _LISTED)
                reasons = catalogue.reasons(wanted, question, generated=generated)
            rows = [{**row, "why": reasons[row["study_id"]]} for row in rows]
        else:
            count, rows = state.manifest.studies, []
            with state.catalogue() as catalogue:
                for name, first, last in _slices(state.manifest, offset, offset + limit):
                    rows += catalogue.rows_at(name, first, last, _LISTED)
        return JSONResponse({"count": count, "offset": offset, "studies": rows})

    def table(self, request: Request) -> Response:
        """A whole table as an Arrow stream or as JSON."""
        name, form = request.path_params["table"], request.query_params.get("format", "arrow")
        if name not in TABLES or form not in ("arrow", "json"):
            raise StudyError(f"use one of {', '.join(TABLES)}, and arrow or json", code="E_QUERY", where="table")
        with self._state.now().catalogue() as catalogue:
            table = catalogue.table(name)
        if form == "json":
            return JSONResponse(table.to_pylist())
        stream = io.BytesIO()
        with arrow().ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
        return Response(stream.getvalue(), media_type=_TABLE_MEDIA[0])

    def file(self, request: Request) -> Response:
        """One study as a file of its own, its record byte for byte."""
        stream = io.BytesIO()
        with self._state.now().archive() as archive:
            number, position = archive.locate(request.path_params["study_id"])
            container: Container = archive.files[number][2]
            writer = ContainerWriter(stream)
            copy_record(writer, container, position)
            writer.finish()
        return _ranged(request, stream.getvalue())

    def json(self, request: Request) -> Response:
        """One study as JSON."""
        return Response(to_json(self._study(request)), media_type="application/json")

    def picture(self, request: Request) -> Response:
        """One study as a picture; matplotlib is not for several threads, so one is drawn at a time."""
        from neuralgraph.adapters.picture import save_picture

        study = self._study(request)
        with self._state.now().archive(), tempfile.TemporaryDirectory(prefix="ngr-picture-") as folder:
            path = Path(folder, "study.png")
            save_picture(study, path)
            return Response(path.read_bytes(), media_type="image/png")

    def film(self, request: Request) -> Response:
        """The film of a study that counts now; 204 where there is none."""
        from neuralgraph.adapters.viewer.serving import film_bytes

        study_id, view = _text(request, "study"), _number(request, "view", 0)
        with self._state.now().archive() as archive:
            known = study_id in archive.ids
        try:
            pixels = self._films(study_id, view) if known and self._films is not None else None
        except NeuralGraphError as error:
            # Without the place, which names a file and with it perhaps a patient.
            return Response(error.message, 422, media_type="text/plain")
        return Response(status_code=204) if pixels is None else Response(film_bytes(pixels))

    def _study(self, request: Request) -> Any:
        with self._state.now().archive() as archive:
            study_id = request.path_params["study_id"]
            if study_id not in archive.ids:
                raise StudyNotFoundError("no such study", where="study_id")
            return archive[study_id]


_TABLE_MEDIA = ("application/vnd.apache.arrow.stream", "application/json")
_FORM = (("format", "string", "arrow (default) or json"),)


def _slices(manifest: Manifest, start: int, stop: int) -> Iterator[tuple[str, int, int]]:
    """Archives, and first and end of the positions in each, of the studies from ``start`` to ``stop``."""
    before = 0
    for member in manifest.archives:
        first, last = max(start - before, 0), min(stop - before, member.studies)
        if first < last:
            yield member.name, first, last
        before += member.studies


def _ranged(request: Request, data: bytes) -> Response:
    """Bytes, or the range of them that is asked for: the viewer reads by ranges."""
    from neuralgraph.adapters.viewer.serving import byte_range

    headers = {"Accept-Ranges": "bytes"}
    media = "application/octet-stream"
    try:
        found = byte_range(request.headers.get("range"), len(data))
    except ValueError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    if found is None:
        return Response(data, media_type=media, headers=headers)
    start, end = found
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, media_type=media, headers=headers)


def _text(request: Request, name: str) -> str:
    return str(request.query_params.get(name, ""))


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("1", "true", "yes")


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise StudyError(f"{name} is a whole number", code="E_QUERY", where=name)
    return int(text) if text else default
