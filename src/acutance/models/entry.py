"""How a network begins when it works at 1/m of the size of its input: unshuffled or strided."""

from torch import nn

from acutance.errors import InputError


def entry_multiple(*, unshuffle: int, strided: int) -> int:
    """The m by which the network's own pixels are larger than those of lr; 1 for the plain entry.

    Raises InputError where both entries are asked for.
    """
    if unshuffle > 1 and strided > 1:
        raise InputError(
            f"A network begins either with unshuffle = {unshuffle} or with strided = {strided}, "
            "not with both. Leave one of them at 1."
        )
    return unshuffle * strided


def entry_convolution(channels: int, features: int, *, unshuffle: int, strided: int) -> nn.Conv2d:
    """The first convolution behind the entry.

    3x3 over the m^2 channels of an unshuffled picture (Shi et al., CVPR 2016, run backwards; as
    FFDNet begins: Zhang, Zuo, Zhang, TIP 2018); or one of stride m. That one's kernel is 2m wide,
    2m + 1 where m is odd: only a kernel as even or odd as m has its middle in the middle of the
    m x m pixels that it stands for, so that nothing is shifted. At m = 1 both are the plain 3x3.
    """
    if strided == 1:
        return nn.Conv2d(channels * unshuffle**2, features, kernel_size=3, padding=1)
    kernel = strided_kernel(strided)
    return nn.Conv2d(channels, features, kernel, stride=strided, padding=(kernel - strided) // 2)


def strided_kernel(strided: int) -> int:
    """Side of the strided convolution's kernel."""
    return 2 * strided + strided % 2


def entry_of_kernel(shape: tuple[int, ...], channels: int) -> dict[str, int] | None:
    """The constants of the entry whose convolution has weights of `shape`; None for none of ours.

    `shape` is (features, channels seen, side, side). The inverse of `entry_convolution`.
    """
    seen, side = shape[1], shape[2]
    if side == 3:
        unshuffle = round((seen / channels) ** 0.5)
        found = {"unshuffle": unshuffle, "strided": 1}
        return found if unshuffle >= 1 and channels * unshuffle**2 == seen else None
    strided = side // 2
    is_ours = strided > 1 and strided_kernel(strided) == side and seen == channels
    return {"unshuffle": 1, "strided": strided} if is_ours else None
