from neuralgraph.graph.origin import BUNDLED_WORDS, bundled_notice


def test_only_the_bundled_model_has_a_notice():
    assert "no diagnostic device" in bundled_notice("demo")
    assert bundled_notice("mine") == bundled_notice("") == ""
    assert "synthetic" in BUNDLED_WORDS
