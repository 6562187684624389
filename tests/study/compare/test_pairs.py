"""What makes two arms a pair: for one seed the same first weights and the same batches."""

import hashlib
from itertools import product

import pytest

from acutance.study.compare.study import carry_out
from acutance.training import loop

ARMS = ("l1", "mse", "80% l1 + 20% fft")


@pytest.fixture(scope="module")
def seen(small_study, tmp_path_factory):
    """(loss, seed) -> digests of the first weights, and of every batch that was learned from."""
    found = {}

    def watched(job, batch):
        key = job.recipe.loss.expression, job.recipe.seed
        if key not in found:
            weights = [p.detach().numpy().tobytes() for p in job.bare.parameters()]
            found[key] = [digest(*weights)]
        found[key].append(digest(*(part.tobytes() for part in (batch.lr, batch.hr))))
        return update(job, batch)

    update = loop.update
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "update", watched)
        study = small_study({"study.losses": list(ARMS), "study.steps": [4]})
        carry_out(study, tmp_path_factory.mktemp("pairs"), quiet=True)
    return found


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_every_arm_and_seed_took_every_step(seen):
    assert seen.keys() == set(product(ARMS, range(2)))
    assert {len(digests) for digests in seen.values()} == {1 + 4}


@pytest.mark.parametrize("seed", range(2))
def test_arms_of_a_seed_begin_with_the_same_weights_and_see_the_same_batches(seen, seed):
    """Batches are compared as they arrive: cropped, turned and in order."""
    assert seen[ARMS[1], seed] == seen[ARMS[0], seed]
    assert seen[ARMS[2], seed] == seen[ARMS[0], seed]


def test_seeds_differ_in_weights_and_in_every_batch(seen):
    first, second = seen["l1", 0], seen["l1", 1]
    assert set(first).isdisjoint(second)
    assert len(set(first)) == len(first)  # nor is a batch ever the one before
