"""Files are there whole or not at all."""

from pathlib import Path

import pytest

from training.files import replacing


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("half")
        assert path.read_text() == "old"
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path], "something was left beside it"


def test_an_error_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise OSError("The disk is full")

    with pytest.raises(OSError, match="disk is full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path], "something was left beside it"


def test_two_may_write_the_same_file_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "new" / "0.npy"
    with replacing(path) as first, replacing(path) as second:
        assert first.name == second.name == path.name, "torch.save writes the name into the file"
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first", "the last to end is the one that stays"
