"""The words to type before a merge can be typed by everybody, on any keyboard."""

from __future__ import annotations

from types import SimpleNamespace

from flows.merge.assent import assent_for, faults


def merge(name, number):
    return SimpleNamespace(preview=SimpleNamespace(survivor=SimpleNamespace(display_name=name, number=number)))


def asked(*clients):
    assent = assent_for([merge(*client) for client in clients])
    return assent.what, assent.text, assent.merge


def test_the_name_of_the_last_client_kept_is_asked_for_else_its_number():
    assert asked(("Abe & Co. (Bern)", "0001"), ("O'Neill-Sons, Ltd", "0002")) == ("name", "O'Neill-Sons, Ltd", 2)
    for name in ("田中 & 鈴木 製作所 札幌 合同会社", "Müller", "Аптека", "a\nb", "\u202eabc", "…", "x" * 61, "", None):
        assert asked(("Abe", "0001"), (name, "0002")) == ("number", "0002", 2)


def test_another_merge_is_asked_for_before_a_plain_word():
    assert asked(("Abe", "0001"), ("田中", "第二")) == ("name", "Abe", 1)
    assert asked(("鈴木", None), ("田中", "--")) == ("word", "merge", 2)
    assert faults(assent_for([merge("田中", None)]), "", " Merge ") == {}
