"""What writes the pages of ``docs/`` that nobody writes by hand: ``python -m docs.tools``, ``--check`` to compare only.

``measurements`` makes a page of each file in bench/results with the chapter of its name in ``chapters``; ``front_page``
the results that the first page begins with; ``attacks`` a page from the vectors; ``floors`` the drawing of the package.
``tables`` is what they share. ``pages`` (made pages, navigation) and ``docstrings`` are loaded by mkdocs.yml when the
site is built: ``mkdocs build --strict``.
"""
