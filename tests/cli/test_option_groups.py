from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, ClassVar

import typer
from typer.main import get_command
from typer.testing import CliRunner

from neuralgraph.cli.option_groups import grouped


@dataclass(frozen=True)
class Places:
    PANEL: ClassVar[str] = "Places"

    reports: Annotated[Path | None, typer.Option(help="Where reports lie.")] = None
    depth: Annotated[int, typer.Option(help="How deep.", min=1)] = 3


def test_fields_of_a_group_are_options_of_the_verb():
    told = []

    @grouped
    def verb(
        source: Annotated[Path, typer.Argument()],
        places: Places,
        loud: Annotated[bool, typer.Option("--loud", help="Loud.")] = False,
    ) -> None:
        """Do it.

        Example: verb x
        """
        told.append((source, places, loud))

    app = typer.Typer()
    app.command()(verb)
    assert CliRunner().invoke(app, ["a", "--reports", "r", "--depth", "2", "--loud"]).exit_code == 0
    assert CliRunner().invoke(app, ["a"]).exit_code == 0
    assert CliRunner().invoke(app, ["a", "--depth", "0"]).exit_code == 2
    assert told == [(Path("a"), Places(Path("r"), 2), True), (Path("a"), Places(), False)]
    command = get_command(app)
    assert [parameter.name for parameter in command.params][:4] == ["source", "reports", "depth", "loud"]
    assert {p.name: getattr(p, "rich_help_panel", None) for p in command.params}["depth"] == "Places"
    assert command.help.startswith("Do it.")


def test_recipe_options_are_fields_of_the_recipe():
    from neuralgraph.cli.train import RecipeOptions
    from neuralgraph.compressor.training.recipe import Recipe

    defaults = {field.name: field.default for field in fields(Recipe)}
    options = {field.name: field.default for field in fields(RecipeOptions)}
    # The command guides where films have marks; a recipe of one's own says so itself.
    assert {name for name in options if options[name] != defaults[name]} == {"guidance_weight", "contrast_weight"}
