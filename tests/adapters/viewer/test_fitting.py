"""The viewer fits its window, can be read, and names what can be operated."""

from __future__ import annotations

import pytest
from browsers import empty_page

from tests.adapters.viewer.conftest import alone


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_the_window_in_light_and_dark(browser, tmp_path, file, scheme, width):
    with empty_page(browser, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        alone(page, tmp_path, file)
        assert page.get_attribute("html", "data-theme") == scheme
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#theme")
        assert page.get_attribute("html", "data-theme") != scheme
        assert contrast(page, "#verdict", "header") >= 4.5
        assert contrast(page, "#film-title", "#film-panel") >= 4.5
        assert contrast(page, "#facts dt", "#facts") >= 4.5


def contrast(page, text, ground):
    """Contrast of WCAG 2 between the colour of a text and the ground behind it."""

    def luminance(selector, property):
        colour = page.eval_on_selector(selector, f"e => getComputedStyle(e).{property}")
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(text, "color"), luminance(ground, "backgroundColor")), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_everything_that_can_be_operated_has_a_name(page, tmp_path, file):
    alone(page, tmp_path, file)
    nameless = page.eval_on_selector_all(
        "button, [role=button], input:not([hidden])",
        """all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels ?? []).length))
            .map(e => e.outerHTML.slice(0, 90))""",
    )
    assert nameless == []
