"""The pictures of docs/desk.md, as `make screenshots` takes them."""

from __future__ import annotations

from PIL import Image

from tests.flows.desk.screenshots import FOLDER, WIDTH, named

LARGEST = 100_000


def test_each_picture_of_the_desk_is_shown_and_small():
    files = {file.stem: file for file in FOLDER.iterdir()}
    assert set(files) == named()
    assert {name for name, file in files.items() if file.stat().st_size > LARGEST} == set()
    for file in files.values():
        with Image.open(file) as picture:
            assert picture.width == WIDTH
