from neuralgraph.sources.layouts.headed_report import headed_report


def test_sections_under_their_names():
    assert headed_report({"findings": "Clear.", "impression": "Normal."}) == "FINDINGS:\nClear.\n\nIMPRESSION:\nNormal."


def test_empty_sections_have_no_heading():
    assert headed_report({"findings": " ", "impression": "Normal."}) == "IMPRESSION:\nNormal."
    assert headed_report({"findings": "", "impression": "\n"}) is None
