"""The tables of the format for programs in any language: spec/*.json, made of the tables of the code."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from neuralgraph.codecs.registry import BYTE_CODECS, FORMS
from neuralgraph.codecs.zstd import MAX_WINDOW_BYTES
from neuralgraph.container import record
from neuralgraph.container.contents import CRITICAL
from neuralgraph.container.index import COUNT_COLUMNS, LEAF_BYTES
from neuralgraph.container.layout import END_MAGIC, MAGIC, MAJOR, PROLOGUE, SYNC, TRAILER
from neuralgraph.errors import CODES
from neuralgraph.graph.provenance import METHOD_KEYS, METHOD_MEMBERS, SOURCE_KEYS
from neuralgraph.graph.rules import MAX_ID_BYTES
from neuralgraph.wire import canonical, names
from neuralgraph.wire.checksums import PAGE_BYTES
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts
from neuralgraph.wire.fields import Structure
from neuralgraph.wire.limits import HARD_LIMITS, MAX_INTEGER, Limits
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS, REPORT_KINDS, REPORT_SECTIONS, VIEW_POSITIONS

__all__ = ["FOLDER", "tables"]

FOLDER = Path(__file__).parents[1]
BOOK = Path(__file__).parents[2] / "codecs"

_TYPES = {"8s": "bytes[8]", "32s": "bytes[32]", "52s": "u32[13]", "Q": "u64", "I": "u32", "H": "u16", "B": "u8"}
_NUMPY_TYPES = {"<u1": "u8", "<u2": "u16", "<u4": "u32", "<f4": "f32"}
_JSON_TYPES: dict[type, str] = {dict: "object", list: "array", str: "string"}


def tables() -> dict[str, str]:
    """File name -> content, for every table."""
    content = {
        "error-codes.json": _error_codes(),
        "limits.json": _limits(),
        "columns.json": _columns(),
        "contents.schema.json": _contents_schema(),
        "vocabulary.json": _vocabulary(),
    }
    return {name: json.dumps(value, indent=2, ensure_ascii=False) + "\n" for name, value in content.items()}


def _error_codes() -> dict[str, Any]:
    """Those a reader can meet; those of sources, models and outputs are of this package alone."""
    codes = list(CODES.items())[: list(CODES).index("E_OPEN") + 1]
    return {"section": "13", "codes": [{"code": code, "meaning": meaning} for code, meaning in codes]}


def _limits() -> dict[str, Any]:
    rows = [
        {"quantity": field.name, "every_reader_accepts": field.default, "no_file_exceeds": HARD_LIMITS[field.name]}
        for field in fields(Limits)
    ]
    fixed = {
        "integer": MAX_INTEGER,
        "study_id_bytes": MAX_ID_BYTES,
        "name_bytes": names.MAX_NAME_BYTES,
        "zstd_window_bytes": MAX_WINDOW_BYTES,
        "map_depth": canonical.MAX_DEPTH,
        "map_values": canonical.MAX_ITEMS,
        "map_string_bytes": canonical.MAX_STRING,
    }
    return {"section": "9", "limits": rows, "fixed": fixed}


def _structure(structure: Structure) -> list[dict[str, Any]]:
    rows = []
    for field in structure.fields:
        row: dict[str, Any] = {
            "offset": structure.offset(field.name),
            "type": _TYPES[field.format],
            "name": field.name,
        }
        if field.equals is not None:
            row["value"] = field.equals.hex() if isinstance(field.equals, bytes) else field.equals
        rows.append(row)
    return rows


def _columns() -> dict[str, Any]:
    return {
        "sections": ["3", "5", "6.4", "7"],
        "magic": MAGIC.hex(),
        "end_magic": END_MAGIC.hex(),
        "sync": SYNC.hex(),
        "major": MAJOR,
        "page_bytes": PAGE_BYTES,
        "structures": {
            "prologue": _structure(PROLOGUE),
            "trailer": _structure(TRAILER),
            "record_header": _structure(record.HEADER),
            "stream_table_row": _structure(record.ENTRY),
            "record_header_end": _structure(record.TAIL),
        },
        "counts": [field.name for field in fields(Counts)],
        "graph_columns": [
            {
                "name": column.name,
                "type": _column_type(column.dtype),
                "rows": _rows(column.rows),
                "width": column.width,
            }
            for column in GRAPH_COLUMNS
        ],
        "index_columns": [
            {"name": "offset", "type": "u64"},
            {"name": "length", "type": "u32"},
            *({"name": name, "type": "u32"} for name in COUNT_COLUMNS),
            {"name": "leaf", "type": f"bytes[{LEAF_BYTES}]"},
        ],
        "streams": {
            "graph": record.GRAPH_STREAM,
            "report": record.REPORT_STREAM,
            "pixels": record.PIXELS_STREAM,
            "word_attention": record.WORD_ATTENTION_STREAM,
            "optional_columns": [record.OPTIONAL_STREAMS[0], record.OPTIONAL_STREAMS[-1]],
            "embedding": record.EMBEDDING_STREAMS,
            "concept_vectors": record.CONCEPT_VECTOR_STREAMS,
            "extensions": [record.EXTENSION_STREAMS[0], record.EXTENSION_STREAMS[-1]],
        },
        "forms": [{"name": name, "offset": entry.offset, "planes": _planes(name)} for name, entry in FORMS.items()],
        "byte_codecs": [{"id": number, "name": codec.name} for number, codec in BYTE_CODECS.items()],
    }


def _column_type(dtype: str) -> str:
    return f"index({dtype.removeprefix('index:')})" if dtype.startswith("index:") else _NUMPY_TYPES[dtype]


def _rows(rows: str) -> str:
    return {
        "n_vector_references": "n_concepts if n_concept_vectors else 0",
        "n_strings": "2 + n_concepts + n_labels",
    }.get(rows, rows)


def _planes(name: str) -> list[str]:
    """The size of each plane as a formula, from the book; a test compares the book with the code."""
    entry = json.loads((BOOK / name / "codec.json").read_text(encoding="utf-8"))
    return [re.sub(r"([*/%+])", r" \1 ", formula) for formula in entry["planes"]]


def _map(members: dict[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": members, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _contents_schema() -> dict[str, Any]:
    whole = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
    row = {
        "type": "array",
        "prefixItems": [
            {"type": "string", "description": "name: section 6.2, or 12.2"},
            {"type": "integer", "enum": [0, CRITICAL, 2, 3], "description": "flags: 1 critical, 2 copy-safe"},
            {**whole, "description": "offset"},
            {**whole, "minimum": 1, "description": "length"},
            {**whole, "maximum": 2**32 - 1, "description": "crc32 of the page table"},
        ],
        "items": False,
        "minItems": 5,
    }
    method = _map({key: _map(dict.fromkeys(METHOD_MEMBERS[key], True)) for key in METHOD_KEYS})
    source = _map({key: {"type": _JSON_TYPES[kind]} for key, kind in SOURCE_KEYS.items()})
    source["properties"]["report"]["enum"] = list(REPORT_KINDS)
    for rows in ("films", "loss"):
        source["properties"][rows]["items"] = {"type": "object"}
    source["patternProperties"] = {f"^{names.EXTENSION_PATTERN}$": True}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contents and provenance of an .ngr file, as decoded from their canonical maps (sections 6.2 and 6.3)",
        "description": "A byte string of a map has no JSON form; everything else is what it looks like.",
        **_map(
            {
                "layout": _map({"sections": {"type": "array", "items": row}}, required=("sections",)),
                "meta": _map(
                    {
                        "methods": {"type": "array", "items": {"$ref": "#/$defs/method"}, "minItems": 1},
                        "ext": {"type": "object"},
                    },
                    required=("methods",),
                ),
            },
            required=("layout", "meta"),
        ),
        "$defs": {"method": method, "source": source},
    }


def _vocabulary() -> dict[str, Any]:
    return {
        "section": "8.1",
        "view_position": list(VIEW_POSITIONS),
        "concept_label": list(CONCEPT_LABELS),
        "report_section": list(REPORT_SECTIONS),
        "relation": list(RELATIONS),
        "report": list(REPORT_KINDS),
    }
