from neuralgraph.cli.conversion_choices import LayoutName
from neuralgraph.sources.layouts import LAYOUTS


def test_every_layout_can_be_asked_for():
    assert {name.value for name in LayoutName} == {"auto", *LAYOUTS}
