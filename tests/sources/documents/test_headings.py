import pytest

from neuralgraph.sources.documents.headings import heading_of_code, heading_of_words


@pytest.mark.parametrize(
    ("code", "heading"), [("59776-5", "FINDINGS"), ("121073", "IMPRESSION"), (" imp ", "IMPRESSION"), ("99999-9", "")]
)
def test_codes(code, heading):
    assert heading_of_code(code) == heading


@pytest.mark.parametrize(
    ("words", "heading"),
    [
        ("Reason for study", "INDICATION"),
        ("History and indication", "INDICATION"),
        ("Prior findings", "COMPARISON"),
        ("Addendum to the impression", "ADDENDUM"),
        ("Conclusion", "IMPRESSION"),
        ("Observations", "FINDINGS"),
        ("Signature", ""),
    ],
)
def test_words(words, heading):
    assert heading_of_words(words) == heading
