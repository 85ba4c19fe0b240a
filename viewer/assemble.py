"""The viewer, assembled: one page with its style, its script and the reader of spec/reader-js inside.

    python -m viewer.assemble            writes neuralgraph/adapters/viewer/viewer.html
    python -m viewer.assemble --check    exit code 1 when the file is not what would be written

A page that is opened from a file cannot import modules, so the modules of ``viewer/src`` and of the reader become one
script, each module a function call that returns its exports. Only the forms of import and export that they use are
understood; any other is refused. The page's content security policy names the hash of this script and this style, so
that nothing else runs in it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
from pathlib import Path

__all__ = ["TARGET", "assemble", "bundle", "main", "variable_of"]

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "viewer"
TARGET = ROOT / "neuralgraph" / "adapters" / "viewer" / "viewer.html"
CODES = SOURCE / "src" / "error-codes.js"
"""A module that exists only in the page: made of spec/error-codes.json."""

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_HAND_ON = re.compile(r'^export \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)


def _text(module: Path) -> str:
    if module != CODES:
        return module.read_text(encoding="utf-8")
    rows = json.loads((ROOT / "spec" / "error-codes.json").read_text(encoding="utf-8"))["codes"]
    meanings = json.dumps({row["code"]: row["meaning"] for row in rows}, indent=2, ensure_ascii=False)
    return f"/** What the error codes mean (spec/error-codes.json). */\nexport const MEANINGS = {meanings};\n"


def variable_of(module: Path) -> str:
    """The variable that holds the exports of a module."""
    parts = module.relative_to(ROOT).with_suffix("").parts
    return "$" + "_".join(re.sub(r"\W", "_", part) for part in parts if part != "src")


def _neighbour(module: Path, address: str) -> Path:
    return Path(re.sub(r"[^/]+/\.\./", "", (module.parent / address).as_posix())).resolve()


def bundle(module: Path, done: dict[Path, str], under_way: tuple[Path, ...] = ()) -> None:
    """Add the module to ``done`` as a statement, after everything it imports.

    Raises
    ------
    ValueError : a form of import or export that is not understood, or modules that import each other in a circle.
    """
    if module in done:
        return
    if module in under_way:
        raise ValueError(f"{module}: modules import each other in a circle")
    text = _text(module)
    exports: list[str] = []

    def bring_in(found: re.Match[str]) -> str:
        names, address = found.groups()
        other = _neighbour(module, address)
        bundle(other, done, (*under_way, module))
        return f"const {{{names.replace(' as ', ': ')}}} = {variable_of(other)};\n"

    def hand_on(found: re.Match[str]) -> str:
        names, address = found.groups()
        other = _neighbour(module, address)
        bundle(other, done, (*under_way, module))
        exports.extend(f"{name.strip()}: {variable_of(other)}.{name.strip()}" for name in names.split(","))
        return ""

    def give_out(found: re.Match[str]) -> str:
        exports.append(found[2])
        return f"{found[1]} {found[2]}"

    text = _EXPORT.sub(give_out, _HAND_ON.sub(hand_on, _IMPORT.sub(bring_in, text)))
    strange = re.search(r"^\s*(import|export)\b.*", text, re.MULTILINE)
    if strange:
        raise ValueError(f"{module}: not understood: {strange[0]}")
    done[module] = f"const {variable_of(module)} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def assemble() -> str:
    """The page."""
    modules: dict[Path, str] = {}
    bundle(SOURCE / "src" / "main.js", modules)
    script = "\n" + "\n".join(modules.values())
    style = "\n" + (SOURCE / "style.css").read_text(encoding="utf-8")
    if "</script" in script or "</style" in style:
        raise ValueError("a script or a style would end the element it stands in")
    policy = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "blob: data:",
        "connect-src": "'self' https: http:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    page = (SOURCE / "page.html").read_text(encoding="utf-8")
    page = page.replace("@POLICY@", "; ".join(f"{name} {value}" for name, value in policy.items()))
    return page.replace("@STYLE@", style).replace("@SCRIPT@", script)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or say whether it would change."""
    parser = argparse.ArgumentParser(description="assemble the viewer")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when the page has drifted")
    given = parser.parse_args(arguments)
    page = assemble()
    if given.check:
        return int(not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page)
    TARGET.write_text(page, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
