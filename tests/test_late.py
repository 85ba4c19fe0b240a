"""Names of a package that are imported when they are first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import neuralgraph
import neuralgraph.catalogue

PACKAGES = (neuralgraph, neuralgraph.catalogue)


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_that_is_offered_is_there(package):
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        found = getattr(package, name)
        assert name == "__version__" or found.__name__ in (name, f"{name}_archive")
        assert getattr(package, name) is found


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_not_offered_is_not_there(package):
    with pytest.raises(AttributeError, match=r"module 'neuralgraph.*' has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, neuralgraph, neuralgraph.catalogue; print('numpy' in sys.modules, neuralgraph.Study.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False Study\n"
