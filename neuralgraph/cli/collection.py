"""``ngr collection``: a folder or a bucket of archives that grows and forgets."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.completion import study_ids
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.progress import meter
from neuralgraph.errors import SourceError

if TYPE_CHECKING:
    from neuralgraph.collection import StudyReceipt

__all__ = ["collection"]

collection = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""A living archive: a folder, or a bucket, whose newest manifest says which archives in it count.

Every change is one commit: readers keep what they opened, two writers do not lose each other's work, and a crash leaves
the old state or the new one. See docs/how-to/collection.md.

Example: ngr collection create hospital
""",
)

Place = Annotated[str, typer.Argument(metavar="DIR", help="The folder of the collection, or its URL.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]

_MOST_LIST_BYTES = 256 * 2**20


@collection.command()
def create(
    place: Place,
    catalogue: Annotated[
        bool, typer.Option("--catalogue/--no-catalogue", help="Keep tables for ngr find; needs the extra catalog.")
    ] = True,
    archive_studies: Annotated[
        int, typer.Option(metavar="N", min=2, help="Studies per archive: removing one rewrites so many at most.")
    ] = 8192,
    json: Json = False,
) -> None:
    """Make an empty collection.

    Example: ngr collection create hospital
    """
    from neuralgraph.collection import Collection

    made = Collection.create(place, catalogue=catalogue, archive_studies=archive_studies)
    if catalogue:
        from neuralgraph.rows.columns import arrow

        arrow()
    head = made.head()
    if json:
        write_json({"output": made.room.where, "collection": head.collection, "snapshot": head.snapshot})
    else:
        write_line(f"{made.room.where}: an empty collection; add studies with: ngr collection add")


@collection.command()
def add(
    place: Place,
    files: Annotated[list[str], typer.Argument(help="Files, archives, folders and URLs of .ngr files.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take studies in place of those with the same id and other content.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Let in what was removed from this collection.")] = False,
    skip_removed: Annotated[
        bool, typer.Option("--skip-removed", help="Pass over what was removed from this collection.")
    ] = False,
    patients: Annotated[
        Path | None,
        typer.Option(help="A table (.csv) of study_id, and patient or split or both: pseudonyms, to remove by."),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Add studies, in one commit. What is there already with the same content is skipped.

    Example: ngr collection add hospital tonight.ngr
    """
    from neuralgraph.collection import Collection
    from neuralgraph.collection import add as add_studies

    receipts = {} if patients is None else _receipts(patients)
    with meter("collection add") as progress:
        done = add_studies(
            Collection(place),
            files,
            replace=replace,
            again=again,
            skip_removed=skip_removed,
            receipts=receipts,
            dry_run=dry_run,
            progress=progress.at,
        )
    if json:
        write_json({"output": place, "dry_run": dry_run, **asdict(done), "removed": len(done.removed)})
        return
    would = "would be " if dry_run else ""
    parts = [f"{done.added:,} {would}added", f"{done.replaced:,} {would}replaced", f"{done.equal:,} there already"]
    write_line(f"{place}: {', '.join(parts)}; snapshot {done.snapshot}")
    if done.removed:
        write_line(f"  {len(done.removed):,} passed over: removed from this collection earlier")


def _receipts(path: Path) -> dict[str, StudyReceipt]:
    from neuralgraph.collection import StudyReceipt
    from neuralgraph.sources.files import read_whole_file

    try:
        text = read_whole_file(path, max_bytes=_MOST_LIST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("the table is not UTF-8", code="E_SOURCE_TEXT", where=str(path)) from error
    rows = csv.DictReader(text.splitlines())
    if "study_id" not in (rows.fieldnames or ()) or not {"patient", "split"} & set(rows.fieldnames or ()):
        reason = "the table needs a column study_id, and patient or split"
        raise SourceError(reason, code="E_SOURCE_CONTENT", where=str(path))
    return {
        row["study_id"]: StudyReceipt(patient=row.get("patient") or "", split=row.get("split") or "") for row in rows
    }


@collection.command()
def remove(
    place: Place,
    study_id: Annotated[
        list[str] | None, typer.Option("--id", autocompletion=study_ids, help="Id of a study; repeatable.")
    ] = None,
    ids: Annotated[Path | None, typer.Option(help="A file of ids, one a line, as ngr find writes it.")] = None,
    patient_key: Annotated[
        list[str] | None,
        typer.Option(help="The patient, as the source names them or by pseudonym; all their studies. Repeatable."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Key of the pseudonyms [default: that of convert --into, in DIR].")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="A condition on the table studies: \"report = 'generated'\".")
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Keep no keyed hash of the ids: the studies may be added again.")
    ] = False,
    missing_ok: Annotated[
        bool, typer.Option("--missing-ok", help="Pass over what is not there; it is kept out all the same.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Remove studies, in one commit; then let ngr collection vacuum delete the bytes.

    The archives that hold them are written again without them. Receipts and tables go along. What stays is the number
    of studies in the log, and keyed hashes that keep the studies from being added again.

    Example: ngr collection remove hospital --id 5f3a90c1
    """
    from neuralgraph.collection import Collection
    from neuralgraph.collection import remove as remove_studies

    listed = [] if ids is None else _lines(ids)
    if not (study_id or listed or patient_key or where):
        raise typer.BadParameter("say which studies: --id, --ids, --patient-key or --where")
    with meter("collection remove") as progress:
        done = remove_studies(
            Collection(place),
            {*(study_id or ()), *listed},
            patients=_patients(place, patient_key or [], key_file),
            where=where,
            remember=not forget,
            missing_ok=missing_ok,
            dry_run=dry_run,
            progress=progress.at,
        )
    if json:
        write_json({"output": place, "dry_run": dry_run, **asdict(done)})
        return
    would = "would be " if dry_run else ""
    write_line(
        f"{place}: {done.studies:,} {'study' if done.studies == 1 else 'studies'} {would}removed, "
        f"{done.archives:,} {'archive' if done.archives == 1 else 'archives'} {would}written again; "
        f"snapshot {done.snapshot}"
    )
    if not dry_run:
        note(f"{done.bytes:,} bytes still hold them until: ngr collection vacuum {place} --older-than 0s")


def _patients(place: str, keys: list[str], key_file: Path | None) -> set[str]:
    """Pseudonyms of patients, and the words themselves where they may be pseudonyms already."""
    if not keys:
        return set()
    from neuralgraph.bulk.intake import intake_key
    from neuralgraph.bulk.pseudonyms import Pseudonyms, read_key

    key = read_key(key_file) if key_file is not None else intake_key(place)
    if key is None:
        return set(keys)
    pseudonyms = Pseudonyms(key)
    return {word if re.fullmatch(r"[0-9a-f]{32}", word) else pseudonyms("patient", word) for word in keys}


def _lines(path: Path) -> list[str]:
    from neuralgraph.sources.files import read_whole_file

    try:
        text = read_whole_file(path, max_bytes=_MOST_LIST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("the list is not UTF-8", code="E_SOURCE_TEXT", where=str(path)) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


@collection.command()
def compact(place: Place, dry_run: DryRun = False, json: Json = False) -> None:
    """Merge small archives, as nights leave them, into archives of full size.

    Example: ngr collection compact hospital
    """
    from neuralgraph.collection import Collection
    from neuralgraph.collection import compact as compact_archives

    with meter("collection compact") as progress:
        merged, became = compact_archives(Collection(place), dry_run=dry_run, progress=progress.at)
    if json:
        write_json({"output": place, "dry_run": dry_run, "merged": merged, "became": became})
    elif not merged:
        write_line(f"{place}: no small archives to merge")
    else:
        write_line(f"{place}: {merged:,} archives {'would become' if dry_run else 'became'} {became:,}")


@collection.command()
def vacuum(
    place: Place,
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="Keep states that were the newest within this time: 0s, 90m, 24h, 7d.")
    ] = "24h",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Delete what no longer counts: removed studies, merged archives, earlier states, what a killed writer left.

    With 0s nobody may write to the collection meanwhile.

    Example: ngr collection vacuum hospital --older-than 7d
    """
    from neuralgraph.collection import Collection
    from neuralgraph.collection import vacuum as vacuum_files

    done = vacuum_files(Collection(place), older_than=_seconds(older_than), dry_run=dry_run)
    if json:
        write_json({"output": place, "dry_run": dry_run, **asdict(done)})
    else:
        write_line(
            f"{place}: {done.files:,} files {'would be ' if dry_run else ''}deleted, {done.bytes:,} bytes, "
            f"{done.manifests:,} earlier states among them"
        )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if found is None:
        raise typer.BadParameter(f"a time is a number and s, m, h or d, got {text!r}", param_hint="--older-than")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


@collection.command()
def verify(
    place: Place,
    level: Annotated[str, typer.Option(help="How far: header, streams, digest or meaning.")] = "meaning",
    json: Json = False,
) -> None:
    """Check every archive, and that manifest, receipts and tables agree with it. Exit code 1 when anything is wrong.

    Example: ngr collection verify hospital
    """
    from neuralgraph.collection import Collection
    from neuralgraph.collection import verify as verify_collection
    from neuralgraph.collection.checking import stray_files
    from neuralgraph.storage.gate import Level

    levels = {each.name.lower(): each for each in Level}
    if level not in levels:
        raise typer.BadParameter(f"use one of {', '.join(levels)}", param_hint="--level")
    found = Collection(place)
    head = found.head()
    with meter("collection verify", head.studies) as progress:
        problems = list(verify_collection(found, level=levels[level], progress=progress.at))
    stray = stray_files(found, head)
    if json:
        facts = {"studies": head.studies, "archives": len(head.archives), "snapshot": head.snapshot}
        listed = [problem._asdict() for problem in problems]
        write_json({"output": place, **facts, "ok": not problems, "problems": listed, "not_counted": len(stray)})
    else:
        for problem in problems:
            write_line(f"{place}: {problem.code} [{problem.where}]: {problem.message}")
        if not problems:
            studies = f"{head.studies:,} {'study' if head.studies == 1 else 'studies'}"
            archives = f"{len(head.archives):,} {'archive' if len(head.archives) == 1 else 'archives'}"
            write_line(f"{place}: valid, {studies} in {archives}")
        if stray:
            note(f"{len(stray):,} files do not count any more; ngr collection vacuum deletes them")
    if problems:
        raise typer.Exit(1)


@collection.command()
def log(
    place: Place,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="Lines to print, newest last.")] = 20,
    json: Json = False,
) -> None:
    """Say what was done when: how many studies came and went, not which.

    Example: ngr collection log hospital
    """
    from neuralgraph.collection import Collection

    head = Collection(place).head()
    commits: list[Any] = list(head.history[-last:])
    if json:
        write_json({"output": place, "studies": head.studies, "commits": [asdict(commit) for commit in commits]})
        return
    for commit in commits:
        write_line(
            f"{commit.snapshot:6} {commit.time} {commit.operation:8} +{commit.added:,} -{commit.removed:,} "
            f"= {commit.studies:,}"
        )
