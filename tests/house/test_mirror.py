"""Every module of the package has a test: one of its name, one of its room that imports it, or the one named here."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from neuralgraph.cli.main import VERBS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "neuralgraph"
TESTS = ROOT / "tests"

HELD: dict[str, str] = {
    "tests/access/test_files.py": "access.sources",
    "tests/access/test_owners.py": "access.descriptor",
    "tests/access/test_read_ahead.py": "access.under_way",
    "tests/access/test_remote.py": "cli.unpack",
    "tests/access/test_web.py": "access.file_system access.http",
    "tests/adapters/picture/test_gallery.py": "bulk.gallery collection.asking",
    "tests/adapters/picture/test_picture.py": (
        "adapters.picture.film_panel adapters.picture.graph_panel adapters.picture.relation_lines"
    ),
    "tests/adapters/picture/test_sheet.py": "cli.contact_sheet cli.films",
    "tests/adapters/test_kernel.py": "batches.pruning batches.reader",
    "tests/adapters/test_plain_graphs.py": "graph.carried",
    "tests/adapters/test_resume.py": "storage.identity",
    "tests/bulk/fake_worker.py": "bulk.worker",
    "tests/bulk/test_numbers.py": "bulk.packs",
    "tests/bulk/test_ray.py": "bulk.ray_actor bulk.ray_pool",
    "tests/cli/test_bench.py": "cli.bench_lines",
    "tests/cli/test_card.py": "collection.card",
    "tests/cli/test_convert.py": ("cli.conversion_report cli.conversion_source cli.output cli.pruning_options"),
    "tests/cli/test_escapes.py": "wire.escapes",
    "tests/cli/test_info_many.py": "catalogue.overview catalogue.summary cli.overview_lines collection.overview",
    "tests/cli/test_migrate.py": "migration.studies",
    "tests/cli/test_own_table_to_score.py": "bulk.learnt compressor.model.learnt_from",
    "tests/cli/test_train.py": "compressor.training.sources",
    "tests/cli/test_validate.py": "cli.remote_choices cli.verdicts",
    "tests/collection/test_collection.py": (
        "collection.held collection.leftovers collection.places collection.rewriting collection.writing"
        " storage.manifest"
    ),
    "tests/collection/test_verbs.py": "cli.find",
    "tests/compressor/model/test_backbone_stage.py": "compressor.model.neck compressor.model.position",
    "tests/compressor/report_graph/test_report_graph.py": "compressor.report_graph.none",
    "tests/compressor/report_graph/test_rules.py": (
        "compressor.report_graph.assertion compressor.report_graph.clauses compressor.report_graph.forms"
        " compressor.report_graph.mentions compressor.report_graph.relations"
    ),
    "tests/compressor/training/test_train.py": (
        "compressor.training.kept_batches compressor.training.lesson_state compressor.training.start"
    ),
    "tests/container/test_lies.py": "container.contents container.index container.keys",
    "tests/container/test_record.py": "container.source",
    "tests/graph/test_rules.py": "wire.study_columns",
    "tests/graph/test_study.py": "graph.pixels graph.provenance",
    "tests/migration/test_hostile_files.py": "migration.archive migration.tensors migration.values",
    "tests/pacs/test_pull.py": "pacs.store_web",
    "tests/phantoms/test_films.py": (
        "phantoms.anatomy phantoms.canvas phantoms.development phantoms.devices phantoms.habitus phantoms.skeleton"
        " phantoms.study phantoms.vessels"
    ),
    "tests/phantoms/test_patients.py": "phantoms.course",
    "tests/phantoms/test_reports.py": "phantoms.dictation phantoms.phrases",
    "tests/serving/test_serving.py": "cli.serve serving.description serving.metrics serving.state serving.studies",
    "tests/sources/documents/test_messages.py": "sources.documents.segments",
    "tests/sources/films/test_colour.py": "sources.films.dicom_colour",
    "tests/sources/films/test_dicom_views.py": "sources.films.dicom_view_words",
    "tests/sources/films/test_grey_levels.py": "sources.films.lookup_table sources.films.presentation",
    "tests/sources/films/test_images.py": "sources.films.codestream sources.films.png_chunks",
    "tests/sources/films/test_pydicom_files.py": "sources.films.decoder_noise",
    "tests/sources/films/test_recognise.py": "sources.files",
    "tests/sources/layouts/test_chexpert.py": "sources.layouts.chexpert_plus",
    "tests/sources/layouts/test_dicom_folder.py": "sources.layouts.dicom_keys sources.layouts.report_index",
    "tests/sources/layouts/test_generic.py": "sources.layouts.folder",
    "tests/sources/layouts/test_mimic.py": (
        "sources.layouts.mimic_cxr sources.layouts.mimic_cxr_jpg sources.layouts.physionet"
    ),
    "tests/sources/layouts/test_own_tables.py": "sources.layouts.spreadsheet",
    "tests/spec/test_system.py": "container.layout",
    "tests/spec/test_tables.py": "wire.vocabulary",
    "tests/storage/test_archive.py": "container.pages storage.lookup",
    "tests/storage/test_recover.py": "container.salvage",
}
"""Test file -> the modules it holds through what uses them, or by running their verb."""


def name_of(path: Path) -> str:
    """The dotted name of a module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = [name for name, path in SOURCES.items() if path.stem not in ("__init__", "__main__")]


def origin(path: Path, node: ast.ImportFrom) -> str:
    """The module that a statement imports from."""
    if not node.level:
        return node.module or ""
    return ".".join([*path.relative_to(ROOT).parts[: -node.level], *filter(None, [node.module])])


def home(module: str, name: str) -> str:
    """The module that a name comes from, through the packages that hand it on."""
    if f"{module}.{name}" in SOURCES:
        return f"{module}.{name}"
    if module in SOURCES and SOURCES[module].stem == "__init__":
        for node in ast.walk(tree(SOURCES[module])):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    given = origin(SOURCES[module], node), alias.name
                    if (alias.asname or alias.name) == name and given != (module, name):
                        return home(*given)
    return module


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, names behind ``import neuralgraph as ng``, and verbs among its arguments."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            module = origin(path, node)
            if module.startswith("neuralgraph"):
                found |= {home(module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("neuralgraph.")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ng":
            found.add(home("neuralgraph", node.attr))
        elif isinstance(node, ast.Call | ast.List) and TESTS in path.parents:
            words = node.args if isinstance(node, ast.Call) else node.elts
            found |= {f"neuralgraph.cli.{word.value}" for word in words if getattr(word, "value", None) in VERBS}
    return frozenset(found)


def named(module: str) -> bool:
    """Whether a test of its room has its name, or imports it."""
    parts = module.split(".")[1:]
    for path in (TESTS / parts[0] if len(parts) > 1 else TESTS).rglob("test_*.py"):
        if path.stem == f"test_{parts[-1]}" or module in imports(path):
            return True
    return False


def public(module: str) -> list[str]:
    """What ``__all__`` of a module holds."""
    for node in tree(SOURCES[module]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


TABLE = {f"neuralgraph.{module}": test for test, modules in HELD.items() for module in modules.split()}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test(module):
    assert named(module) or module in TABLE, "no test has its name or imports it, and HELD names none"


def test_the_table_holds_only_what_it_must():
    assert sum(len(modules.split()) for modules in HELD.values()) == len(TABLE), "a module stands there twice"
    assert [module for module in TABLE if module not in MODULES] == []
    assert [module for module in TABLE if named(module)] == []


@pytest.mark.parametrize("test", HELD)
def test_a_test_of_the_table_reaches_its_modules(test):
    path = ROOT / test
    assert path.is_file(), "gone, or elsewhere now"
    shared = path.parent / "conftest.py"
    reached = imports(path) | (imports(shared) if shared.is_file() else set())
    for _ in range(2):
        reached = reached.union(*(imports(SOURCES[module]) for module in reached if module in SOURCES))
    text = path.read_text(encoding="utf-8")
    for module in (f"neuralgraph.{each}" for each in HELD[test].split()):
        told = any(re.search(rf"\b{re.escape(name)}\b", text) for name in public(module))
        assert told or module in reached, f"{test} neither names {module} nor what imports it"
