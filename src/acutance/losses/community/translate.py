"""From one entry of an option file to terms of ours, with what is hidden in it made visible."""

from collections.abc import Callable
from dataclasses import dataclass

from acutance.losses.community.entries import BASICSR, NEOSR, TRAINNER, Entry

USUAL = {"conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1, "conv4_4": 1, "conv5_4": 1}
USUAL_TEXT = "0.1*conv1_2 + 0.1*conv2_2 + conv3_4 + conv4_4 + conv5_4"
GAN_KINDS = {
    "vanilla": "vanilla",
    "bce": "vanilla",
    "wgan_softplus": "vanilla",
    "lsgan": "least_squares",
    "mse": "least_squares",
    "wgan": "wasserstein",
    "hinge": "hinge",
}


@dataclass(frozen=True)
class Translation:
    """Terms (weight, text) and what a reader has to know; no terms where there is no equal."""

    terms: tuple[tuple[float, str], ...] = ()
    notes: tuple[str, ...] = ()


Rule = Callable[[Entry], Translation]


def translate(entry: Entry) -> Translation:
    """What an entry is here."""
    rule = RULES.get(entry.kind)
    if rule is None:
        return Translation(notes=("there is no such loss here; it is left out",))
    return rule(entry)


def _one(text: str, *notes: str) -> Rule:
    return lambda entry: Translation(((entry.number("loss_weight", 1.0), text),), notes)


def _absent(reason: str) -> Rule:
    return lambda _: Translation(notes=(f"{reason}; it is left out",))


def _pixel(name: str) -> Rule:
    def rule(entry: Entry) -> Translation:
        if entry.word("reduction", "mean") != "mean":
            return Translation(
                notes=(
                    "reduction 'sum' makes the weight depend on batch and patch; it is left out: "
                    f"use {name} with the weight times N C H W",
                )
            )
        return Translation(((entry.number("loss_weight", 1.0), name),))

    return rule


def _charbonnier(entry: Entry) -> Translation:
    inside = entry.number("eps", 1e-12)
    eps = inside**0.5
    note = f"their eps {inside:g} stands inside the root: it is the square of ours, {eps:g}"
    return Translation(((entry.number("loss_weight", 1.0), f"charbonnier(eps={eps!r})"),), (note,))


def _layers(entry: Entry) -> str:
    given = entry.options.get("layer_weights") or USUAL
    parts = [f"{weight:g}*{name}" for name, weight in ((n, float(w)) for n, w in given.items())]
    return " + ".join(part.removeprefix("1*") for part in parts)


def _features(entry: Entry, loss: str) -> str:
    """The network and layers; `perceptual` has the usual ones by itself, `gram_style` others."""
    net = entry.word("vgg_type", "vgg19")
    layers = _layers(entry)
    words = [] if net == "vgg19" else [f"net={net!r}"]
    if not (loss == "perceptual" and net == "vgg19" and layers == USUAL_TEXT):
        words.append(f"layers={layers!r}")
    return ", ".join(words)


def _called(name: str, *words: str) -> str:
    given = ", ".join(word for word in words if word)
    return f"{name}({given})" if given else name


def _perceptual(entry: Entry) -> Translation:
    """BasicSR's, which also holds the style term, and the two that came from it."""
    usual = {BASICSR: "l1", NEOSR: "huber", TRAINNER: "charbonnier"}[entry.trainer]
    criterion = entry.word("criterion", usual)
    if criterion == "fro":
        return Translation(
            notes=(
                "criterion 'fro' is the norm over the whole batch, whose gradient has one length "
                "however small the error; it is left out: use l1",
            )
        )
    kept = "criterion='mse'" if criterion in {"l2", "mse"} else ""
    notes: list[str] = []
    if criterion == "huber":
        notes.append("their Huber with delta 1 squares differences below 1; taken as l1")
    elif criterion not in {"l1", "l2", "mse"}:
        notes.append(f"criterion '{criterion}' is taken as l1")
    if entry.options.get("range_norm"):
        notes.append("range_norm is for pictures in [-1, 1] and is left out: ours are in [0, 1]")
    if entry.options.get("patchloss") or entry.options.get("ipk"):
        notes.append("patchloss and ipk are computed without a gradient there; left out")
    total = entry.number("loss_weight", 1.0)
    terms = [(total * entry.number("perceptual_weight", 1.0), "perceptual", kept)]
    style = total * entry.number("style_weight", 0.0)
    if style:
        notes.append("the Gram matrices are divided by C H W, in both")
        terms.append((style, "gram_style", "criterion='mse'" if kept else ""))
    found = [(w, _called(n, _features(entry, n), c)) for w, n, c in terms if w]
    return Translation(tuple(found), tuple(notes))


def _projected(entry: Entry) -> Translation:
    """traiNNer-redux: "pd+l1" adds a projected distribution with a hidden factor w_lambda."""
    criterion = entry.word("criterion", "charbonnier")
    if "fd" in criterion:
        return Translation(notes=("criterion 'fd' has no equal here; it is left out",))
    if "pd" not in criterion:
        return _perceptual(entry)
    weight, factor = entry.number("loss_weight", 1.0), entry.number("w_lambda", 0.01)
    notes = [f"the hidden factor w_lambda {factor:g} is in the weight of projected_distribution"]
    terms = [(weight * factor, "projected_distribution")]
    if "l1" in criterion:
        terms.insert(0, (weight, _called("perceptual", _features(entry, "perceptual"))))
    return Translation(tuple(terms), tuple(notes))


def _gan(entry: Entry) -> Translation:
    kind = GAN_KINDS.get(entry.word("gan_type", "vanilla"))
    if kind is None:
        return Translation(notes=(f"gan_type {entry.options.get('gan_type')!r} has no equal here",))
    notes = ["their discriminator (network_d) is not imported: ours is an option of gan"]
    if entry.model == "ESRGANModel":
        kind = "relativistic_average"
        notes.append("model_type ESRGANModel compares real and made: a relativistic average")
    label = entry.number("real_label_val", 1.0)
    smooth = "" if label == 1 else f"label={label!r}"
    words = "" if kind == "vanilla" else f"kind={kind!r}"
    return Translation(
        ((entry.number("loss_weight", 1.0), _called("gan", words, smooth)),), tuple(notes)
    )


def _mssim(entry: Entry) -> Translation:
    weight = entry.number("loss_weight", 1.0)
    if entry.trainer == TRAINNER:
        note = (
            "theirs looks at luma alone and leaves the brightness term out: it does not see an "
            "offset or a change of colour; ours sees both"
        )
        return Translation(((weight, "ms_ssim"),), (note,))
    note = (
        "theirs takes the mean over the batch before the powers and pads with zeros: a little "
        "smaller, and not a number for pictures that are opposites; ours is per picture"
    )
    return Translation(((weight, "ms_ssim"),), (note,))


def _ssim(entry: Entry) -> Translation:
    note = "theirs returns SSIM itself, which training would make small; ours is 1 - SSIM"
    return Translation(((entry.number("loss_weight", 1.0), "ssim"),), (note,))


def _focal_frequency(entry: Entry) -> Translation:
    alpha = entry.number("alpha", 1.0)
    words = "" if alpha == 1 else f"alpha={alpha!r}"
    averaged = entry.options.get("ave_spectrum", entry.trainer != BASICSR)
    notes = (
        ("theirs averages the spectra of a batch, where opposite errors cancel; ours does not",)
        if averaged
        else ()
    )
    return Translation(
        ((entry.number("loss_weight", 1.0), _called("focal_frequency", words)),), notes
    )


def _ldl(entry: Entry) -> Translation:
    note = "our map of artifacts is a constant, theirs is differentiated (not so in neosr)"
    if entry.trainer == NEOSR and entry.word("criterion", "huber") == "huber":
        note = "their Huber with delta 1 is half a squared error; ours is the paper's l1"
    return Translation(((entry.number("loss_weight", 1.0), "ldl"),), (note,))


def _pooled(name: str, option: str) -> Rule:
    def rule(entry: Entry) -> Translation:
        size = int(entry.number("scale", 4))
        return Translation(((entry.number("loss_weight", 1.0), f"{name}({option}={size})"),))

    return rule


def _ms_ssim_l1(entry: Entry) -> Translation:
    alpha = entry.number("alpha", 0.1 if entry.trainer == TRAINNER else 0.84)
    note = "theirs gives red, green and blue different widths of the window; ours all five to each"
    text = f"ms_ssim_l1(alpha={alpha!r})"
    return Translation(((entry.number("loss_weight", 1.0), text),), (note,))


def _variance(entry: Entry) -> Translation:
    patch = int(entry.number("patch_size", 16))
    note = "theirs pads with zeros, which sees the border as an edge; ours mirrors"
    text = f"gradient_variance(patch={patch})"
    return Translation(((entry.number("loss_weight", 1.0), text),), (note,))


def _consistency(entry: Entry) -> Translation:
    weight = entry.number("loss_weight", 1.0)
    bright, colour = entry.number("brightness", 1.0), entry.number("saturation", 1.0)
    note = (
        "theirs blurs, clips at one level, adds a cosine and squares dark luma by mistake; ours "
        "are the plain distances in Oklab and in CIE L*, so the weights mean something else"
    )
    terms: list[tuple[float, str]] = [(weight * colour, "oklab")]
    terms.append((weight * bright, "luma(space='lstar')"))
    return Translation(tuple(terms), (note,))


def _psnr(entry: Entry) -> Translation:
    text = "y_channel(loss=psnr_loss)" if entry.options.get("to_y") else "psnr_loss"
    return Translation(((entry.number("loss_weight", 1.0), text),))


RULES: dict[str, Rule] = {
    "adists": _absent("A-DISTS is not here; `dists` is its parent"),
    "average": _pooled("average_colour", "size"),
    "bicubic": _one("lr_consistency", "theirs blurs after reducing; ours is the F of the data"),
    "charbonnier": _charbonnier,
    "color": _pooled("chroma", "pool"),
    "consistency": _consistency,
    "contextual": _one("contextual"),
    "cosim": _absent("the cosine between pixels as colours has no equal here"),
    "dists": _one("dists", "theirs in neosr counts the last stage alone; ours is the paper's"),
    "fdl": _absent("it needs DINO features"),
    "ff": _focal_frequency,
    "fft": _one("fft(norm='backward')", "'backward' grows with the size of the patch"),
    "focalfrequency": _focal_frequency,
    "gan": _gan,
    "gradientvariance": _variance,
    "gw": _one("gradient_weighted", "theirs has no diagonal kernels and squares the factors"),
    "hsluv": _absent("a hue is not defined near grey; `oklab` looks at colour without the jump"),
    "huber": _one("huber(delta=1.0)", "delta 1 makes it half a squared error on [0, 1]"),
    "kl": _one("pixel_kl", "theirs is a softmax over pixels; ours compares histograms"),
    "l1": _pixel("l1"),
    "l2": _pixel("mse"),
    "ldl": _ldl,
    "luma": _one("luma"),
    "mse": _pixel("mse"),
    "msssiml1": _ms_ssim_l1,
    "mssim": _mssim,
    "msswd": _one("sliced_wasserstein", "theirs projects by random kernels in a colour space"),
    "multiscalegan": _gan,
    "ncc": _one("ncc", "theirs mixes the pictures of a batch"),
    "perceptual": lambda entry: (
        _projected(entry) if entry.trainer == TRAINNER else _perceptual(entry)
    ),
    "perceptualfp16": _projected,
    "psnr": _psnr,
    "ssim": _ssim,
    "vggperceptual": _perceptual,
    "weightedtv": _one("total_variation"),
}


def artifacts(entry: Entry) -> Translation:
    """BasicSR's artifacts_opt: an L1 that its LDL model multiplies with a map of artifacts."""
    note = "this L1 is LDL's: its model weights it by a map from the averaged network"
    return Translation(((entry.number("loss_weight", 1.0), "ldl_ema"),), (note,))
