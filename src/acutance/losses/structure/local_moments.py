"""Local moments: brightness and contrast of the neighbourhood of each pixel, not its pattern."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.smoothing import smoothed


def smallest_side(*, window: int = 7) -> int:
    """One window, in pixels."""
    return window


CONTRACT = Contract(
    source="practice; means and deviations as in Wang, Bovik, Sheikh, Simoncelli: SSIM (TIP 2004), "
    "sec. III-B",
    injective=False,
    symmetric=True,
    min_size=7,
    min_size_for=smallest_side,
    memory=10.5,
    exceptions={
        "blind_spots": "a pattern that repeats every window may be moved, but no change that the "
        "check knows leaves means and deviations of every picture the same"
    },
)
GREY = 0.5  # the middle of the range; the mean of a picture would follow the order of its sum


def local_moments(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    window: int = 7,
    eps: float = 1e-3,
) -> Float[Tensor, " n"]:
    """Half of <|m(sr) - m(hr)|> + <|s(sr) - s(hr)|> per picture.

    m is the mean of `window` x `window` pixels of a channel, s = sqrt(variance + eps^2) their
    standard deviation, at every place where the window fits. eps, in the unit of the pictures,
    rounds off the corner of the root where a window is flat. SSIM compares the same two and the
    pattern besides: here grain of the right strength is as good as the right grain.
    """
    if window < 3 or window % 2 == 0 or not eps > 0:
        raise InputError(
            f"local_moments takes an odd window of 3 pixels or more and eps above 0, not "
            f"window={window} and eps={eps}."
        )
    sr, hr = prepared(sr, hr, "local_moments", min_side=smallest_side(window=window))
    (mean, spread), (wanted, grain) = (_moments(v, window, eps) for v in (sr, hr))
    return mean_per_picture((mean - wanted).abs() + (spread - grain).abs()) / 2


def _moments(pictures: Tensor, window: int, eps: float) -> tuple[Tensor, Tensor]:
    """Means less GREY, round which squares keep their digits, and deviations."""
    taps = (1 / window,) * window
    around = pictures - GREY
    mean = smoothed(around, taps)
    variance = smoothed(around.square(), taps) - mean.square()
    return mean, (variance.clamp_min(0) + eps**2).sqrt()
