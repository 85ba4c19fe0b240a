"""Pages of the documentation that are made of other files: a hook of ``mkdocs build --strict``.

The specification, the book of codecs and the tables of errors and verbs stand where programs and readers of the
repository expect them; the site shows them without a copy that could drift. Chapters of the measurements are added to
the navigation as they appear.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ["on_config", "on_files", "on_page_markdown", "pages"]

ROOT = Path(__file__).parents[2]
VIEWER = ROOT / "neuralgraph" / "adapters" / "viewer" / "viewer.html"

_HEAD = """# Command line

Results go to stdout, everything else to stderr. Exit codes: 0 success; 1 finished, but something failed or is invalid;
2 wrong usage; 3 the input cannot be read or is not valid; 4 an extra or a model is missing.
`ngr --install-completion` teaches your shell the verbs and options. `NO_COLOR=1` turns colours off."""


def _error_table() -> str:
    rows = json.loads((ROOT / "spec" / "error-codes.json").read_text(encoding="utf-8"))["codes"]
    from neuralgraph.errors import CODES

    lines = ["# Errors", "", "Codes are stable: what compares them keeps working.", "", "## Of the format", ""]
    lines += ["Readers in every language use these.", "", "| code | meaning |", "|---|---|"]
    lines += [f"| `{row['code']}` | {row['meaning']} |" for row in rows]
    own = sorted(set(CODES) - {row["code"] for row in rows})
    lines += ["", "## Of this package", "", "| code | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{code}` | {CODES[code]} |" for code in own), ""])


def _command_line() -> str:
    """Every verb with its help, as the command prints it."""
    import typer
    from typer.main import get_command

    from neuralgraph.cli.main import application

    command: Any = get_command(application())
    parts = [_HEAD]
    verbs = dict(command.commands)
    for group in [name for name, verb in verbs.items() if hasattr(verb, "commands")]:
        verbs |= {f"{group} {name}": verb for name, verb in verbs[group].commands.items()}
    order = sorted(verbs, key=lambda name: list(command.commands).index(name.split()[0]))
    for name, verb in ((name, verbs[name]) for name in order):
        context = typer.Context(verb)
        arguments = " ".join(p.make_metavar(context).upper() for p in verb.params if p.param_type_name == "argument")
        help_text = (verb.help or "").strip()
        prose, _, example = help_text.partition("Example:")
        rows = [_row(p, context) for p in verb.params if p.param_type_name == "option" and not p.hidden]
        table = "\n".join(["| option | value | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""
        usage = f"`ngr {name} {arguments}`".replace(" `", "`")
        parts.append(f"## {name}\n\n{usage}\n\n{prose.strip()}\n\n    {example.strip()}\n\n{table}".rstrip())
    return "\n\n".join(parts) + "\n"


def _row(option: Any, context: Any) -> str:
    """An option: its names, what it takes, what it is without it, and what it does."""
    names = " ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else option.make_metavar(context).strip("<>").replace("|", ", ")
    default = getattr(option.default, "value", option.default)
    shown = "" if option.is_flag or not option.show_default or default in (None, "", ()) else f"`{default}`"
    if option.required:
        shown = "required"
    return f"| {names} | {_cell(value)} | {shown} | {_cell(option.help or '')} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_LINK = re.compile(r"(?<=\]\()(?!https?:|#)")
_RELATIVE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\.?/[^)\s]*)\)")
_CODE_OR_BRACKETS = re.compile(r"(```.*?```|`[^`\n]*`)|\]\[", re.DOTALL)


def _shown(path: Path) -> str:
    """A page as it stands; only what it says of matrices, ``[rows][width]``, is kept from becoming a link."""
    text = path.read_text(encoding="utf-8")
    return _CODE_OR_BRACKETS.sub(lambda found: found[1] or "]\\[", text)


def _contributing() -> str:
    """The page for those who change the package; it lies above the folder of the documents."""
    return _LINK.sub("../", _shown(ROOT / "CONTRIBUTING.md")).replace("](../docs/", "](")


def pages() -> Iterator[tuple[str, str]]:
    """Address of every made page, and its text."""
    yield "contributing.md", _contributing()
    yield "format.md", _shown(ROOT / "FORMAT.md")
    yield "decoded-form.md", _shown(ROOT / "spec" / "decoded-form.md")
    yield "worked-example.md", _shown(ROOT / "spec" / "worked-example.md")
    yield "codecs/index.md", _shown(ROOT / "codecs" / "README.md")
    for page in sorted((ROOT / "codecs").glob("*/SPEC.md")):
        yield f"codecs/{page.parent.name}.md", _shown(page)
    yield "reference/errors.md", _error_table()
    yield "reference/command-line.md", _command_line()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the chapters of the measurements, and codecs that the file does not name, into the navigation."""
    navigation: list[Any] = list(config.nav or [])
    for entry in navigation:
        if "Measurements" in entry:
            names = sorted(path.name for path in (ROOT / "docs" / "measurements").glob("*.md"))
            entry["Measurements"] = [f"measurements/{name}" for name in ["index.md", *names] if name != "index.md"]
            entry["Measurements"].insert(0, "measurements/index.md")
    named = set(re.findall(r"codecs/(\w+)\.md", json.dumps(navigation)))
    others = [f"codecs/{p.parent.name}.md" for p in sorted((ROOT / "codecs").glob("*/SPEC.md"))]
    (reference,) = [entry["Reference"] for entry in navigation if "Reference" in entry]
    (book,) = [entry["Codecs"] for entry in reference if "Codecs" in entry]
    book += [{Path(page).stem: page} for page in others if Path(page).stem not in named]
    config.nav = navigation
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Files of the repository that are no pages of the site are named, not linked."""
    del config
    place = Path(page.file.src_uri).parent.as_posix()

    def named(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(place, found[2].split("#")[0]))
        return found[0] if not target.startswith("..") or files.get_file_from_path(target) else found[1]

    return _RELATIVE_LINK.sub(named, markdown)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages."""
    for address, text in pages():
        files.append(File.generated(config, address, content=text))
    files.append(File.generated(config, "viewer.html", content=VIEWER.read_text(encoding="utf-8")))
    return files
