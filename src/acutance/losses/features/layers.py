"""Which maps a loss compares and how much each counts, as text: "0.1*conv1_2 + conv5_4"."""

import re
from collections.abc import Mapping

from acutance.errors import InputError

_PART = re.compile(r"(?:([0-9.]+(?:e[-+]?[0-9]+)?)\s*\*\s*)?([a-z]+[0-9]*(?:_[0-9]+)?)")
_OTHERS = {
    "alexnet": "relu1 + relu2 + relu3 + relu4 + relu5",
    "squeezenet": "relu1 + fire3 + fire5 + fire6 + fire7 + fire8 + fire9",
    "small": "relu1 + relu2 + relu3 + relu4",
    "pixels": "pixels",
}

# Wang et al.: Real-ESRGAN (ICCVW 2021): before the ReLU, after which most of block 5 is 0
BEFORE_RELU = {
    **_OTHERS,
    "vgg19": "0.1*conv1_2 + 0.1*conv2_2 + conv3_4 + conv4_4 + conv5_4",
    "vgg16": "0.1*conv1_2 + 0.1*conv2_2 + conv3_3 + conv4_3 + conv5_3",
    "alexnet": "conv1 + conv2 + conv3 + conv4 + conv5",
    "small": "conv1 + conv2 + conv3 + conv4",
}
# Gatys, Ecker, Bethge (CVPR 2016) for VGG19; Johnson, Alahi, Fei-Fei (ECCV 2016) for VGG16
AFTER_RELU = {
    **_OTHERS,
    "vgg19": "relu1_1 + relu2_1 + relu3_1 + relu4_1 + relu5_1",
    "vgg16": "relu1_2 + relu2_2 + relu3_3 + relu4_3",
}


def weighted_layers(text: str, net: str, usual: Mapping[str, str]) -> dict[str, float]:
    """The weights by name of the layer; "usual" stands for those that `usual` has for `net`."""
    if text == "usual":
        text = usual.get(net, "")
    found: dict[str, float] = {}
    for part in text.split("+"):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise InputError(
                f"The layers are a text such as '0.1*conv1_2 + conv3_4', or 'usual'; "
                f"'{part.strip()}' of {text!r} cannot be read."
            )
        name = match[2]
        if name in found:
            raise InputError(f"The layer '{name}' stands twice in {text!r}. Add its weights up.")
        found[name] = float(match[1] or 1)
    return found
