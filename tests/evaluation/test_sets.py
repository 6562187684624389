"""Test sets are found in the folders they are published in."""

from pathlib import Path

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.evaluation.sets import find_set
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture


def put(*paths: Path) -> None:
    for path in paths:
        write_picture(path, Picture(np.zeros((4, 4, 3), np.uint8)))


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        find_set(folder)
    return str(caught.value)


def test_a_set_and_its_folder_of_originals_are_the_same(tmp_path: Path) -> None:
    hr = tmp_path / "Set5" / "HR"
    put(hr / "img10.png", hr / "img2.png", tmp_path / "Set5" / "LR_bicubic" / "X2" / "img2x2.png")
    for folder in (tmp_path / "Set5", hr):
        found = find_set(folder)
        assert found.name == "Set5"
        assert found.pictures == (hr / "img2.png", hr / "img10.png")


def test_a_flat_folder_is_a_set_without_the_folders_below(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "a.png", tmp_path / "mine" / "LR" / "a.png")
    found = find_set(tmp_path / "mine")
    assert (found.name, found.pictures) == ("mine", (tmp_path / "mine" / "a.png",))


def test_a_set_is_named_after_its_folder_from_within_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "Set5" / "HR" / "a.png")
    monkeypatch.chdir(tmp_path / "Set5" / "HR")
    assert find_set(Path()).name == "Set5"


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == (
        f"{tmp_path / 'none'} is not a folder. Name the folder of a test set, such as Set5."
    )
    put(tmp_path / "deep" / "below" / "a.png")
    assert refusal(tmp_path / "deep") == (
        f"{tmp_path / 'deep'} holds no pictures of its own, only folders. Name one of these."
    )
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in refusal(tmp_path / "empty")


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", tmp_path / "a.png")
    assert refusal(tmp_path) == (
        f"{tmp_path / 'a.jpg'} and {tmp_path / 'a.png'} would both be scored as 'a'. "
        "Rename or remove one of them."
    )
