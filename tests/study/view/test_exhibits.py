"""What is shown: matched by name, never more than was named, whatever files are called."""

import json
import os
import threading

import numpy as np
import pytest
from tests.conftest import drawn_picture
from tests.study.view.conftest import PHOTOS, cut

from acutance.errors import InputError
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.study.loopback.page import as_json_in_html
from acutance.study.loopback.server import Request
from acutance.study.view.opening import Wanted, _references, open_exhibition
from acutance.study.view.page import page
from acutance.study.view.scoring import open_judging
from acutance.study.view.shown import Shown
from acutance.study.view.site import Site

HOSTILE = ("<script>alert(1)</script>", "a\"b'c", "</script><img src=x onerror=alert(1)>",
           "two\nlines", "%2e%2e", "&amp;<!--", "\u202egnp.exe", "C:\\x")  # fmt: skip


def shown_of(*sides, **more) -> Shown:
    exhibition = open_exhibition(Wanted(tuple(map(str, sides)), **more))
    judging = open_judging(("psnr", "ssim"), "y@1", exhibition.scale)
    return Shown(exhibition, judging if exhibition.has_reference else None)


def ask(site, *parts, **query):
    return site(Request("GET", parts, query))


def test_folders_are_matched_by_name(desk):
    shown = shown_of(desk / "soft", desk / "blocks", reference=str(desk / "hr"), scale=2)
    exhibition = shown.exhibition
    assert exhibition.names == ("soft", "blocks")
    assert [item.name for item in exhibition.items] == list(PHOTOS)
    assert np.array_equal(shown.pixels(1, "r"), cut("chelsea"))
    assert np.array_equal(shown.pixels(1, "s0"), read_rgb(desk / "soft" / "chelsea_x2.png"))
    assert shown.layers(0) == ["s0", "s1", "r"]
    assert shown.info(0) == {
        "sizes": dict.fromkeys(("s0", "s1", "r"), (128, 128)), "frame": (128, 128)
    }  # fmt: skip


def test_one_thread_reads_ahead_and_the_newest_wish_alone(desk, monkeypatch):
    shown = shown_of(desk / "soft", desk / "blocks")
    begun, go, done = threading.Event(), threading.Event(), threading.Event()
    read = []

    def info(item):
        read.append((item, threading.current_thread().daemon))
        begun.set()
        go.wait(5)
        if item == 2:
            done.set()
        raise InputError("what fails is told to whoever asks for it")

    monkeypatch.setattr(shown, "info", info)
    before = threading.active_count()
    shown.ahead(0)
    begun.wait(5)
    for item in (0, 1, 1, 2, 3):  # there is no 3
        shown.ahead(item)
    assert threading.active_count() <= before + 1
    go.set()
    assert done.wait(5)
    assert read == [(0, True), (2, True)]


def test_single_files_stand_beside_each_other_whatever_their_names(desk):
    shown = shown_of(desk / "soft" / "coffee_x2.png", desk / "hr" / "chelsea.png")
    assert shown.exhibition.names == ("coffee_x2.png", "chelsea.png")
    assert len(shown.exhibition.items) == 1
    assert not shown.exhibition.has_reference


def test_a_file_finds_its_reference_in_a_folder(desk):
    shown = shown_of(desk / "soft" / "coffee_x2.png", reference=str(desk / "hr"))
    assert [item.name for item in shown.exhibition.items] == ["coffee"]
    assert np.array_equal(shown.pixels(0, "r"), cut("coffee"))


def test_two_folders_of_one_name_are_told_apart(desk, tmp_path):
    write_picture(tmp_path / "soft" / "coffee.png", Picture(cut("coffee")))
    assert shown_of(desk / "soft", tmp_path / "soft").exhibition.names == ("soft (1)", "soft (2)")


def test_a_model_is_applied_to_what_bicubic_makes_of_the_reference(desk):
    """bicubic is one: its picture is that of the folder soft/, which was made so."""
    shown = shown_of("bicubic", desk / "soft", reference=str(desk / "hr"), scale=2)
    assert np.array_equal(shown.pixels(2, "s0"), shown.pixels(2, "s1"))
    assert shown.small(2).shape == (64, 64, 3)
    assert shown.scores(2)["rows"][0]["values"] == shown.scores(2)["rows"][1]["values"]


def test_the_reference_of_a_model_is_cut_to_a_multiple_of_its_scale(tmp_path):
    write_picture(tmp_path / "odd.png", Picture(drawn_picture(0, 65, 50)))
    shown = shown_of("bicubic", reference=str(tmp_path / "odd.png"), scale=3)
    assert shown.info(0)["sizes"] == {"s0": (48, 63), "r": (48, 63)}


def test_a_bundled_model_enlarges_by_its_own_scale(desk):
    shown = shown_of("bicubic", "nano-x2", reference=str(desk / "hr"))
    assert shown.exhibition.scale == 2
    bicubic, nano = (row["values"][0] for row in shown.scores(0)["rows"])
    assert nano > bicubic


def test_a_run_without_a_reference_shows_its_newest_samples(tmp_path):
    for step in (5, 10):
        path = tmp_path / "a" / "samples" / "cat" / f"step-{step:08d}.png"
        write_picture(path, Picture(np.full((8, 8, 3), step, np.uint8)))
    (tmp_path / "a" / "run.toml").write_text("")
    write_picture(tmp_path / "b" / "cat.png", Picture(np.zeros((8, 8, 3), np.uint8)))
    shown = shown_of(tmp_path / "a", tmp_path / "b")
    assert [item.name for item in shown.exhibition.items] == ["cat"]
    assert (shown.pixels(0, "s0") == 10).all()


def test_scores_are_those_of_evaluate(desk):
    from acutance.study.score import evaluate

    scores = evaluate("bicubic", desk / "hr", scale=2)
    shown = shown_of(desk / "soft", reference=str(desk / "hr"), scale=2)
    found = shown.scores(1)
    expected = [row.value for row in scores.rows if row.picture == "chelsea"]
    assert found["rows"] == [{"name": "soft", "values": expected}]
    assert found["protocol"] == "y@1 at x2"
    assert [head["name"] for head in found["metrics"]] == ["psnr", "ssim"]


def test_without_a_scale_the_whole_picture_is_scored_and_that_is_said(desk):
    shown = shown_of(desk / "hr", desk / "soft", reference=str(desk / "hr"))
    found = shown.scores(0)
    assert found["rows"][0]["values"] == [None, 1.0]  # JSON has no infinity
    assert "no scale is known" in found["protocol"]


def test_a_picture_of_another_size_is_shown_and_not_scored(desk, tmp_path):
    write_picture(tmp_path / "small" / "coffee.png", Picture(cut("coffee", 64)))
    shown = shown_of(tmp_path / "small", reference=str(desk / "hr"))
    found = shown.scores(0)
    assert found["rows"] == []
    assert found["notes"] == [
        "small is not scored: it has 64x64 pixels, the reference 128x128."
    ]  # fmt: skip
    assert shown.info(0)["frame"] == (128, 128)


@pytest.mark.parametrize(
    ("sides", "more", "words"),
    [
        (("hr",), {}, "One thing alone"),
        (("nothing-here", "hr"), {}, "neither a picture nor a folder"),
        (("nothing-here",), {"reference": "hr"}, "There is no model at"),
        (("hr",), {"reference": "absent"}, "absent does not exist"),
        (("hr", "soft/coffee_x2.png", "blocks/chelsea.png"), {"reference": "other"}, "does not"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(desk, monkeypatch, sides, more, words):
    monkeypatch.chdir(desk)
    with pytest.raises(InputError, match=words):
        shown_of(*sides, **more)


def test_names_in_nothing_but_one_side_are_refused(desk, tmp_path):
    write_picture(tmp_path / "other" / "cat.png", Picture(cut("coffee")))
    with pytest.raises(InputError, match=r"No picture is in two.*'cat'"):
        shown_of(tmp_path / "other", desk / "hr")


def test_a_link_out_of_the_folder_is_left_out(desk, tmp_path):
    write_picture(tmp_path / "secret.png", Picture(cut("coffee")))
    folder = tmp_path / "open"
    write_picture(folder / "chelsea.png", Picture(cut("chelsea")))
    (folder / "coffee.png").symlink_to(tmp_path / "secret.png")
    (folder / "astronaut.png").symlink_to("chelsea.png")  # stays within
    (folder / "below").symlink_to(tmp_path)
    exhibition = open_exhibition(Wanted((str(folder), str(desk / "hr"))))
    assert [item.name for item in exhibition.items] == ["astronaut", "chelsea"]
    assert len(exhibition.remarks) == 1
    assert "coffee.png is left out" in exhibition.remarks[0]


def small(path):
    write_picture(path, Picture(np.zeros((8, 8, 3), np.uint8)))


def test_a_picture_of_a_name_that_is_taken_is_left_out_and_said(tmp_path):
    for name in ("baby_x2.png", "baby_x4.png", "bird.png", "bird.webp"):
        small(tmp_path / "a" / name)
    for name in ("baby.png", "bird.png"):
        small(tmp_path / "b" / name)
    exhibition = open_exhibition(Wanted((str(tmp_path / "a"), str(tmp_path / "b"))))
    assert [item.name for item in exhibition.items] == ["baby", "bird"]
    other, scaled = exhibition.remarks
    assert other == f"{tmp_path / 'a' / 'bird.webp'} is left out: bird.png has the same name."
    assert scaled.startswith("baby_x4 of a is left out: baby_x2 is the same picture")


def test_equal_names_in_two_references_are_said(tmp_path):
    """The references of a study are several folders; the first has the name."""
    for path in ("set1/a.png", "set1/b.png", "set2/a.png"):
        small(tmp_path / path)
    remarks = []
    side = _references([str(tmp_path / "set1"), str(tmp_path / "set2")], remarks)
    assert list(side.pictures) == ["a", "b"]
    assert remarks == ["a of set2 is left out: set1 has one, too."]


def test_a_file_that_becomes_a_link_out_is_refused_when_it_is_read(desk, tmp_path):
    write_picture(tmp_path / "secret.png", Picture(cut("coffee")))
    write_picture(tmp_path / "open" / "coffee.png", Picture(cut("chelsea")))
    shown = shown_of(tmp_path / "open", desk / "hr")
    (tmp_path / "open" / "coffee.png").unlink()
    (tmp_path / "open" / "coffee.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError, match="has become a link out of its folder"):
        shown.pixels(0, "s0")


def test_a_given_folder_may_itself_be_a_link(desk, tmp_path):
    (tmp_path / "linked").symlink_to(desk / "soft")
    shown = shown_of(tmp_path / "linked", desk / "hr")
    assert len(shown.exhibition.items) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_hostile_names_are_data_of_the_page_and_nothing_else(tmp_path):
    pixels = np.zeros((8, 8, 3), np.uint8)
    for folder in ("one", "<b>two"):
        for name in HOSTILE:
            write_picture(tmp_path / folder / f"{name.replace('/', '∕')}.png", Picture(pixels))
    site = Site(shown_of(tmp_path / "one", tmp_path / "<b>two"))
    text = ask(site).body.decode()
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>two" not in text
    inside = text.partition('id="data">')[2].partition("</script>")[0]
    names = {item["name"] for item in json.loads(inside)["items"]}
    assert names == {name.replace("/", "∕") for name in HOSTILE}
    assert json.loads(inside)["names"] == ["one", "<b>two"]


def test_the_page_allows_its_own_parts_alone(desk):
    answer = ask(Site(shown_of(desk / "soft", desk / "hr")))
    assert "'unsafe" not in answer.policy
    assert answer.policy.startswith("default-src 'none'; connect-src 'self'; ")
    for word in ("script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"):
        assert word in answer.policy
    text = answer.body.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert " style=" not in text
    alone, policy = page({"served": False})
    assert f'content="{policy}"' in alone
    assert "connect-src 'none'" in policy


def test_data_cannot_end_its_element():
    text = as_json_in_html({"a": "</script><!-- & \u2028"})
    assert "<" not in text
    assert "&" not in text
    assert json.loads(text) == {"a": "</script><!-- & \u2028"}


@pytest.mark.parametrize(
    "parts",
    [("info", "9"), ("info", "-1"), ("info", "x"), ("info", "0x1"), ("info", "１"), ("scores", "0"),
     ("tile", "0", "s9", "0", "0", "0"), ("tile", "0", "s-1", "0", "0", "0"),
     ("tile", "0", "g0-abc", "0", "0", "0"), ("tile", "0", "d0-", "0", "0", "0"),
     ("tile", "0", "", "0", "0", "0"), ("tile", "0", "r", "0", "0", "0")],
)  # fmt: skip
def test_what_is_not_there_is_refused_in_words(desk, parts):
    site = Site(shown_of(desk / "soft", desk / "hr"))
    with pytest.raises(InputError, match=r"no picture|not a number|no '|no reference"):
        ask(site, *parts)


def test_pieces_beyond_a_picture_and_unknown_addresses_are_not_found(desk):
    site = Site(shown_of(desk / "soft", desk / "hr"))
    assert ask(site, "tile", "0", "s0", "0", "1", "0").status == 404
    assert ask(site, "tile", "0", "s0", "1", "0", "0").status == 404
    assert ask(site, "etc", "passwd").status == 404
    assert site(Request("POST", ("info", "0"), {})).status == 405


def test_a_gain_has_bounds(desk):
    site = Site(shown_of(desk / "soft", desk / "blocks"))
    assert ask(site, "tile", "0", "d0-1", "0", "0", "0", gain="4").kind == "image/png"
    with pytest.raises(InputError, match="from 1 to 255"):
        ask(site, "tile", "0", "d0-1", "0", "0", "0", gain="0")
