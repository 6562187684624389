"""The networks by name; nothing is imported before one is built, so the table needs no torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from acutance.catalog import Catalog

if TYPE_CHECKING:
    from torch import nn

MODELS = Catalog(
    "network",
    {
        "compact": "acutance.models.compact:Compact",
        "edsr": "acutance.models.edsr:Edsr",
        "espcn": "acutance.models.espcn:Espcn",
        "esrgan": "acutance.models.esrgan:Esrgan",
        "fsrcnn": "acutance.models.fsrcnn:Fsrcnn",
        "imdn": "acutance.models.imdn:Imdn",
        "lapsrn": "acutance.models.lapsrn:Lapsrn",
        "pan": "acutance.models.pan:Pan",
        "progressive": "acutance.models.progressive:Progressive",
        "rlfn": "acutance.models.rlfn:Rlfn",
        "span": "acutance.models.span:Span",
        "srcnn": "acutance.models.srcnn:Srcnn",
        "srresnet": "acutance.models.srresnet:Srresnet",
        "vdsr": "acutance.models.vdsr:Vdsr",
    },
    "acutance.models",
    called_elsewhere={
        "rrdb": "esrgan",
        "rrdbnet": "esrgan",
        "srgan": "srresnet",
        "srvggnet": "compact",
    },
)


def split_name(name: str) -> tuple[str, str | None]:
    """Take "compact:nano" apart into network and preset; the preset is None where none is named."""
    network, colon, preset = name.partition(":")
    return network, preset if colon else None


def build(
    name: str,
    *,
    scale: int,
    channels: int | None = None,
    arguments: Mapping[str, bool | int | float | str] | None = None,
    head: str = "",
) -> "nn.Module":
    """Make an untrained network, such as "compact:small"; without a preset, its first one.

    `channels` is 1 for luma and 3 for RGB (the preset's where not given); `arguments` replace
    single constants of the preset. With the `head` "spread" it gives {"sr", "log_scale"}: the
    picture, and how sure it is of each value.
    """
    from acutance.models.building import describe, instantiate

    card = describe(name, scale=scale, channels=channels, arguments=arguments, head=head)
    return instantiate(card)
