"""VIF: how much of what can be seen in the target can still be seen in the result."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.structure.maps import brightness, check_channels
from acutance.losses.structure.smoothing import smoothed
from acutance.losses.structure.windows import gaussian_taps

CONTRACT = Contract(
    source="Sheikh, Bovik: Image Information and Visual Quality (TIP 2006), in the pixel domain",
    injective=False,
    can_be_negative=True,
    channels=(1, 3),
    min_size=41,
    blind_to=("chroma",),
    memory=7,
    exceptions={
        "minimum_at_equality": "more contrast than the target's shows more of what is in it: hr "
        "with 1.2 times the contrast is better than hr",
    },
)
WINDOWS = (17, 9, 5, 3)  # sides of the Gaussians, a fifth of them their sigma
FLAT = 1e-4  # variance in squared levels below which a window of the target shows nothing


def vif(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    luma: bool = True,
    noise: float = 2.0,
) -> Float[Tensor, " n"]:
    """One minus VIF per picture: 0 for equal pictures, 1 for nothing in common, less for contrast.

    VIF = sum log(1 + g^2 vy / (s + noise)) / sum log(1 + vy / noise) over the windows of four
    sizes, pictures in levels 0 to 255: g = cov / vy is how much of the target's detail is left
    and s = vx - g cov what was added to it. Each size is the one before, smoothed by the next
    window, every second pixel. `noise` is the variance of the eye's own noise; 2 is the authors'.
    `luma` looks at brightness alone, otherwise it is the mean over the channels. The minimum is
    not at hr: 1.1 times its contrast gives -0.037. So use it beside a pixel loss of at least
    equal gradient.
    """
    if not noise > 0:
        raise InputError(f"vif's noise must be above 0, not {noise}.")
    sr, hr = prepared(sr, hr, "vif", min_side=41)
    check_channels(sr, "vif")
    x, y = (brightness(v) if luma else v for v in (sr, hr))
    # Variances do not change, and squares keep more digits, when the mean level is taken off.
    level = y.mean(dim=(2, 3), keepdim=True)
    x, y = (x - level) * 255, (y - level) * 255
    lost, all_there = x.new_zeros(x.shape[:2]), x.new_zeros(x.shape[:2])
    for place, window in enumerate(WINDOWS):
        taps = gaussian_taps(window, window / 5)
        if place:
            x, y = (smoothed(v, taps)[..., ::2, ::2] for v in (x, y))
        seen, there = _information(x, y, taps, noise)
        lost = lost + (there - seen).sum(dim=(2, 3))
        all_there = all_there + there.sum(dim=(2, 3))
    return (lost / all_there.clamp_min(1e-8)).mean(dim=1)


def _information(
    x: Tensor, y: Tensor, taps: tuple[float, ...], noise: float
) -> tuple[Tensor, Tensor]:
    """What is seen of the target in x and in itself, in nats, window by window.

    With s = vx - cov^2 / vy the first is log((vx + noise) / (s + noise)): no quotient of small
    variances is squared. Where cov <= 0 (the negative) nothing of the target is seen.
    """
    mx, my = smoothed(x, taps), smoothed(y, taps)
    vx = (smoothed(x * x, taps) - mx * mx).clamp_min(0)
    vy = (smoothed(y * y, taps) - my * my).clamp_min(0)
    cov = (smoothed(x * y, taps) - mx * my).clamp_min(0)
    shows = vy > FLAT
    vy = torch.where(shows, vy, 1.0)
    added = torch.where(shows, (vx * vy - cov * cov).clamp_min(0) / vy, vx)
    seen = torch.log((vx + noise) / (added + noise))
    return seen, torch.where(shows, torch.log1p(vy / noise), 0.0)
