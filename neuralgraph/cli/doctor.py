"""``ngr doctor``: what works here, and what to install for what does not."""

from __future__ import annotations

import platform
from importlib import metadata, util
from typing import Annotated, NamedTuple

import typer

from neuralgraph import __version__
from neuralgraph.cli.output import write_json, write_line
from neuralgraph.codecs.registry import BYTE_CODECS, FORMS

__all__ = ["EXTRAS", "ExtraState", "doctor"]

EXTRAS: dict[str, tuple[str, dict[str, str]]] = {
    "vlm": (
        "compress films with the model",
        {
            "torch": "torch",
            "transformers": "transformers",
            "tokenizers": "tokenizers",
            "timm": "timm",
            "safetensors": "safetensors",
            "rustworkx": "rustworkx",
            "PIL": "pillow",
        },
    ),
    "text": ("read reports", {"spacy": "spacy", "negspacy": "negspacy"}),
    "dicom": (
        "read DICOM in every supported encoding",
        {
            "pydicom": "pydicom",
            "gdcm": "python-gdcm",
            "openjpeg": "pylibjpeg-openjpeg",
            "jpeg_ls": "pyjpegls",
            "PIL": "pillow",
            "hl7": "hl7",
        },
    ),
    "pacs": (
        "exchange with picture archives",
        {
            "pydicom": "pydicom",
            "pynetdicom": "pynetdicom",
            "dicomweb_client": "dicomweb-client",
            "highdicom": "highdicom",
        },
    ),
    "bulk": ("convert on a Ray cluster and read Parquet", {"ray": "ray", "pyarrow": "pyarrow"}),
    "pyg": ("load graphs into PyTorch Geometric", {"torch": "torch", "torch_geometric": "torch-geometric"}),
    "plot": ("draw pictures", {"matplotlib": "matplotlib", "PIL": "pillow"}),
    "bench": ("compare sizes with HTJ2K and JPEG XL", {"imagecodecs": "imagecodecs"}),
    "networkx": ("exchange with networkx", {"networkx": "networkx"}),
}
"""Extra -> what it is for, and the imports it needs with the distributions that bring them."""


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which extras and codecs are usable here, and what to install for the others.

    Example: ngr doctor
    """
    codecs = [codec.name for codec in BYTE_CODECS.values()] + list(FORMS)
    extras = [_check(extra) for extra in EXTRAS]
    if json:
        python = platform.python_version()
        write_json(
            {"neuralgraph": __version__, "python": python, "codecs": codecs, "extras": [e._asdict() for e in extras]}
        )
        return
    write_line(f"neuralgraph {__version__}, Python {platform.python_version()}")
    write_line(f"codecs: {', '.join(codecs)}")
    for extra in extras:
        if extra.missing:
            advice = f"{', '.join(extra.missing)} missing; pip install 'neuralgraph[{extra.name}]'"
            write_line(f"{extra.name:9} cannot {extra.purpose}: {advice}")
        else:
            found = ", ".join(f"{name} {version}" for name, version in extra.versions.items())
            write_line(f"{extra.name:9} ready to {extra.purpose} ({found})")


class ExtraState(NamedTuple):
    """What an extra can do here."""

    name: str
    purpose: str
    missing: list[str]
    versions: dict[str, str]


def _check(extra: str) -> ExtraState:
    purpose, modules = EXTRAS[extra]
    missing = [distribution for module, distribution in modules.items() if util.find_spec(module) is None]
    return ExtraState(extra, purpose, missing, {d: metadata.version(d) for d in modules.values() if d not in missing})
