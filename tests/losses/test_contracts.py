"""What every loss owes its callers. A loss joins by its line in the LOSSES table."""

import pytest
from beartype import beartype
from jaxtyping import TypeCheckError, jaxtyped

from acutance.losses import LOSSES
from acutance.losses.contract import POINTS, Contract
from acutance.losses.declarations import declared
from acutance.losses.proof.checks import CHECKS
from acutance.losses.proof.pictures import noise_pair
from acutance.losses.proof.subject import subject
from acutance.losses.proof.suite import prove
from acutance.losses.schedule import RESERVED

# One of each way in which a loss is written; the compiler takes seconds to minutes for each.
COMPILED = frozenset(
    [
        "charbonnier",
        "fft",
        "gaussian_nll",
        "gradient",
        "histogram",
        "l1",
        "lr_consistency",
        "random_features",
        "ssim",
        "wavelet",
    ]
)
# Their gradients by differences take many passes through a network or a pyramid.
LONG_DIFFERENCES = frozenset(
    [
        "contrastive_ratio",
        "dists",
        "fsim",
        "mdsi",
        "ms_gmsd",
        "nlpd",
        "perceptual",
        "random_features",
        "scattering",
        "structure_tensor",
        "style",
    ]
)


def takes_long(name: str, point: str) -> bool:
    if point == "compile":
        return name not in COMPILED
    if (name, point) == ("level_cross_entropy", "memory"):  # 256 numbers for each value
        return True
    return point == "gradcheck" and name in LONG_DIFFERENCES


CASES = [
    pytest.param(name, point, marks=[pytest.mark.slow] if takes_long(name, point) else [])
    for name in LOSSES.names()
    for point in POINTS
]


@pytest.mark.parametrize(("name", "point"), CASES)
def test_keeps_its_contract(name, point):
    contract: Contract = LOSSES.module(name).CONTRACT
    proof = prove(LOSSES.load(name), contract, (point,))
    assert proof.holds, proof  # a fault, or an exception that is not needed


# Spectra are left to torch's own kernels, which is what the compiler says.
@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex")
@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES.names())
def test_compiles_to_machine_code(name):
    contract = LOSSES.module(name).CONTRACT
    CHECKS["compile"](subject(LOSSES.load(name), contract), contract, backend="inductor")


def test_every_point_has_a_check():
    assert set(CHECKS) == set(POINTS)


@pytest.mark.parametrize("name", LOSSES.names())
def test_shapes_are_those_of_the_signature(name):
    """The annotations, checked by jaxtyping and beartype in the call."""
    contract: Contract = LOSSES.module(name).CONTRACT
    found = LOSSES.load(name)
    if isinstance(found, type):
        found.forward = jaxtyped(found.forward, typechecker=beartype)
        checked = subject(found, contract)
    else:
        checked = subject(jaxtyped(found, typechecker=beartype), contract)
    least = contract.min_size + contract.multiple
    sr, hr = noise_pair(2, 3, max(20, least), max(24, least))
    assert checked(sr, hr).shape == (2,)
    if not contract.needs:
        with pytest.raises(TypeCheckError):
            checked(sr[0], hr[0])


@pytest.mark.parametrize("name", LOSSES.names())
def test_reserved_options_are_left_free(name):
    """start, every ... belong to the term, and what a loss needs is what it declares."""
    declaration = declared(name)
    assert declaration.options is not None
    assert not {option.name for option in declaration.options} & set(RESERVED)
    assert set(declaration.extras) == set(LOSSES.module(name).CONTRACT.needs)


@pytest.mark.parametrize("name", LOSSES.names())
def test_names_its_source(name):
    assert len(LOSSES.module(name).CONTRACT.source) > 10
