"""A data set card in Hugging Face's form, and Croissant metadata, from what a collection says of itself.

Nothing is claimed that is not counted: what only its owner knows (licence, how consent was given, who may use it) is
an option, or a line that says it is to be filled in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuralgraph.rows.columns import TABLES

__all__ = ["CardOptions", "croissant", "dataset_card"]

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10**7, "1M<n<10M"))
_KINDS = {"string": "sc:Text", "int32": "sc:Integer", "int64": "sc:Integer", "float": "sc:Float", "bool": "sc:Boolean"}
_OPEN = "_to be filled in by whoever publishes this_"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


@dataclass(frozen=True)
class CardOptions:
    """What only the owner knows."""

    name: str
    license: str = ""
    """An identifier of Hugging Face or SPDX; "" says that it is to be filled in."""
    url: str = ""
    """Where the data set will be found."""
    date: str = ""
    """When it is published, "2026-11-29"."""


def dataset_card(overview: dict[str, Any], options: CardOptions) -> str:
    """README.md with the metadata that Hugging Face reads.

    Parameters
    ----------
    overview : as ``neuralgraph.catalogue.overview`` gives it.
    options : what only the owner knows.
    """
    studies = overview["studies"]
    size = next((name for most, name in _SIZES if studies < most), "n>10M")
    head = ["---", f"license: {json.dumps(options.license or 'other')}", f"pretty_name: {json.dumps(options.name)}"]
    head += ["task_categories:", "- graph-ml", "- image-classification", "tags:"]
    head += [f"- {tag}" for tag in ("medical", "chest-x-ray", "graph", "neuralgraph")]
    head += ["size_categories:", f"- {size}", "configs:"]
    for table in TABLES:
        file = "catalog.parquet" if table == "studies" else f"catalog.{table}.parquet"
        head += [f"- config_name: {table}", f"  data_files: {file}"]
        head += ["  default: true"] if table == "studies" else []
    head.append("---")
    return "\n".join([*head, "", *_body(overview, options), ""])


def _body(overview: dict[str, Any], options: CardOptions) -> list[str]:
    studies = overview["studies"]
    lines = [
        f"# {options.name}",
        "",
        f"{studies:,} medical studies as graphs (`.ngr`): kept patches of the films with their embeddings, the "
        "attention that chose them, and the graph of the report. Read them with `neuralgraph.open`; `catalog.parquet` "
        "and the two tables beside it say what is in them.",
        "",
        "## What it is for",
        "",
        "Research on models that learn from these graphs. It is no medical device and not made for diagnosis. A film "
        "can identify its patient, and so may what is derived from it: studies are pseudonymised, not anonymous.",
        "",
        "## Sizes",
        "",
        "| | |",
        "|---|---|",
        f"| studies | {studies:,} |",
        f"| bytes of records | {overview['record_bytes']:,} ({overview['bytes_per_study']:,} a study) |",
    ]
    names = {
        "film_pixels_8_bit": "the films' pixels at one byte each, uncompressed",
        "embeddings_of_all_cells_float32": "float32 embeddings of all cells of the grids",
    }
    lines += [
        f"| share of {names[key]} | {overview['record_bytes'] / whole:.2%} of {whole:,} |"
        for key, whole in overview["denominators"].items()
        if whole
    ]
    if overview["retention"] is not None:
        lines.append(f"| cells kept | {overview['retention']:.2%} |")
    loss = overview["embedding_loss"]
    said = f"{loss['studies']:,} studies, RMSE at most {loss['largest_rmse']:.4g}" if loss["studies"] else "none"
    lines += [f"| embeddings stored with loss | {said} |", "", "## Where the texts come from", ""]
    lines += [f"- {kind}: {count:,} ({count / studies:.1%})" for kind, count in overview["reports"].items()]
    lines += ["", "A report that is `generated` was written by the model and is no finding.", "", "## Models", ""]
    lines += [
        f"- {model['name']} {model['digest']}: {model['studies']:,} studies".replace("  ", " ")
        for model in overview["models"]
    ]
    lines += _tables(overview)
    lines += [
        "",
        "## Licence and terms",
        "",
        options.license or _OPEN,
        "",
        "## Patients, consent, removal",
        "",
        f"{_OPEN}: where the films come from, on what ground they may be used, and whom to ask for a removal. A copy "
        "that was taken does not lose a study that is removed here later.",
    ]
    return lines


def _tables(overview: dict[str, Any]) -> list[str]:
    """Labels and findings, each with how often it is what."""
    lines = ["", "## Labels", "", "| label | positive | negative | uncertain | other |", "|---|---|---|---|---|"]
    for name, counts in overview["labels"].items():
        row = " | ".join(f"{counts.get(each, 0):,}" for each in ("positive", "negative", "uncertain", "other"))
        lines.append(f"| {_cell(name)} | {row} |")
    lines += ["", "## Findings of given reports", "", "| finding | present | absent | uncertain |", "|---|---|---|---|"]
    for finding in overview["findings"]:
        row = " | ".join(f"{finding.get(each, 0):,}" for each in ("present", "absent", "uncertain"))
        lines.append(f"| {_cell(finding['name'])} | {row} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def croissant(
    files: dict[str, Path], schemas: dict[str, list[tuple[str, str]]], options: CardOptions
) -> dict[str, Any]:
    """Croissant 1.0 metadata of the tables, JSON-LD.

    Parameters
    ----------
    files : by table, its Parquet file, as it will be published beside this.
    schemas : by table, (name, Arrow type) of its columns.
    options : what only the owner knows.
    """
    distribution, records = [], []
    for table, path in files.items():
        distribution.append(
            {
                "@type": "cr:FileObject",
                "@id": table,
                "name": path.name,
                "contentUrl": path.name,
                "contentSize": f"{path.stat().st_size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
        fields = [
            {
                "@type": "cr:Field",
                "@id": f"{table}-rows/{name}",
                "name": name,
                "dataType": _KINDS.get(kind, "sc:Text"),
                "source": {"fileObject": {"@id": table}, "extract": {"column": name}},
            }
            for name, kind in schemas[table]
        ]
        records.append({"@type": "cr:RecordSet", "@id": f"{table}-rows", "name": f"{table}-rows", "field": fields})
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": options.name,
        "description": "Medical studies as graphs (.ngr): tables of the studies, of their concepts and of the triples.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        **({"license": options.license} if options.license else {}),
        **({"url": options.url} if options.url else {}),
        **({"datePublished": options.date} if options.date else {}),
        "version": "1.0.0",
        "distribution": distribution,
        "recordSet": records,
    }
