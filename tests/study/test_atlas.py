"""The atlas: cards, what losses see against the noise of the same cost, where they lead."""

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from acutance.errors import InputError
from acutance.study.atlas import pages
from acutance.study.atlas.cards import measure
from acutance.study.atlas.descent import STEPS, descend
from acutance.study.atlas.distortions import DISTORTIONS, blur, noise
from acutance.study.atlas.heat import heat_map, shorten
from acutance.study.atlas.scenes import photograph, scenes
from acutance.study.atlas.shown import show
from acutance.study.atlas.sight import sights
from acutance.study.atlas.text import card_page, card_text
from acutance.training.display import Silent

pytest.importorskip("skimage", reason="scikit-image's photographs are an extra")


@pytest.fixture(scope="module")
def hr():
    return torch.cat([photograph("astronaut.png", 96), photograph("coffee.png", 96)])


def test_every_distortion_gets_worse_with_its_strength(hr):
    for distortion in DISTORTIONS:
        errors = [
            (distortion.make(hr, s) - hr).square().mean().sqrt() for s in distortion.strengths
        ]
        assert errors[0] > 1e-4, distortion.name
        assert errors[0] < errors[1] < errors[2], distortion.name
        assert all(distortion.make(hr, s).shape == hr.shape for s in distortion.strengths)


def test_noise_has_the_strength_it_says(hr):
    assert (noise(hr, 10) - hr).std().item() * 255 == pytest.approx(10, rel=0.02)


def test_blur_keeps_the_mean_of_a_flat_picture():
    flat = torch.full((1, 3, 20, 20), 0.3)
    torch.testing.assert_close(blur(flat, 2), flat)


def test_a_squared_error_sees_every_distortion_as_what_it_is(hr):
    """By its definition: noise of the same mean square is noise of the same cost."""
    seen = sights(show("mse").loss, hr)
    assert set(seen) == {d.name for d in DISTORTIONS}
    for ratios in seen.values():
        assert ratios == pytest.approx([1, 1, 1], rel=0.03)


def test_what_is_blind_is_seen_to_be(hr):
    gradient = sights(show("gradient").loss, hr)
    assert gradient["brightness"][1] < 0.1
    assert gradient["noise"][1] == pytest.approx(1, rel=0.05)
    assert sights(show("mean_colour").loss, hr)["wrong texture"][2] < 0.5
    assert (
        sights(show("ssim").loss, hr)["blur"][2]
        > 2 * sights(show("ssim").loss, hr)["brightness"][2]
    )


def test_pictures_that_a_distortion_leaves_alone_do_not_count(hr):
    """A squared error sees every distortion as 1; grey pictures have no saturation to lose."""
    grey = hr.mean(dim=1, keepdim=True).expand_as(hr)
    seen = sights(show("mse").loss, torch.cat([hr, grey]))
    assert seen["saturation"][1] == pytest.approx(1, rel=0.05)


def test_the_card_measures_l1_as_itself():
    card = measure("mae")
    assert (card.name, card.aliases, card.family) == ("l1", ("mae",), "pixel")
    assert all(r.relative == pytest.approx(1) and r.cosine > 0.999 for r in card.readings)
    text = card_text(asdict(card))
    assert "Mean of |sr - hr| per picture" in text
    assert "t^1" in text


def test_the_card_names_blind_spots_and_exceptions():
    text = card_text(asdict(measure("total_variation")))
    assert "offset: all values plus 0.1" in text
    assert "exception, minimum_at_equality" in text


def test_an_unknown_loss_has_no_card():
    with pytest.raises(InputError, match="Unknown loss 'l3'"):
        measure("l3")


def test_pixels_driven_down_a_squared_error_reach_the_target():
    descent = descend(show("mse"), tell=lambda _done, _total: None)
    first, last = descent.stages[0], descent.stages[-1]
    assert last.step == STEPS
    assert descent.finite
    assert last.psnr > first.psnr + 10


def test_the_figure_is_a_picture_of_all_cells():
    figure = ET.fromstring(heat_map({"l1": [1.0, 0.01], "ssim": [3.0, 12.0]}, ["noise", "blur"]))
    texts = [element.text for element in figure.iter() if element.tag.endswith("text")]
    assert texts == ["noise", "blur", "l1", "1.0", "0.01", "ssim", "3.0", "12"]
    assert shorten(0.0949) == "0.09"


def test_the_atlas_is_written_and_a_second_time_taken_from_what_was_kept(tmp_path, monkeypatch, hr):
    monkeypatch.setattr(pages, "own_losses", lambda: ["l1", "mse"])
    monkeypatch.setattr(pages, "scenes", lambda _data: (hr[:1, :, :48, :48], ("one picture",)))
    monkeypatch.setattr("acutance.study.atlas.descent.STEPS", 10)
    monkeypatch.setattr("acutance.study.atlas.descent.KEPT", (0, 3, 10))
    folder, kept = tmp_path / "docs", tmp_path / "kept"
    folder.mkdir()
    (folder / "gone.md").write_text("of a loss that is no more", encoding="utf-8")
    pages.write_atlas(folder, kept, None, Silent())
    names = {path.name for path in folder.iterdir()}
    pages_of_losses = {"l1.md", "l1.webp", "mse.md", "mse.webp"}
    assert names == {"README.md", pages.FIGURE, pages.NUMBERS, *pages_of_losses}
    page = (folder / "mse.md").read_text(encoding="utf-8")
    assert "![Pixels driven down mse](mse.webp)" in page
    assert "Counted on one picture." in page
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert "[mse](mse.md)" in index
    numbers = json.loads((folder / pages.NUMBERS).read_text(encoding="utf-8"))
    assert numbers["mse"]["sees"]["brightness"] == pytest.approx(1, rel=0.1)  # as noise does
    assert numbers["mse"]["psnr"][1] > numbers["mse"]["psnr"][0]
    first = json.loads((kept / "mse.json").read_text(encoding="utf-8"))
    monkeypatch.setattr("acutance.study.atlas.results.descend", None)  # would fail if called
    pages.write_atlas(folder, kept, None, Silent())
    assert card_page(first, "one picture") == (folder / "mse.md").read_text(encoding="utf-8")


def test_scenes_without_test_sets_are_free_photographs():
    pictures, sources = scenes(None)
    assert pictures.shape == (3, 3, 192, 192)
    assert sources == ("3 photographs of scikit-image",)


def test_the_atlas_in_the_documents_has_a_page_for_each_loss():
    """`make atlas` after a loss was added: what is measured already is kept."""
    folder = Path(__file__).parents[2] / "docs" / "losses"
    numbers = json.loads((folder / pages.NUMBERS).read_text(encoding="utf-8"))
    assert sorted(numbers) == sorted(pages.own_losses())
    assert {path.stem for path in folder.glob("*.md")} == {*numbers, "README"}
    assert {path.stem for path in folder.glob("*.webp")} == set(numbers)
