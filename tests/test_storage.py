"""Where a file may be put: said before the work."""

import os
import stat

import pytest

from acutance.errors import InputError
from acutance.storage import check_free, replace, write_atomically


@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_not_there_is_free(tmp_path, overwrite):
    (tmp_path / "file").touch()
    check_free(tmp_path / "a.png", overwrite=overwrite)
    check_free(tmp_path / "none" / "a.png", overwrite=overwrite)
    check_free(tmp_path / "file" / "a.png", overwrite=overwrite)


def test_a_file_is_replaced_only_where_that_is_asked_for(tmp_path):
    (tmp_path / "a.png").touch()
    check_free(tmp_path / "a.png", overwrite=True)
    with pytest.raises(InputError, match=r"a\.png exists already\. Use --overwrite"):
        check_free(tmp_path / "a.png", overwrite=False)


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_is_replaced_by_no_file(tmp_path, overwrite):
    with pytest.raises(InputError, match="is a folder, which no file replaces"):
        check_free(tmp_path, overwrite=overwrite)


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(InputError, match=r"File name too long\. Give another name"):
        check_free(tmp_path / ("a" * 300), overwrite=True)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_file_that_only_its_owner_may_read_stays_so_when_it_is_replaced(tmp_path):
    path = tmp_path / "a.png"
    write_atomically(path, b"old")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o600)
    write_atomically(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)


@pytest.mark.parametrize(("system", "tries"), [("nt", 3), ("posix", 1)])
def test_windows_is_asked_again_while_a_file_is_open_elsewhere(
    tmp_path, monkeypatch, system, tries
):
    (tmp_path / "new").write_bytes(b"new")
    really, asked = os.replace, []

    def refuse_twice(source, target):
        asked.append(source)
        if len(asked) < 3:
            raise PermissionError(13, "Access is denied")
        really(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse_twice)
        patch.setattr(os, "name", system)
        try:
            replace(tmp_path / "new", tmp_path / "old")
        except PermissionError:
            asked.append("refused")
    assert len(asked) == tries + (system == "posix")
    assert (tmp_path / "old").exists() == (system == "nt")
