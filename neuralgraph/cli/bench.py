"""``ngr bench``: bytes and fidelity of films in every coding, and how long they travel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.model_notice import model_notice, tell_model
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.errors import SourceError, StudyError

if TYPE_CHECKING:
    from neuralgraph.sizes import FilmSizes, Row

__all__ = ["bench"]

_NO_IMAGE = "a .ngr is no image: the film cannot be shown from it, keep the original"


def bench(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Chest films: DICOM, PNG or JPEG.")],
    reports: Annotated[
        bool, typer.Option("--reports", help="Read the report of film.dcm from film.txt beside it, where there is one.")
    ] = False,
    model: Annotated[str, typer.Option(help="'demo', or the folder or hub id of a model.")] = "demo",
    retain: Annotated[float | None, typer.Option(help="Share of the patches to keep [default: 0.023].")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare the bytes of your own films: source file, PNG, JPEG, JPEG-LS, JPEG 2000, HTJ2K, JPEG XL, and .ngr.

    Every share names what it is a share of: the source file, and the smallest lossless coding of the film. Lossy
    pictures come with their PSNR, .ngr files with the patches they keep. Films are coded at their own depth where the
    coding can; JPEG here has 8 bits. Nothing is written, and nothing of a DICOM header is printed but its depth.

    Example: ngr bench film.dcm film.png
    """
    from rich.console import Console
    from rich.progress import track

    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.pruning import DEFAULT_POLICY, TopFraction
    from neuralgraph.sizes import RATES, total

    try:
        policy = DEFAULT_POLICY if retain is None else TopFraction(retain)
    except StudyError as error:
        raise typer.BadParameter(error.message, param_hint="--retain") from error
    compressor = Compressor.from_pretrained(model, policy=policy)
    measured: list[tuple[Path, FilmSizes]] = []
    failures = []
    for path in track(files, "measuring", console=Console(stderr=True), disable=not sys.stderr.isatty()):
        try:
            measured.append((path, _measured(path, compressor, reports=reports)))
        except SourceError as error:
            failures.append({"file": str(path), "code": error.code, "message": error.message})
    everything = total([sizes for _, sizes in measured]) if measured else None
    trained = compressor.scorer.trained
    name = compressor.scorer.name
    if json:
        write_json(
            {
                "model": {"name": name, "trained": trained, "notice": model_notice(name, trained=trained)},
                "notice": _NO_IMAGE,
                "rates_bits_per_second": RATES,
                "films": [{"file": str(path), **sizes.record()} for path, sizes in measured],
                "total": everything and everything.record(),
                "failures": failures,
            }
        )
    else:
        for path, sizes in measured:
            _print(str(path), sizes)
        if everything is not None:
            if len(measured) > 1:
                _print(f"all {len(measured)} films", everything)
            write_line(_NO_IMAGE)
    for failure in failures:
        note(f"{failure['file']}: {failure['code']}: {failure['message']}")
    tell_model(name, trained=trained)
    if failures:
        raise typer.Exit(1)


def _measured(path: Path, compressor: Any, *, reports: bool) -> FilmSizes:
    from neuralgraph.sizes import measure_film
    from neuralgraph.sources import read_report
    from neuralgraph.sources.samples import read_samples

    samples = read_samples(path)
    beside = path.with_suffix(".txt")
    report = read_report(beside) if reports and beside.is_file() else None
    return measure_film(samples, compressor(samples.film, report))


def _print(name: str, sizes: FilmSizes) -> None:
    source, ngr, reference = sizes.source, sizes.ngr, sizes.smallest_lossless
    facts = [str(source["format"])] if "format" in source else []
    if "height" in source and "width" in source:
        facts.append(f"{source['width']} x {source['height']} pixels (width x height)")
    if "bits" in source:
        facts.append(f"{source['bits']} bits")
    write_line(f"{name}: {', '.join([*facts, f'{sizes.source_bytes:,} bytes'])}")
    write_line(
        f"  .ngr keeps {ngr['patches']:,} of {ngr['cells']:,} patches ({ngr['retention']:.1%}), report {ngr['report']}"
    )
    lossless = f"of {reference.coding}"
    lines = next(iter(sizes.rows)).seconds()
    write_line(
        f"  {'coding':16} {'bytes':>11} {'of source file':>14} {lossless:>14}  "
        + " ".join(f"{rate:>11}" for rate in lines)
        + "  fidelity"
    )
    for row in sizes.rows:
        times = " ".join(f"{_duration(seconds):>11}" for seconds in row.seconds().values())
        write_line(
            f"  {row.coding:16} {row.bytes:>11,} {row.bytes / sizes.source_bytes:>14.1%} "
            f"{row.bytes / reference.bytes:>14.1%}  {times}  {_fidelity(row)}"
        )
    for coding, reason in sizes.absent.items():
        write_line(f"  {coding:16} {reason}")
    write_line(f"  {reference.coding} is the smallest lossless coding here; times are of the bytes alone")


def _fidelity(row: Row) -> str:
    if row.kind == "source":
        return "the file as it is"
    if row.kind == "ngr":
        return f"no image; embeddings {f'off by {row.embedding_rmse:.2g}' if row.embedding_rmse else 'exact'}"
    if row.lossless:
        return "lossless"
    depth = "" if row.bits is None else f"{row.bits} bits, "
    return f"{depth}PSNR {row.psnr_db:.1f} dB" if row.psnr_db is not None else f"{depth}nothing shown is lost"


def _duration(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds / 60)} min {int(seconds % 60)} s"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
