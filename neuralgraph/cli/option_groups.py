"""Options in groups: a verb takes a dataclass for each, and the command line sees its fields as options of their own.

    @dataclass(frozen=True)
    class SourceOptions:
        PANEL: ClassVar[str] = "Source"
        reports: Annotated[Path | None, typer.Option(help="Where reports lie.")] = None

    @grouped
    def verb(source: Annotated[Path, typer.Argument()], places: SourceOptions) -> None: ...

Options of a class with a ``PANEL`` stand in the panel of that name in the help.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from copy import copy
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

__all__ = ["grouped"]


def grouped(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the fields of its dataclasses in place of the dataclasses, as keyword parameters."""
    hints = get_type_hints(verb, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint) and isinstance(hint, type)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(verb).parameters.values():
        if parameter.name in groups:
            parameters += _fields(groups[parameter.name])
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(verb)
    def flat(**given: Any) -> None:
        filled = {
            name: group(**{field.name: given.pop(field.name) for field in _options(group) if field.name in given})
            for name, group in groups.items()
        }
        verb(**given, **filled)

    # What typer reads: with the names of the original it would resolve its annotations instead.
    del flat.__wrapped__
    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _options(group: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(group)


def _fields(group: type) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    panel = getattr(group, "PANEL", None)
    for field in _options(group):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_in_panel(hints[field.name], panel),
        )


def _in_panel(annotation: Any, panel: str | None) -> Any:
    if panel is None or get_origin(annotation) is not Annotated:
        return annotation
    base, *rest = get_args(annotation)
    placed = []
    for info in rest:
        if isinstance(info, OptionInfo) and info.rich_help_panel is None:
            info = copy(info)
            info.rich_help_panel = panel
        placed.append(info)
    return Annotated[(base, *placed)]
