"""A study in a browser: the page that shows .ngr files, alone with a file inside, or served to this machine only.

- ``page``: the viewer's page, and the page with a file inside it
- ``serving``: a server for one page and a few files, on the loopback address, behind an address that nobody can guess
"""

from __future__ import annotations

from neuralgraph.adapters.viewer.page import page_with, viewer_page
from neuralgraph.adapters.viewer.serving import Serving

__all__ = ["Serving", "page_with", "viewer_page"]
