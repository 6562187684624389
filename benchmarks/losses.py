"""Time the losses, forward and backward to the picture, against the usual ways to compute them.

    python benchmarks/losses.py [--rounds N] [--malloc kept|stock] [--json FILE]

Variants of one row alternate in one process with one setting of the allocator for all of them;
ratios are of medians, and a round during which other programs took more than 15 % of a core is
measured again. `must` and `stretch` are the ratios this project holds itself to, where it does.
The other libraries are used where they are installed: pytorch-msssim, kornia, torchmetrics, piq.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

import loss_peers
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Moment, Objective
from acutance.models.memory import keep_large_blocks
from loss_peers import Loss

SIZES = {"16x3x192x192": (16, 3, 192, 192), "1x3x1080x1920": (1, 3, 1080, 1920)}
LAYOUTS = {"": torch.contiguous_format, ", channels_last": torch.channels_last}
AGREEMENT = 1e-5
FOREIGN_LOAD = 0.15  # of one core; above it a round is repeated
PATIENCE_S = 60  # for one row; then the best rounds there are have to do
ROUND_S = 0.2


@dataclass(frozen=True)
class Row:
    """One comparison of runs that give the same numbers."""

    work: str
    ours: Callable[[], Tensor]
    baselines: dict[str, Callable[[], Tensor]]
    must: float  # 0 where nothing was promised
    stretch: float
    near: float = AGREEMENT


@dataclass(frozen=True)
class Contest:
    """A loss of ours and those of others with the same value."""

    name: str
    ours: str  # an expression
    peers: dict[str, Callable[[], Loss]]
    goals: tuple[float, float, float, float] = (0, 0, 0, 0)  # must, stretch; then at 1080p
    near: float = AGREEMENT  # how much the values may differ
    sizes: tuple[str, ...] = tuple(SIZES)


PATCHES = ("16x3x192x192",)
CONTESTS = (
    Contest(
        "SSIM",
        "ssim",
        {
            "pytorch_msssim": loss_peers.ssim_of_pytorch_msssim,
            "piq": loss_peers.ssim_of_piq,
            "kornia": loss_peers.ssim_of_kornia,
            "torchmetrics": loss_peers.ssim_of_torchmetrics,
        },
        (4.6, 8, 3.7, 6),
    ),
    Contest(
        "MS-SSIM",
        "ms_ssim",
        {
            "pytorch_msssim": loss_peers.ms_ssim_of_pytorch_msssim,
            "piq": loss_peers.ms_ssim_of_piq,
            "torchmetrics": loss_peers.ms_ssim_of_torchmetrics,
        },
        (2.0, 4.5, 2.2, 4.5),
        near=2e-3,  # at 1080p: odd levels, where others pad with zeros and ours crops
    ),
    Contest(
        "FFT L1",
        "fft(plane='whole')",
        {"fft2 + stack": loss_peers.stacked_spectrum},
        (1.9, 3, 2.4, 3.5),
    ),
    Contest(
        "focal frequency",
        "focal_frequency",
        {"published form": loss_peers.published_focal_frequency},
        (2.8, 4.5, 2.9, 4.5),
    ),
    Contest("Sobel L1", "gradient", {"grouped conv": loss_peers.grouped_sobel}, (4, 7, 4, 7)),
    Contest(
        "Haar L1",
        "wavelet(levels=1, weights=(3, 1))",
        {"strided grouped conv": loss_peers.strided_haar},
        (1.45, 3, 1.85, 3),
    ),
    Contest("Charbonnier", "charbonnier", {"plain expression": loss_peers.root}, (1.85, 3, 1.3, 3)),
    Contest(
        "Charbonnier, eps 1",
        "charbonnier(eps=1.0, centred=True)",
        {"kornia": loss_peers.kornia_pseudo_huber},
    ),
    Contest("GMSD", "gmsd", {"piq": loss_peers.piq_loss("gmsd")}, sizes=PATCHES),
    Contest("MS-GMSD", "ms_gmsd", {"piq": loss_peers.piq_loss("multi_scale_gmsd")}, sizes=PATCHES),
    Contest("HaarPSI", "haarpsi", {"piq": loss_peers.piq_similarity("haarpsi")}, sizes=PATCHES),
    Contest("MDSI", "mdsi", {"piq": loss_peers.piq_loss("mdsi")}, sizes=PATCHES),
    Contest("FSIM", "fsim", {"piq": loss_peers.piq_similarity("fsim")}, sizes=PATCHES),
    Contest("VIF", "vif", {"piq": loss_peers.piq_similarity("vif_p")}, near=1e-4, sizes=PATCHES),
)


@dataclass
class Clock:
    """Times of one variant in ms; `quiet` are those without foreign load."""

    run: Callable[[], Tensor]
    repeats: int = 1
    quiet: list[float] = field(default_factory=list)
    noisy: list[float] = field(default_factory=list)

    def median(self, rounds: int) -> float:
        """Of the quiet rounds; filled up with the fastest of the others."""
        missing = max(0, rounds - len(self.quiet))
        return statistics.median([*self.quiet, *sorted(self.noisy)[:missing]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="timings of each variant")
    parser.add_argument("--malloc", choices=("kept", "stock"), default="kept")
    parser.add_argument("--only", default="", metavar="WORD", help="rows whose name has it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there")
    options = parser.parse_args()
    kept = options.malloc == "kept" and keep_large_blocks()
    setting = "freed blocks kept (mallopt)" if kept else "stock allocator"
    print(f"{torch.get_num_threads()} threads, {setting} on both sides\n")
    results = []
    for row in comparisons():
        if options.only not in row.work:
            continue
        if (fault := disagreement(row)) is not None:
            print(fault)
            return 1
        results.append(measure(row, options.rounds) | {"malloc": setting})
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def comparisons() -> Iterator[Row]:
    """The rows, each on a seeded pair of pictures."""
    for contest in CONTESTS:
        peers = loss_peers.available(contest.peers)
        for place, (size, shape) in enumerate(SIZES.items()):
            for layout, form in LAYOUTS.items():
                if not peers or size not in contest.sizes:
                    continue
                sr, hr = pair_of_pictures(shape, form)
                runs = {name: slope(loss, sr, hr) for name, loss in peers.items()}
                must, stretch = contest.goals[2 * place : 2 * place + 2]
                ours = slope(parse_loss(contest.ours), sr, hr)
                yield Row(f"{contest.name} {size}{layout}", ours, runs, must, stretch, contest.near)
    for width in (16, 48):
        yield objective_row(width)


def pair_of_pictures(shape: tuple[int, ...], form: torch.memory_format) -> tuple[Tensor, Tensor]:
    """A smooth random target and a noisy result."""
    torch.manual_seed(0)
    hr = nn.functional.avg_pool2d(torch.rand(shape), 5, 1, 2).contiguous(memory_format=form)
    sr = (hr + 0.03 * torch.randn_like(hr)).contiguous(memory_format=form)
    return sr, hr


def slope(loss: Loss, sr: Tensor, hr: Tensor) -> Callable[[], Tensor]:
    """Forward and backward to the picture; gives the values."""

    def run() -> Tensor:
        leaf = sr.detach().requires_grad_()
        value = loss(leaf, hr)
        value.sum().backward()
        return value.detach()

    return run


SIX = "charbonnier + 0.05*fft + 0.1*total_variation + huber + l1 + mse"


def objective_row(width: int) -> Row:
    """A training step: six gradients at the picture, against one backward of the sum."""
    lr, hr = torch.rand(16, 3, 48, 48), torch.rand(16, 3, 96, 96)
    lr, hr = (t.contiguous(memory_format=torch.channels_last) for t in (lr, hr))
    objective = Objective(parse_loss(SIX))

    def combined(sr: Tensor) -> None:
        sr.backward(objective.combine(sr, hr, Moment(0, 1)).gradient)

    def summed(sr: Tensor) -> None:
        objective(sr, hr).mean().backward()

    return Row(
        f"6 picture gradients + one network backward, {width} features",
        training_step(width, lr, combined),
        {"one backward of the sum": training_step(width, lr, summed)},
        must=0.9,
        stretch=1.0,
    )


def training_step(
    width: int, lr: Tensor, backward: Callable[[Tensor], None]
) -> Callable[[], Tensor]:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU(inplace=True)]
    for _ in range(8):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU(inplace=True)]
    layers += [nn.Conv2d(width, 12, 3, padding=1), nn.PixelShuffle(2)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def run() -> Tensor:
        optimiser.zero_grad(set_to_none=True)
        backward(network(lr))
        gradient = next(network.parameters()).grad
        optimiser.step()
        return torch.zeros(1) if gradient is None else gradient.detach().abs().sum()[None]

    return run


def disagreement(row: Row) -> str | None:
    """What to say if a baseline gives another number."""
    ours = row.ours()
    for name, run in row.baselines.items():
        allowed = 2e-2 if name == "torchmetrics" else row.near  # its border is mirrored
        theirs = run()
        if not torch.allclose(ours, theirs, rtol=1e-4, atol=allowed):
            return f"{row.work}: {ours.tolist()}, but {name} gives {theirs.tolist()}"
    return None


def measure(row: Row, rounds: int) -> dict[str, object]:
    """Alternate the variants until each has `rounds` quiet timings."""
    clocks = {"ours": Clock(row.ours)} | {k: Clock(run) for k, run in row.baselines.items()}
    for clock in clocks.values():
        start = time.perf_counter()
        clock.run()
        clock.repeats = max(1, int(ROUND_S / (time.perf_counter() - start)))
    end = time.monotonic() + PATIENCE_S
    while any(len(c.quiet) < rounds for c in clocks.values()):
        for clock in clocks.values():
            take(clock)
        enough = all(len(c.quiet) + len(c.noisy) >= rounds for c in clocks.values())
        if enough and time.monotonic() > end:
            break
    return report(row, clocks, rounds)


def take(clock: Clock) -> None:
    busy, own, start = machine_s(), own_s(), time.perf_counter()
    for _ in range(clock.repeats):
        clock.run()
    wall = time.perf_counter() - start
    foreign = (machine_s() - busy) - (own_s() - own)
    kept = clock.quiet if foreign < FOREIGN_LOAD * wall else clock.noisy
    kept.append(1e3 * wall / clock.repeats)


def machine_s() -> float:
    """Seconds that all cores together have worked; 0 where the system does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    ticks = [int(word) for word in stat.read_text().split("\n", 1)[0].split()[1:]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    times = os.times()
    return times.user + times.system


def report(row: Row, clocks: dict[str, Clock], rounds: int) -> dict[str, object]:
    ours = clocks["ours"].median(rounds)
    others = {k: c.median(rounds) for k, c in clocks.items() if k != "ours"}
    best = min(others, key=lambda name: others[name])
    ratio = others[best] / ours
    quiet = min(len(c.quiet) for c in clocks.values())
    note = "" if quiet >= rounds else f"  [noisy: {quiet} quiet rounds of {rounds}]"
    verdict = f" (must {row.must:g}, {'ok' if ratio >= row.must else 'BELOW'})" if row.must else ""
    print(f"{row.work}: x{ratio:.2f} of {best}{verdict}{note}", flush=True)
    print("    " + ", ".join(f"{k} {v:.1f} ms" for k, v in {"ours": ours, **others}.items()))
    return {
        "work": row.work,
        "baseline": best,
        "ratio": round(ratio, 3),
        "must": row.must or None,
        "stretch": row.stretch or None,
        "ours_ms": round(ours, 2),
        "baseline_ms": round(others[best], 2),
        "quiet_rounds": quiet,
    }


if __name__ == "__main__":
    sys.exit(main())
