"""``ngr doctor``: what works here, and what to install for what does not."""

from __future__ import annotations

import platform
from importlib import metadata, util
from typing import Annotated, NamedTuple

import typer

from neuralgraph import __version__
from neuralgraph.cli.model_state import model_state, model_words
from neuralgraph.cli.output import write_json, write_line
from neuralgraph.codecs.registry import BYTE_CODECS, FORMS
from neuralgraph.errors import DISTRIBUTION, installing

__all__ = ["EXTRAS", "ExtraState", "doctor"]

EXTRAS: dict[str, tuple[str, dict[str, str]]] = {
    "vlm": (
        "compress films with the model",
        {
            "torch": "torch",
            "transformers": "transformers",
            "tokenizers": "tokenizers",
            "timm": "timm",
            "accelerate": "accelerate",
            "safetensors": "safetensors",
            "rustworkx": "rustworkx",
            "PIL": "pillow",
        },
    ),
    "text": ("read reports by rules, which needs nothing more", {}),
    "dicom": (
        "read DICOM in every supported encoding",
        {
            "pydicom": "pydicom",
            "gdcm": "python-gdcm",
            "pylibjpeg": "pylibjpeg",
            "openjpeg": "pylibjpeg-openjpeg",
            "jpeg_ls": "pyjpegls",
            "imagecodecs": "imagecodecs",
            "PIL": "pillow",
        },
    ),
    "pacs": (
        "exchange with picture archives",
        {
            "pydicom": "pydicom",
            "pynetdicom": "pynetdicom",
            "highdicom": "highdicom",
        },
    ),
    "bulk": (
        "convert on a Ray cluster and read Parquet",
        {"ray": "ray", "pyarrow": "pyarrow", "filelock": "filelock"},
    ),
    "audit": ("search outputs for identifiers", {"ahocorasick": "pyahocorasick"}),
    "pyg": ("load graphs into PyTorch Geometric", {"torch": "torch", "torch_geometric": "torch-geometric"}),
    "catalog": ("make tables of studies, and ask them", {"pyarrow": "pyarrow", "duckdb": "duckdb"}),
    "serve": (
        "serve collections over HTTP",
        {"pyarrow": "pyarrow", "duckdb": "duckdb", "starlette": "starlette", "uvicorn": "uvicorn"},
    ),
    "plot": ("draw pictures", {"matplotlib": "matplotlib", "PIL": "pillow"}),
    "networkx": ("exchange with networkx", {"networkx": "networkx"}),
    "safetensors": ("export to safetensors", {"safetensors": "safetensors"}),
    "remote": ("open URLs", {"fsspec": "fsspec", "aiohttp": "aiohttp"}),
    "fast": ("compute checksums faster", {"isal": "isal"}),
}
"""Extra -> what it is for, and the imports it needs with the distributions that bring them."""


def doctor(
    model: Annotated[list[str] | None, typer.Option(help="Look at the model in this folder too; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which extras, codecs and models are usable here, and what to install for the others.

    Example: ngr doctor
    """
    codecs = [codec.name for codec in BYTE_CODECS.values()] + list(FORMS)
    kernel = _check_kernel()
    extras = [_check(extra) for extra in EXTRAS]
    models = [model_state(source) for source in ["demo", *(model or [])]]
    if json:
        write_json(
            {
                "neuralgraph": __version__,
                "python": platform.python_version(),
                "codecs": codecs,
                "kernel": kernel._asdict(),
                "extras": [extra._asdict() for extra in extras],
                "models": [each._asdict() for each in models],
            }
        )
        return
    write_line(f"neuralgraph {__version__}, Python {platform.python_version()}")
    for stranger in _strangers():
        write_line(f"the package {stranger} is installed too and has files of the same name: pip uninstall {stranger}")
    write_line(f"codecs: {', '.join(codecs)}")
    write_line(f"kernel: {kernel.says}")
    for extra in extras:
        if extra.missing:
            advice = f"{', '.join(extra.missing)} missing; {installing(extra.name)}"
            write_line(f"{extra.name:11} cannot {extra.purpose}: {advice}")
        else:
            found = ", ".join(f"{name} {version}" for name, version in extra.versions.items())
            write_line(f"{extra.name:11} ready to {extra.purpose} ({found})")

    for each in models:
        if each.fault is not None:
            write_line(f"model {each.source}: cannot be used, {each.fault}")
        else:
            write_line(f"model {each.source}: {each.digest[:12]}, complete; {model_words(each)}")
            for line in each.lines:
                write_line(f"    {line}")


def _strangers() -> list[str]:
    """Other distributions that install something called ``neuralgraph``."""
    return sorted(set(metadata.packages_distributions().get("neuralgraph", [])) - {DISTRIBUTION})


class KernelState(NamedTuple):
    """Whether batches are made by the compiled kernel."""

    compiled: bool
    checksums: str
    """How it computes CRC-32; "" without it."""
    says: str


class ExtraState(NamedTuple):
    """What an extra can do here."""

    name: str
    purpose: str
    missing: list[str]
    versions: dict[str, str]


def _check_kernel() -> KernelState:
    from neuralgraph.batches.kernel import compiled

    if compiled is not None:
        says = f"compiled, makes the batches of ArchiveLoader (CRC-32 by {compiled.CHECKSUM})"
        return KernelState(compiled=True, checksums=compiled.CHECKSUM, says=says)
    says = (
        "missing; ArchiveLoader, StudyDataset and StudyDatabase make the same graphs from whole studies, many times "
        "more slowly. Install a C compiler and the headers of Python (python3-dev), then neuralgraph again"
    )
    return KernelState(compiled=False, checksums="", says=says)


def _check(extra: str) -> ExtraState:
    purpose, modules = EXTRAS[extra]
    missing = [distribution for module, distribution in modules.items() if util.find_spec(module) is None]
    return ExtraState(extra, purpose, missing, {d: metadata.version(d) for d in modules.values() if d not in missing})
