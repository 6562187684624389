"""A sheet to be looked at: what each stage of a degradation does, and what else may be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acutance.data.degradations.chain import Drawn, passes
from acutance.data.degradations.contract import as_bytes
from acutance.data.degradations.crops import draw_for
from acutance.imaging.resample import resize
from acutance.study.degrading import Degradation, fitting

COLUMNS = 6
PANEL = 192  # px, the side of what is shown of each picture, of sheet and hr alike
GAP, MARGIN, LEAD = 14, 20, 17  # between panels, round the sheet, from line to line
WIDTH = 2 * MARGIN + COLUMNS * PANEL + (COLUMNS - 1) * GAP
TITLE, BODY = 15, 13  # sizes of the letters
PAPER, INK, PALE = "#ffffff", "#1d1d1f", "#6e6e73"
COARSE = 4  # hr pixels to one where the piece is looked for: what is finer, lr does not show


@dataclass(frozen=True, eq=False)
class Panel:
    """A piece of a picture as it is shown, its name, and what is said below the name."""

    pixels: np.ndarray  # (PANEL, PANEL, 3)
    name: str
    words: tuple[str, ...]  # set side by side, a new line where one does not fit


def draw_sheet(
    pixels: np.ndarray, by: Degradation, *, name: str, seed: int = 0, others: int = COLUMNS
) -> Image.Image:
    """The stages of the first draw in their order, then the lr of so many `others`.

    `pixels` is uint8 (H, W, 1 or 3); `name` that of its file without the ending, on which the
    draws depend. Of every picture the same piece is shown at the size it has in hr, the pixels
    of a smaller one as squares: the piece in which there is most to see.
    """
    hr = fitting(pixels, by, said=name)
    window = _liveliest(hr)
    stages = _stages(hr, window, by, draw_for(name, seed=seed))
    rest = [
        _other(hr, window, by, draw_for(name, seed=seed, number=number), number)
        for number in range(1, others + 1)
    ]
    parts = [(f"{name}, {by.label}, x{by.scale}, seed {seed}", stages)]
    parts += [("other draws", rest)] if rest else []
    return _drawn_sheet(parts)


Window = tuple[float, float, float, float]
"""Top, left, height and width of what is shown, as shares of the picture's height and width."""


def _stages(
    hr: np.ndarray, window: Window, by: Degradation, draw: np.random.Generator
) -> list[Panel]:
    panels = [Panel(_piece(hr, window), "hr", (_size(hr),))]
    before = hr.shape
    for stage, picture in passes(hr, by.chain, scale=by.scale, draw=draw):
        resized = () if picture.shape == before else (f"to {_size(picture)}",)
        piece = _piece(picture, window)
        if stage is not None:
            name = f"{len(panels)}  {stage.name}"
            panels.append(Panel(piece, name, (*_options(stage), *resized)))
        elif resized or len(panels) == 1:
            panels.append(Panel(piece, "lr", (_size(picture),)))
        else:  # the last stage's, rounded
            panels[-1] = replace(panels[-1], pixels=piece, name=f"{panels[-1].name}: lr")
        before = picture.shape
    return panels


def _other(
    hr: np.ndarray, window: Window, by: Degradation, draw: np.random.Generator, number: int
) -> Panel:
    names: list[str] = []
    lr = hr
    for stage, picture in passes(hr, by.chain, scale=by.scale, draw=draw):
        lr = picture
        names += [] if stage is None else [stage.name]
    return Panel(_piece(lr, window), f"draw {number + 1}", tuple(names))


def _options(stage: Drawn) -> tuple[str, ...]:
    """What was drawn or written; an option that the chain leaves out says nothing."""
    return tuple(
        f"{key}={value if isinstance(value, str) else f'{value:.3g}'}"
        for key, value in stage.options.items()
        if key in stage.written
    )


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def _piece(picture: np.ndarray, window: Window) -> np.ndarray:
    """(PANEL, PANEL, 3): each of its pixels is the one of `picture` that lies there."""
    rows, columns = (
        ((start + (np.arange(PANEL) + 0.5) / PANEL * share) * side)
        .astype(np.intp)
        .clip(0, side - 1)
        for start, share, side in zip(window[:2], window[2:], picture.shape[:2], strict=True)
    )
    cut = as_bytes(picture[rows[:, None], columns])
    return np.repeat(cut, 3, axis=2) if cut.shape[2] == 1 else cut


def _liveliest(hr: np.ndarray) -> Window:
    """The square in which neighbours differ most once the picture is made coarse.

    A difference beyond a tenth of the range counts as a tenth: many edges, not one hard one. A
    picture that is smaller than a panel is shown as far as its shorter side goes.
    """
    height, width = hr.shape[:2]
    side = min(PANEL, height, width)
    coarse = np.array([max(2, height // COARSE), max(2, width // COARSE)])
    small = resize(hr, size=(int(coarse[0]), int(coarse[1])), kernel="box").astype(np.float32)
    small = small.mean(axis=2)
    across = np.minimum(np.abs(np.diff(small, axis=1))[1:], 25)
    down = np.minimum(np.abs(np.diff(small, axis=0))[:, 1:], 25)
    sums = np.pad((across + down).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    rows, columns = (max(min(side // COARSE, n - 1), 1) for n in coarse.tolist())
    inside = sums[rows:, columns:] - sums[:-rows, columns:]
    inside = inside - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    start = np.minimum([int(top) * COARSE, int(left) * COARSE], [height - side, width - side])
    return (start[0] / height, start[1] / width, side / height, side / width)


def _drawn_sheet(parts: Sequence[tuple[str, Sequence[Panel]]]) -> Image.Image:
    """Each part with its headline, its panels in rows; a row is as high as its longest words."""
    body = ImageFont.load_default(size=BODY)
    head = TITLE + GAP
    rows = [
        (title if start == 0 else "", panels[start : start + COLUMNS])
        for title, panels in parts
        for start in range(0, len(panels), COLUMNS)
    ]
    heights = [
        (head if title else 0)
        + PANEL
        + LEAD * (1 + max(len(_lines(panel.words, body)) for panel in row))
        + 2 * GAP
        for title, row in rows
    ]
    sheet = Image.new("RGB", (WIDTH, 2 * MARGIN + sum(heights) - 2 * GAP), PAPER)
    y = MARGIN
    for (title, row), height in zip(rows, heights, strict=True):
        _draw_row(sheet, y, title, row)
        y += height
    return sheet


def _draw_row(sheet: Image.Image, y: int, title: str, row: Sequence[Panel]) -> None:
    draw = ImageDraw.Draw(sheet)
    large, body = ImageFont.load_default(size=TITLE), ImageFont.load_default(size=BODY)
    if title:
        draw.text((MARGIN, y), _shortened(title, large, WIDTH - 2 * MARGIN), fill=INK, font=large)
        y += TITLE + GAP
    for place, panel in enumerate(row):
        x = MARGIN + place * (PANEL + GAP)
        sheet.paste(Image.fromarray(panel.pixels), (x, y))
        below = y + PANEL + 5
        draw.text((x, below), panel.name, fill=INK, font=body)
        for number, line in enumerate(_lines(panel.words, body), 1):
            draw.text((x, below + number * LEAD), line, fill=PALE, font=body)


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _lines(words: Sequence[str], font: Font) -> list[str]:
    """The words with commas between, in lines that are no wider than a panel."""
    lines: list[str] = []
    for place, word in enumerate(words):
        said = word if place == len(words) - 1 else f"{word},"
        longer = f"{lines[-1]} {said}" if lines else said
        if lines and font.getlength(longer) <= PANEL:
            lines[-1] = longer
        else:
            lines.append(_shortened(said, font, PANEL))
    return lines


def _shortened(text: str, font: Font, width: int) -> str:
    """What is too wide ends in dots."""
    if font.getlength(text) <= width:
        return text
    while font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."
