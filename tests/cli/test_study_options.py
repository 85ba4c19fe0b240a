"""What one film and a whole data set are asked alike."""

from __future__ import annotations

from dataclasses import fields

import pytest
import typer
from typer.testing import CliRunner

from neuralgraph.cli.conversion_options import StudyOptions
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.study_options import MakingOptions


def test_what_both_verbs_have_is_one_group():
    assert {field.name for field in fields(MakingOptions)} < {field.name for field in fields(StudyOptions)}
    assert MakingOptions() == MakingOptions(**{field.name: field.default for field in fields(MakingOptions)})


@pytest.mark.parametrize(("form", "code"), [("svd:0.1", 0), ("int8", 0), ("int7", 2), ("svd:none", 2)])
def test_a_form_that_is_none_is_refused(form, code):
    told = []

    @grouped
    def verb(making: MakingOptions) -> None:
        """Do it."""
        told.append(making.embedding)

    app = typer.Typer()
    app.command()(verb)
    assert CliRunner().invoke(app, ["--embedding", form]).exit_code == code
    assert told == ([form] if code == 0 else [])
