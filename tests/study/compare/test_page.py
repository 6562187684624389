"""A study's page says first what was found, shows what that rests on, and stands alone."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from acutance.evaluation.scoring import Scores
from acutance.study.compare.figures.pictures import most_different
from acutance.study.compare.page import BICUBIC, write_page
from acutance.study.compare.wording import sentences
from acutance.study.score import evaluate

LOSSES = ("l1", "mse", "90% l1 + 10% focal_frequency(alpha=1.0)")
MOST_BYTES = 8 * 2**20


class Seen(HTMLParser):
    """Tags with their attributes, and the text, in the order of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(made) -> str:
    write_page(made.page, made.study, made.answers, made.runs, made.record)
    return made.page.read_text(encoding="utf-8")


@pytest.fixture
def without_lpips(monkeypatch):
    """LPIPS needs weights: bicubic is scored by PSNR and given a made-up LPIPS."""

    def score(model, data, *, scale, protocol, metrics, degrade):
        found = evaluate(
            model, data, scale=scale, protocol=protocol, metrics=("psnr",), degrade=degrade
        )
        rows = [row for row in found.rows if row.metric == "psnr"]
        rows += [type(r)(r.set, r.picture, "lpips", 0.4, r.protocol) for r in rows]
        return Scores("bicubic", scale, protocol, tuple(rows))

    monkeypatch.setattr("acutance.study.compare.page.evaluate", score)


def test_a_page_loads_nothing_from_outside(made_study):
    page = page_of(made_study(LOSSES, steps=(500, 2000)))
    assert re.findall(r'(?:src|href|action)\s*=\s*"(?!data:)[^"]*"', page) == []
    assert re.findall(r"https?://|url\(|@import", page) == []
    assert len(page.encode()) < MOST_BYTES


def test_the_verdict_comes_before_any_chart(made_study):
    made = made_study(LOSSES)
    page = page_of(made)
    for sentence in sentences(made.answers):
        assert page.index(sentence) < page.index('class="plot"')
        assert page.index(sentence) < page.index('class="track"')


def test_better_and_worse_have_a_word_and_a_shape(made_study):
    page = page_of(made_study(LOSSES))
    better = re.search(r'<span class="mark better"><svg [^>]*><path [^>]*/></svg> better', page)
    assert better is not None
    assert 'aria-label="mse against l1, 2,000 steps, Set5: +0.0' in page


def test_what_was_not_carried_out_is_said(made_study):
    made = made_study(LOSSES, unfinished=(("mse", 2),))
    page = page_of(made)
    assert "Not carried out: 1 run." in page
    assert page.index("mse, 2,000 steps, seed 2") < page.index('class="plot"')


def test_a_study_that_has_only_begun_has_a_page(made_study):
    made = made_study(("l1", "mse"), unfinished=tuple(("mse", s) for s in range(4)))
    page = page_of(made)
    assert "Nothing can be said yet" in page
    assert "Learning curves" in page


def test_a_study_without_one_run_has_a_page(made_study):
    unfinished = tuple((loss, s) for loss in LOSSES for s in range(4))
    assert "not begun" in page_of(made_study(LOSSES, unfinished=unfinished))


@pytest.mark.parametrize("hostile", ["l1 + 0.1*<script>alert(1)</script>", 'l1 + "><img src=x>'])
def test_a_loss_is_text_and_never_markup(made_study, hostile):
    page = page_of(made_study(("l1", hostile), steps=(500, 2000)))
    seen = Seen(page)
    assert len(seen.named("script")) == 1
    assert seen.named("img") == []
    assert "alert(1)</script>" not in page


def test_each_chart_holds_each_arm(made_study):
    page = page_of(made_study(LOSSES, steps=(500, 2000)))
    curves = page[page.index("<h2>Learning curves") : page.index("<h2>What the terms")]
    charts = re.findall(r'<svg class="plot".*?</figure>', curves, re.DOTALL)
    assert len(charts) == 2
    for chart in charts:
        assert [chart.count(f'class="arm n{k} c{k}"') for k in range(3)] == [1, 1, 1]
    winners = page[page.index("<h2>Who wins") : page.index("<h2>Learning curves")]
    for chart in re.findall(r'<svg class="plot".*?</figure>', winners, re.DOTALL):
        assert [chart.count(f'class="arm n{k} c{k}"') for k in range(3)] == [0, 1, 1]


def test_who_wins_is_drawn_for_several_budgets_only(made_study):
    assert "Who wins at which budget" not in page_of(made_study(LOSSES))


def test_who_wins_has_one_chart_a_set(made_study):
    page = page_of(made_study(LOSSES, steps=(500, 2000)))
    winners = page[page.index("<h2>Who wins") : page.index("<h2>Learning curves")]
    assert re.findall(r"<h3>(.*?)</h3>", winners) == ["Set5", "Set14", "B100"]


def test_terms_are_shown_of_sums_alone(made_study):
    page = page_of(made_study(LOSSES))
    terms = page[page.index("<h2>What the terms") : page.index("<h2>Scores")]
    assert re.findall(r"<h3>(.*?)</h3>", terms) == [LOSSES[2]]
    assert "+0.40" in terms


def test_losses_of_one_term_have_no_shares(made_study):
    assert "What the terms" not in page_of(made_study(("l1", "mse")))


@pytest.mark.usefixtures("without_lpips")
def test_perception_stands_beside_fidelity_with_bicubic(made_study):
    made = made_study(LOSSES, metrics=("psnr", "lpips"))
    page = page_of(made)
    plane = page[page.index("<h2>Fidelity and perception") : page.index("<h2>Learning curves")]
    assert "bicubic, no network: PSNR" in plane
    assert all(f"{loss}: PSNR" in plane for loss in LOSSES)
    kept = made.page.parent / BICUBIC
    before = kept.read_bytes()
    kept.write_bytes(before.replace(b"0.4", b"0.3"))
    assert "lpips 0.3" in page_of(made), "bicubic was scored again although its scores were kept"


def test_no_metric_of_perception_needs_no_plane(made_study):
    assert "Fidelity and perception" not in page_of(made_study(LOSSES))


def test_crops_show_what_is_compared(made_study):
    made = made_study(("l1", "mse"), models=True)
    page = page_of(made)
    labels = re.findall(r"<figcaption><b>(.*?)</b>", page)
    assert labels == ["small", "bicubic", "A  l1", "B  mse", "original"] * 4
    assert len(page.encode()) < MOST_BYTES


def test_a_page_without_models_has_no_crops(made_study):
    assert "Look closer" not in page_of(made_study(LOSSES))


def test_the_place_shown_is_where_results_differ_most():
    flat = np.full((160, 224, 3), 100, np.uint8)
    other = flat.copy()
    other[40:60, 130:150] = 200
    spread, (top, left) = most_different([flat, other])
    assert spread > 0
    assert top <= 40
    assert top + 96 >= 60
    assert left <= 130
    assert left + 96 >= 150


def test_everything_drawn_has_words(made_study):
    page = page_of(made_study(("l1", "mse"), models=True, steps=(500, 2000)))
    seen = Seen(page)
    assert all(image.get("alt") for image in seen.named("img"))
    for drawn in seen.named("svg"):
        if drawn.get("class", "").startswith(("plot", "track")):
            assert drawn.get("aria-label") or drawn.get("aria-hidden") == "true"
    assert len(seen.named("caption")) == len(seen.named("table"))
    assert all(cell.get("scope") for cell in seen.named("th"))


def test_a_page_tells_how_to_have_the_study_again(made_study):
    made = made_study(LOSSES)
    page = page_of(made)
    assert made.record["command"] in page
    for said in ("f00d", "torch 2.13.0", "seeds 0 to 3", "y@1", "2025-06-15"):
        assert said in page
