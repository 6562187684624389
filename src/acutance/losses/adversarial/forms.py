"""The games that a discriminator and a generator can play: what each of the two pays, by logits.

z_f are the logits of results, z_r those of originals, (n, 1, h, w): one judgement a place. All
that has a logarithm goes through softplus, sp(z) = log(1 + e^z): log(sigmoid(-104)) is -inf in
float32, and -sp(104) is -104.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from acutance.losses.inputs import mean_per_picture


@dataclass(frozen=True)
class Form:
    """What both sides pay, (n,) each; the discriminator also gets the label of originals.

    `sure` is how far mean logits lie apart where nothing is left to learn: 8 in the games of
    probabilities, where each side is 98 % sure; nearly the labels or margins in others.
    """

    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor, float], Tensor]
    compares: bool = False  # the generator's side depends on z_r
    has_label: bool = True  # the originals' label means something in it
    sure: float = 8.0


def _real(z: Tensor, label: float) -> Tensor:
    """Cross entropy of "this is an original" against a label between 1/2 and 1."""
    return label * F.softplus(-z) + (1 - label) * F.softplus(z)


def _vanilla_generator(z_f: Tensor, _z_r: Tensor) -> Tensor:
    """-log D."""
    return mean_per_picture(F.softplus(-z_f))


def _saturating_generator(z_f: Tensor, _z_r: Tensor) -> Tensor:
    """log(1 - D), whose slope vanishes where the discriminator is sure of itself."""
    return -mean_per_picture(F.softplus(z_f))


def _vanilla_discriminator(z_f: Tensor, z_r: Tensor, label: float) -> Tensor:
    return mean_per_picture(_real(z_r, label) + F.softplus(z_f))


def _pairing_generator(z_f: Tensor, z_r: Tensor) -> Tensor:
    return mean_per_picture(F.softplus(z_r - z_f))


def _pairing_discriminator(z_f: Tensor, z_r: Tensor, label: float) -> Tensor:
    return mean_per_picture(_real(z_r - z_f, label))


def average_over(mean: Callable[[Tensor], Tensor]) -> Form:
    """More real than the others are on average; `mean` says which others."""

    def generator(z_f: Tensor, z_r: Tensor) -> Tensor:
        pays = F.softplus(mean(z_r) - z_f) + F.softplus(z_r - mean(z_f))
        return mean_per_picture(pays) / 2

    def discriminator(z_f: Tensor, z_r: Tensor, label: float) -> Tensor:
        pays = _real(z_r - mean(z_f), label) + F.softplus(z_f - mean(z_r))
        return mean_per_picture(pays) / 2

    return Form(generator, discriminator, compares=True)


def _over_the_map(z: Tensor) -> Tensor:
    return mean_per_picture(z)[:, None, None, None]


def _over_the_batch(z: Tensor) -> Tensor:
    return z.mean()


def _least_squares_generator(z_f: Tensor, _z_r: Tensor) -> Tensor:
    return mean_per_picture((z_f - 1).square())


def _least_squares_discriminator(z_f: Tensor, z_r: Tensor, label: float) -> Tensor:
    return mean_per_picture((z_r - label).square() + z_f.square())


def _critic_generator(z_f: Tensor, _z_r: Tensor) -> Tensor:
    return -mean_per_picture(z_f)


def _hinge_discriminator(z_f: Tensor, z_r: Tensor, _label: float) -> Tensor:
    return mean_per_picture(F.relu(1 - z_r) + F.relu(1 + z_f))


def _wasserstein_discriminator(z_f: Tensor, z_r: Tensor, _label: float) -> Tensor:
    return mean_per_picture(z_f - z_r)


FORMS = {
    # Goodfellow et al. (NeurIPS 2014): sec. 3 has both; the first is the one that trains
    "vanilla": Form(_vanilla_generator, _vanilla_discriminator),
    "saturating": Form(_saturating_generator, _vanilla_discriminator),
    # Jolicoeur-Martineau (ICLR 2019), with the mean over the map of one picture: no picture is
    # judged by its neighbours in the batch
    "relativistic_average": average_over(_over_the_map),
    # Jolicoeur-Martineau (ICLR 2019), sec. 4.1; Huang et al.: R3GAN (NeurIPS 2024)
    "relativistic_pairing": Form(_pairing_generator, _pairing_discriminator, compares=True),
    # Lim, Ye: Geometric GAN (2017); Zhang et al.: SAGAN (ICML 2019)
    "hinge": Form(_critic_generator, _hinge_discriminator, has_label=False, sure=1.9),
    # Mao et al.: Least Squares GAN (ICCV 2017), with a = 0, b = c = 1 and without the halves
    "least_squares": Form(_least_squares_generator, _least_squares_discriminator, sure=0.85),
    # Arjovsky, Chintala, Bottou: Wasserstein GAN (ICML 2017)
    "wasserstein": Form(
        _critic_generator, _wasserstein_discriminator, has_label=False, sure=float("inf")
    ),
}
# As ESRGAN has it: the mean over the whole batch, so that its pictures depend on each other.
AVERAGE_OVER_THE_BATCH = average_over(_over_the_batch)
