"""Which pictures a source means, which small one belongs to which, and what is held out."""

import re
from pathlib import Path

import pytest

from acutance.data.folders import find_originals, photo_paths, split_validation
from acutance.errors import InputError


@pytest.fixture
def touch(tmp_path):
    """Empty files: finding and pairing look at names alone."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def names(found):
    return [(o.set, o.name, o.lr.name if o.lr else None) for o in found.originals]


def test_a_folder_is_a_set_and_a_file_belongs_to_its_folder(touch):
    root = touch("a/2.png", "a/10.jpg", "b/x.png")
    found = find_originals([str(root / "a"), str(root / "b/x.png")], scale=2)
    assert names(found) == [("a", "2.png", None), ("a", "10.jpg", None), ("b", "x.png", None)]


def test_a_file_named_twice_counts_once(touch):
    root = touch("a/1.png")
    assert len(find_originals([str(root / "a"), str(root / "a/1.png")], scale=2).originals) == 1


def test_a_benchmark_folder_means_its_originals(touch):
    root = touch("Set5/HR/baby.png", "Set5/LR_bicubic/X2/babyx2.png")
    assert names(find_originals([str(root / "Set5")], scale=2)) == [("Set5", "baby.png", None)]
    assert photo_paths([str(root / "Set5"), "procedural:3"]) == [root / "Set5/HR/baby.png"]


def test_small_pictures_are_never_taken_for_originals(touch):
    root = touch("DIV2K_train_HR/1.png", "DIV2K_train_LR_bicubic/X2/1x2.png")
    with pytest.raises(InputError) as caught:
        find_originals([str(root)], scale=2)
    assert str(caught.value) == (
        f"{root} holds folders of lr pictures among the originals: DIV2K_train_LR_bicubic. "
        "Name the folder of the hr pictures."
    )


@pytest.mark.parametrize(("source", "count"), [("procedural", 200), ("procedural:7", 7)])
def test_drawn_pictures_are_numbered(source, count):
    found = find_originals([source], scale=2)
    assert [o.place for o in found.originals] == list(range(count))
    assert found.originals[3].name == "00003"


def test_drawn_pictures_mix_with_photographs(touch):
    root = touch("a/1.png")
    assert names(find_originals([str(root / "a"), "procedural:1"], scale=2)) == [
        ("a", "1.png", None),
        ("procedural", "00000", None),
    ]


@pytest.mark.parametrize("source", ["procedural:", "procedural:0", "procedural:-3", "procedural:x"])
def test_a_count_that_is_none_is_refused(source):
    with pytest.raises(InputError, match=re.escape(f"The source '{source}' has no usable count.")):
        find_originals([source], scale=2)


@pytest.mark.parametrize(
    ("hr", "lr", "given"),
    [
        ("HR/0001.png", "LR/0001x2.png", "LR"),
        ("HR/0001.png", "LR/0001.png", "LR"),
        ("HR/0001.png", "LR/0001.jpg", "LR"),
        ("DIV2K_train_HR/0001.png", "DIV2K_train_LR_bicubic/X2/0001x2.png", None),
        ("d/HR/0001.png", "d/LR/x2/0001.png", "d/LR"),
        ("HR/deep/0001.png", "LR/deep/0001x2.png", "LR"),
    ],
)
def test_partners_are_found_by_the_usual_names(touch, hr, lr, given):
    root = touch(hr, lr)
    folder = given or "DIV2K_train_LR_bicubic"
    hr_folder = root / Path(hr).parts[0] / ("HR" if hr.startswith("d/") else "")
    found = find_originals([str(hr_folder)], [str(root / folder)], scale=2)
    assert found.faults == ()
    assert [o.lr for o in found.originals] == [root / lr]


def test_other_scales_beside_the_partners_do_not_matter(touch):
    root = touch("HR/a.png", "LR/ax2.png", "LR/ax3.png", "LR/ax4.png")
    found = find_originals([str(root / "HR")], [str(root / "LR")], scale=3)
    assert [o.lr.name for o in found.originals] == ["ax3.png"]
    assert found.faults == ()


def test_every_picture_without_partner_is_named_on_both_sides(touch):
    root = touch("HR/a.png", "HR/b.png", "HR/c.png", "LR/bx2.png", "LR/cx2.png", "LR/c.png")
    root = touch("LR/lost.png")
    found = find_originals([str(root / "HR")], [str(root / "LR")], scale=2)
    assert [o.name for o in found.originals] == ["b.png"]
    assert [str(fault) for fault in found.faults] == [
        f"{root.name}: {root}/HR/a.png has no lr file: neither ax2 nor a is among them.",
        f"{root.name}: {root}/HR/c.png has 2 lr files, one is needed: "
        f"{root}/LR/cx2.png, {root}/LR/c.png.",
        f"{root.name}: {root}/LR/lost.png has no hr file.",
    ]


def test_sets_with_equal_names_pair_one_by_one(touch):
    root = touch("a/1.png", "b/1.png", "al/1.png", "bl/1.png")
    sources = [str(root / "a"), str(root / "b")]
    found = find_originals(sources, [str(root / "al"), str(root / "bl")], scale=2)
    assert [o.lr for o in found.originals] == [root / "al/1.png", root / "bl/1.png"]


def test_single_files_find_their_partners_in_one_folder(touch):
    """As after a part was held out: the partners of that part are left over without complaint."""
    root = touch("a/1.png", "a/2.png", "a/3.png", "al/1x2.png", "al/2x2.png", "al/3x2.png")
    found = find_originals(
        [str(root / "a/1.png"), str(root / "a/3.png")], [str(root / "al")], scale=2
    )
    assert [o.lr.name for o in found.originals] == ["1x2.png", "3x2.png"]
    assert found.faults == ()


def test_drawn_pictures_have_no_partners(touch):
    root = touch("al/1.png")
    with pytest.raises(InputError, match=r"Drawn pictures \('procedural'\) have no lr files"):
        find_originals(["procedural"], [str(root / "al")], scale=2)


@pytest.mark.parametrize(
    ("count", "share", "held"), [(2, 0.05, 1), (2, 0.9, 1), (100, 0.05, 5), (10, 0.99, 9)]
)
def test_at_least_one_and_at_most_all_but_one_are_held_out(count, share, held):
    train, validation = split_validation([Path(str(i)) for i in range(count)], share, seed=0)
    assert len(validation) == held
    assert sorted(train + validation) == sorted(Path(str(i)) for i in range(count))


def test_the_split_is_a_function_of_the_seed():
    items = list(range(50))
    first = split_validation(items, 0.2, seed=4)
    assert split_validation(items, 0.2, seed=4) == first
    assert split_validation(items, 0.2, seed=5) != first
    assert first[0] == sorted(first[0])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(InputError, match=f"held out for validation is {share}"):
        split_validation([1, 2, 3], share, seed=0)


def test_one_photograph_cannot_be_split():
    with pytest.raises(InputError, match="1 photograph cannot be split"):
        split_validation([1], seed=0)
