"""What was measured of each loss, kept so that a killed atlas goes on where it was."""

import hashlib
import inspect
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from acutance.losses import LOSSES
from acutance.storage import write_atomically
from acutance.study.atlas.cards import measure
from acutance.study.atlas.descent import Descent, descend
from acutance.study.atlas.shown import show
from acutance.study.atlas.sight import sights

QUALITY = 82  # of the strips as WebP: light enough to keep


def result(
    name: str, hr: Tensor, kept: Path, *, tell: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Everything measured of the loss `name`, from `kept` where its source is the same."""
    file, strip = kept / f"{name}.json", kept / f"{name}.webp"
    stamp = _stamp(name, hr)
    if file.exists() and strip.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["stamp"] == stamp:
            return found
    shown = show(name)
    descent = descend(shown, tell=lambda done, total: tell("pixels", done, total))
    seen = sights(shown.loss, hr, tell=lambda done, total: tell("distortions", done, total))
    data = {
        "stamp": stamp,
        "card": asdict(measure(name)),
        "sights": seen,
        "stages": [{"step": s.step, "psnr": s.psnr, "lpips": s.lpips} for s in descent.stages],
        "finite": descent.finite,
    }
    write_atomically(strip, _strip(descent))
    write_atomically(file, json.dumps(data, indent=1))
    return data


def _strip(descent: Descent) -> bytes:
    """The stages and the target side by side, two white pixels between them."""
    pictures = [*(stage.picture for stage in descent.stages), descent.target]
    gap = np.full((pictures[0].shape[1], 2, 3), 255, np.uint8)
    parts: list[np.ndarray] = []
    for picture in pictures:
        parts += [(picture * 255).round().byte().permute(1, 2, 0).numpy(), gap]
    file = io.BytesIO()
    Image.fromarray(np.concatenate(parts[:-1], axis=1)).save(file, "WEBP", quality=QUALITY)
    return file.getvalue()


def _stamp(name: str, hr: Tensor) -> str:
    """Of the loss's source, its constants and the pictures."""
    source = inspect.getsource(LOSSES.module(name))
    text = f"{source}{show(name).expression}{tuple(hr.shape)}{float(hr.double().sum()):.6f}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
