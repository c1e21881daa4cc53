"""The folder in which duplicates are found is there as long as a search uses it."""

from flows.configuration.load import place_of
from flows.dedupe.working import working_folder
from warehouse.engine.place import WORKING, staging_of


def test_a_search_does_not_remove_the_files_of_another_and_the_last_removes_all(told):
    folder = staging_of(place_of(told)) / WORKING
    with working_folder(told) as first:
        assert first == folder
        (first / "spilt").write_text("in use")
        with working_folder(told) as second:
            (second / "left by a killed search").write_text("")
        assert (first / "spilt").read_text() == "in use"
    assert not folder.exists()
    with working_folder(told):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
