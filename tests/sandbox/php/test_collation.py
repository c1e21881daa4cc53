from __future__ import annotations

from sandbox.php.collation import compare, like


def test_equal_without_regard_to_case_accents_and_blanks_behind():
    assert compare("Zürich ", "ZURICH") == 0
    assert compare("Straße", "strasse") == 0
    assert compare("Łódź", "lodz") != 0
    assert compare("🚀", "🎉") == 0


def test_like_compares_letter_by_letter():
    assert like("%zurich%", "Neu-ZÜRICH AG")
    assert not like("%strasse%", "Straße")
    assert like("%straße%", "STRAßE 1")
    assert not like("%aero%", "Ærø")
    assert like("%ærø%", "Ærø")


def test_wildcards_and_their_escape():
    assert like("u_d%", "under")
    assert like(r"%10\%%", "10% off")
    assert not like(r"%10\%%", "100 off")
    assert like("%\\%", "ends in %")
    assert not like("%*%", "no star")
    assert not like("%", None)
    assert like("%a%", "line\na")
