"""White Gaussian noise, one per channel or one for all."""

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage, as_levels

STAGE = Stage(
    text="White Gaussian noise",
    options={
        "sigma": Option(10.0, "its standard deviation in levels of 255", high=255.0),
        "grey": Option(0.0, "the chance that all channels get the same noise", high=1.0),
        "clip": Option(
            "no", "whether to cut to 0..255 here, as Real-ESRGAN and BSRGAN do",
            choices=("no", "yes"),
        ),
    },
    source="Zhang et al., DnCNN (TIP 2017); Wang et al., Real-ESRGAN (ICCVW 2021), sec. 3.1",
)  # fmt: skip


def noise(picture: np.ndarray, aim: Aim, *, sigma: float, grey: float, clip: str) -> np.ndarray:
    """(h, w, c) float32: the picture and noise of mean 0 and standard deviation `sigma`.

    What leaves 0..255 stays, unless `clip` is 'yes'. At the end of a chain both are the same.
    Before a stage that averages they are not: cut noise makes black brighter and white darker, by
    0.4 sigma, which no later stage takes back.
    """
    shared = aim.draw.random() < grey  # drawn whatever `grey` is: the noise stays the same
    shape = (*picture.shape[:2], 1) if shared else picture.shape
    noisy = aim.draw.standard_normal(shape, dtype=np.float32)
    noisy *= np.float32(sigma)
    noisy = noisy + as_levels(picture)
    return noisy.clip(0.0, 255.0, out=noisy) if clip == "yes" else noisy
