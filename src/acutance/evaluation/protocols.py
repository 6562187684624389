"""What exactly a score means: each protocol is one row, named and versioned."""

from dataclasses import dataclass
from typing import Literal

from acutance.catalog import nearest
from acutance.errors import InputError


@dataclass(frozen=True)
class Protocol:
    """How pictures are made small, enlarged and compared.

    Every protocol first crops the original at the top left to a multiple of the scale.
    """

    name: str
    border: int  # left out at each edge, in original pixels per unit of scale
    channel: Literal["luma", "rgb"]  # what is compared
    resampling: Literal[
        "rgb uint8", "luma float", "luma uint8"
    ]  # what is made small, and whether it is rounded
    rounding: Literal["rgb", "luma"]  # what is rounded to 8 bits before comparison
    source: str

    @property
    def enlarges_luma(self) -> bool:
        """Whether luma alone passes through the method, not the colours."""
        return self.resampling != "rgb uint8"


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="y@1",
            border=1,
            channel="luma",
            resampling="rgb uint8",
            rounding="rgb",
            source=(
                "How networks are scored since Lim et al.: Enhanced Deep Residual Networks for "
                "Single Image Super-Resolution (CVPR workshops 2017), sec. 4. Luma is not "
                "rounded; a grey original is replicated to RGB."
            ),
        ),
        Protocol(
            name="table@1",
            border=1,
            channel="luma",
            resampling="luma float",
            rounding="luma",
            source=(
                "The bicubic row of the comparison tables since Kim et al.: Accurate Image "
                "Super-Resolution Using Very Deep Convolutional Networks (CVPR 2016). The "
                "original's luma is rounded first, the small luma is not; a grey original is its "
                "own luma. Set5 and B100 agree to 0.0001 in SSIM; the published Set14 row is up "
                "to 0.0008 higher, by a rule that is not known."
            ),
        ),
        Protocol(
            name="rgb@1",
            border=1,
            channel="rgb",
            resampling="rgb uint8",
            rounding="rgb",
            source=(
                "This project's: y@1 on the colours, PSNR over the three channels jointly, SSIM "
                "their mean. Lim et al. (as for y@1) score DIV2K so, but leave out scale + 6 "
                "pixels at each edge."
            ),
        ),
        Protocol(
            name="grey@1",
            border=0,
            channel="luma",
            resampling="luma uint8",
            rounding="luma",
            source=(
                "Restoration of Y as a grey picture, the whole of it compared: Dong et al.: "
                "Compression Artifacts Reduction by a Deep Convolutional Network (ICCV 2015), "
                "sec. 4; Zhang et al.: Beyond a Gaussian Denoiser (TIP 2017). Y is rounded to 8 "
                "bits before it is degraded, and the result before it is compared."
            ),
        ),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name; an unknown one is refused with the nearest."""
    if name not in PROTOCOLS:
        raise InputError(f"Unknown protocol '{name}'. {nearest(name, PROTOCOLS)}")
    return PROTOCOLS[name]
