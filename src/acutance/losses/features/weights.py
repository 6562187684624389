"""Trained weights that losses use: what there is, from whom, under which terms, and where.

None come with the package. They lie in the user's folder, put there by `acutance weights`.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses.features.architectures import NETS, TRAINED

Shapes = dict[str, tuple[int, ...]]
_TORCHVISION = "https://download.pytorch.org/models"
_LPIPS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1"
)
_BSD3 = "BSD-3-Clause (torchvision); trained on ImageNet, whose terms are non-commercial research"
_BSD2 = "BSD-2-Clause (Zhang et al.)"


@dataclass(frozen=True)
class Known:
    """A publisher's file. `sha256` is of the file as published, before it is converted."""

    name: str
    url: str
    sha256: str
    size: int  # about how many bytes are loaded
    licence: str
    purpose: str
    others: tuple[str, ...] = ()  # what such a file is called in $ACUTANCE_DATA/weights

    @property
    def file(self) -> str:
        """Its name in the user's folder."""
        return f"{self.name}.safetensors"


KNOWN = {
    known.name: known
    for known in (
        Known(
            "alexnet",
            f"{_TORCHVISION}/alexnet-owt-7be5be79.pth",
            "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            244_408_911,
            _BSD3,
            "lpips; net='alexnet'",
            ("alexnet_features.safetensors",),
        ),
        Known(
            "vgg16",
            f"{_TORCHVISION}/vgg16-397923af.pth",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            553_433_881,
            _BSD3,
            "lpips(net='vgg'), dists; net='vgg16'",
            ("vgg16_features.safetensors", "vgg16_features_block12.safetensors"),
        ),
        Known(
            "vgg19",
            f"{_TORCHVISION}/vgg19-dcbb9e9d.pth",
            "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            574_673_361,
            _BSD3,
            "perceptual, gram_style and most losses of features",
            ("vgg19_features.safetensors",),
        ),
        Known(
            "squeezenet1_1",
            f"{_TORCHVISION}/squeezenet1_1-b8a52dc0.pth",
            "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
            4_958_839,
            _BSD3,
            "lpips(net='squeeze'); net='squeezenet'",
            ("squeezenet1_1_features.safetensors",),
        ),
        Known(
            "lpips_alex",
            f"{_LPIPS}/alex.pth",
            "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
            6_009,
            _BSD2,
            "lpips",
            ("lpips_alex_v0.1.safetensors",),
        ),
        Known(
            "lpips_vgg",
            f"{_LPIPS}/vgg.pth",
            "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
            7_289,
            _BSD2,
            "lpips(net='vgg')",
            ("lpips_vgg_v0.1.safetensors",),
        ),
        Known(
            "lpips_squeeze",
            f"{_LPIPS}/squeeze.pth",
            "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
            11_000,
            _BSD2,
            "lpips(net='squeeze')",
            ("lpips_squeeze_v0.1.safetensors",),
        ),
        Known(
            "dists",
            "https://raw.githubusercontent.com/dingkeyan93/DISTS/master/DISTS_pytorch/weights.pt",
            "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
            13_000,
            "MIT (Ding et al.)",
            "dists",
            ("dists.safetensors",),
        ),
    )
}


# Channels of the maps that the heads of LPIPS weigh.
HEADS = {
    "lpips_alex": (64, 192, 384, 256, 256),
    "lpips_vgg": (64, 128, 256, 512, 512),
    "lpips_squeeze": (64, 128, 256, 384, 384, 512, 512),
}


def known(name: str) -> Known:
    """The entry `name`; InputError with the nearest name for an unknown one."""
    if name not in KNOWN:
        raise InputError(f"Unknown weights '{name}'. {nearest(name, KNOWN)}")
    return KNOWN[name]


def user_folder() -> Path:
    """Where this user's weights lie: $ACUTANCE_WEIGHTS, or the platform's folder for data."""
    if own := os.environ.get("ACUTANCE_WEIGHTS"):
        return Path(own).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "acutance" / "weights"


def places(name: str) -> list[Path]:
    """Files that hold the weights `name`: the user's first, then those of $ACUTANCE_DATA."""
    entry = known(name)
    candidates = [user_folder() / entry.file]
    if data := os.environ.get("ACUTANCE_DATA"):
        candidates += [Path(data) / "weights" / other for other in entry.others]
    return [path for path in candidates if path.is_file()]


def shapes_of(name: str) -> Shapes:
    """What a whole file of the weights `name` holds."""
    if name == "dists":  # of the picture itself and of five maps of VGG16
        return {key: (1, 1475, 1, 1) for key in ("alpha", "beta")}
    if name in HEADS:
        return {f"lin{k}.weight": (1, width, 1, 1) for k, width in enumerate(HEADS[name])}
    (net,) = (net for net, trained in TRAINED.items() if trained == name)
    return {key: shape for layer in NETS[net] for key, shape in layer.shapes.items()}


def stored_shapes(path: Path) -> Shapes:
    """Names and shapes in a safetensors file; InputError for a damaged one."""
    try:
        with safe_open(path, framework="np") as file:
            names: list[str] = list(file.keys())
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a whole safetensors file ({error}). Remove it and get it anew."
        ) from error


def lacking(path: Path, shapes: Shapes) -> list[str]:
    """Names of `shapes` that the file has not, or has in another shape."""
    there = stored_shapes(path)
    return [name for name, shape in shapes.items() if there.get(name) != shape]


def how_to_get(name: str) -> str:
    """The sentence that ends an error about missing weights."""
    size = known(name).size / 2**20
    amount = f"{size:.0f} MiB" if size >= 1 else "some KiB"
    return (
        f"Load them once by 'acutance weights get {name}' ({amount}), or give a file you have to "
        f"'acutance weights add FILE'."
    )
