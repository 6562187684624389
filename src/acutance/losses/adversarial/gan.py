"""GAN: a second network learns to tell results from originals, and the first to deceive it."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.adversarial.discriminators import DISCRIMINATORS, Discriminator
from acutance.losses.adversarial.forms import AVERAGE_OVER_THE_BATCH, FORMS, Form, average_over
from acutance.losses.adversarial.layer import Layer
from acutance.losses.adversarial.penalties import gradient_penalty, squared_slope
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared


def smallest_side(*, discriminator: str = "patch") -> int:
    """The least side of a picture that this discriminator judges."""
    return DISCRIMINATORS[discriminator].least_side


CONTRACT = Contract(
    source="Goodfellow et al.: Generative Adversarial Nets (NeurIPS 2014), sec. 3; forms.py",
    at_identity=None,  # what a network thinks of the picture
    min_size=16,
    min_size_for=smallest_side,
    channels=(1, 3),
    can_be_negative=True,  # hinge, wasserstein and saturating
    memory=17,
    exceptions={
        "minimum_at_equality": "a discriminator may take anything for more real than the original",
        "descends": "a result that it takes for more real need not be nearer to the original",
    },
)
PENALTIES = ("none", "r1", "r2", "r1r2", "gradient")


class Gan(nn.Module):
    """What the generator pays per picture for results that the discriminator sees through.

    With logits z_f of sr and z_r of hr, sp(z) = log(1 + e^z) and means over the map of places:
    vanilla sp(-z_f); saturating -sp(z_f); relativistic_average half of sp(E z_r - z_f) +
    sp(z_r - E z_f); relativistic_pairing sp(z_r - z_f); hinge and wasserstein -z_f;
    least_squares (z_f - 1)^2. Not a distance: no value is special to sr == hr, and hinge,
    wasserstein and saturating have no least one. Beside it weights of 1e-3 (SRGAN), 5e-3 (ESRGAN)
    and 0.1 (Real-ESRGAN) are usual.

    E is the mean over the map of one picture (`mean` "map", our own) or, as in ESRGAN, over the
    "batch": then pictures depend on their neighbours, and a batch in parts is another one.
    `feature_matching` adds that many times the mean absolute difference of what each layer of
    the discriminator makes of sr and hr, summed over the layers (pix2pixHD, 2018).

    The rest is the discriminator's own. "patch" (38 x 38 pixels for every 8th), "unet" (every
    pixel) and "vgg" (the picture as a whole) are tiny forms for small networks. "patch:paper" (70
    x 70; pix2pix, 2017; 2.8 million parameters), "unet:paper" (Real-ESRGAN, 2021; 4.4) and
    "vgg:paper" (SRGAN, 2017; 23.6; patches of 96 pixels, "vgg:paper128" of 128) are the published
    ones without normalisation of the batch, by which pictures would see their neighbours. The map
    of a "vgg" has one place: there relativistic_average needs mean="batch", which is ESRGAN's game,
    and is the pairing without it. `width` is the number of channels at first, 0 for each one's
    own, 32 or as published 64. All know grey pictures as equal RGB.

    `label` below 1 asks for less certainty about originals. `penalty` fines the slope of the map's
    mean: "r1" gamma / 2 |slope|^2 at hr, "r2" at sr (Mescheder 2018), "gradient"
    gamma (|slope| - 1)^2 in between (Gulrajani 2017); each every `penalty_every` steps that many
    times over. Code that sums the map first needs another gamma, smaller by the squared number of
    places; on small patches r1 learns faster with 1 than with 10. Without a penalty, spectral
    normalisation bounds the slope.

    The discriminator learns at the steps at which the term counts, by an Adam of its own at
    `rate`. `ahead` lets it begin before the term's `start`, by so many steps (a whole number) or
    that share of the run; the network does not feel it meanwhile. `learns_every` k lets it learn
    at every k-th step from where it begins, whatever the term's `every` is: with every=2,
    learns_every=1 it takes two steps for one of the network, with learns_every=2 and every=1 one
    for two.
    """

    def __init__(
        self,
        *,
        kind: Literal[
            "vanilla",
            "saturating",
            "relativistic_average",
            "relativistic_pairing",
            "hinge",
            "least_squares",
            "wasserstein",
        ] = "vanilla",
        mean: Literal["map", "batch"] = "map",
        feature_matching: float = 0.0,
        discriminator: Literal[
            "patch", "patch:paper", "unet", "unet:paper", "vgg", "vgg:paper", "vgg:paper128"
        ] = "patch",
        width: int = 0,
        label: float = 1.0,
        penalty: Literal["none", "r1", "r2", "r1r2", "gradient"] = "none",
        gamma: float = 10.0,
        penalty_every: int = 16,
        rate: float = 1e-4,
        ahead: int | float = 0.0,
        learns_every: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.form = _form(kind, mean, label)
        if discriminator not in DISCRIMINATORS or penalty not in PENALTIES:
            raise InputError(
                f"gan's discriminator is one of {', '.join(DISCRIMINATORS)} and its penalty one of "
                f"{', '.join(PENALTIES)}, not {discriminator!r} and {penalty!r}."
            )
        if feature_matching < 0 or width < 0 or not gamma > 0 or penalty_every < 1 or not rate > 0:
            raise InputError(
                "gan takes feature_matching and width from 0, penalty_every from 1, gamma and rate "
                f"above 0, not feature_matching={feature_matching}, width={width}, "
                f"penalty_every={penalty_every}, gamma={gamma}, rate={rate}."
            )
        _check_moments(ahead, learns_every)
        self.feature_matching, self.label = feature_matching, label
        self.penalty, self.gamma, self.penalty_every = penalty, gamma, penalty_every
        self.rate, self.ahead, self.learns_every, self.seed = rate, ahead, learns_every, seed
        network = DISCRIMINATORS[discriminator]
        self.least_side, self.sure = network.least_side, self.form.sure
        self.discriminator = network.build(width, seed, spectral=penalty == "none")
        self.judged: Tensor | None = None

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        """The generator's side; nothing reaches the discriminator's weights."""
        sr, hr = self._checked(sr, hr)
        with torch.autocast(sr.device.type, enabled=False):
            z_f, fake = self._judge(sr, learning=False)
            if not (self.form.compares or self.feature_matching):
                return self.form.generator(z_f, z_f)
            z_r, real = self._judge(hr, learning=False)
            value = self.form.generator(z_f, z_r)
            if not self.feature_matching:
                return value
            apart = [mean_per_picture((a - b).abs()) for a, b in zip(fake, real, strict=True)]
            return value + self.feature_matching * torch.stack(apart).sum(dim=0)

    def discriminate(self, sr: Tensor, hr: Tensor, *, turn: int = 0, first: int = 0) -> Tensor:
        """What the discriminator pays per picture, (n,), fines included; nothing reaches sr.

        `turn` counts its steps: the fines are due in each `penalty_every`-th of them. `first` is
        the place of the first picture in the batch, for the random numbers of "gradient". Leaves
        the mean logits of results and originals, (2,), in `judged`.
        """
        sr, hr = self._checked(sr.detach(), hr)
        with torch.autocast(sr.device.type, enabled=False):
            z_f, z_r = self._logits(torch.cat([sr, hr])).chunk(2)
            self.judged = torch.stack([z_f.detach().mean(), z_r.detach().mean()])
            value = self.form.discriminator(z_f, z_r, self.label)
            if self.penalty == "none" or turn % self.penalty_every:
                return value
            return value + self.penalty_every * self._fine(sr, hr, turn, first)

    def look_across(self, mean: Callable[[Tensor], Tensor]) -> None:
        """Take `mean` for E where that is over a batch of which this process holds a slice."""
        if self.form is AVERAGE_OVER_THE_BATCH:
            self.form = average_over(mean)

    def settle(self) -> None:
        """Follow the weights with what spectral normalisation knows of them; once a step."""
        for layer in self.modules():
            if isinstance(layer, Layer):
                layer.settle()

    def _checked(self, sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
        sr, hr = prepared(sr, hr, "gan", min_side=self.least_side)
        if sr.shape[1] not in CONTRACT.channels:
            raise InputError(f"gan takes pictures of 1 or 3 channels, not {sr.shape[1]}.")
        return sr, hr

    def _fine(self, sr: Tensor, hr: Tensor, turn: int, first: int) -> Tensor:
        if self.penalty == "gradient":
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
            mixing = torch.rand(first + sr.shape[0], generator=generator)[first:, None, None, None]
            return self.gamma * gradient_penalty(self._verdict, sr, hr, mixing.to(sr))
        places = {"r1": (hr,), "r2": (sr,), "r1r2": (hr, sr)}[self.penalty]
        slopes = [squared_slope(self._verdict, place) for place in places]
        return self.gamma / 2 * torch.stack(slopes).sum(dim=0)

    def _verdict(self, pictures: Tensor) -> Tensor:
        """One number a picture: what the fines take the slope of."""
        return mean_per_picture(self._logits(pictures))

    def _logits(self, pictures: Tensor) -> Tensor:
        return self._judge(pictures, learning=True)[0]

    def _judge(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        network: Discriminator = self.discriminator
        return network(2 * pictures.expand(-1, 3, -1, -1) - 1, learning=learning)


def _form(kind: str, mean: str, label: float) -> Form:
    """The game by its name; raises InputError for what it has no use for."""
    if kind not in FORMS:
        raise InputError(f"gan's kind is one of {', '.join(FORMS)}, not {kind!r}.")
    if mean not in ("map", "batch") or (mean == "batch" and kind != "relativistic_average"):
        raise InputError(
            f"gan's mean is 'map' or, with kind='relativistic_average', 'batch'; not {mean!r} "
            f"with kind={kind!r}."
        )
    form = AVERAGE_OVER_THE_BATCH if mean == "batch" else FORMS[kind]
    if not 0.5 < label <= 1 or (label != 1 and not form.has_label):
        raise InputError(
            f"gan's label is above 0.5 and at most 1, not {label}; hinge and wasserstein know no "
            "labels, so that it stays 1."
        )
    return form


def _check_moments(ahead: int | float, learns_every: int) -> None:
    if not ahead >= 0 or (isinstance(ahead, float) and ahead >= 1) or learns_every < 0:
        raise InputError(
            "gan's ahead is a number of steps (whole, 0 or more) or a share of the run (below 1), "
            f"and learns_every 0 or more, not ahead={ahead}, learns_every={learns_every}."
        )
