"""Losses that follow another network: what is followed is a constant, and has to fit."""

import pytest
import torch

from acutance.losses.distillation.attention_transfer import attention_transfer
from acutance.losses.distillation.ema_consistency import ema_consistency
from acutance.losses.distillation.feature_distillation import feature_distillation
from acutance.losses.distillation.output_distillation import output_distillation
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse
from acutance.losses.proof.pictures import generic_pair

SR, HR = generic_pair(2, 3, 8, 10)


def maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_a_teacher_in_place_of_the_target_is_all_there_is():
    _, teacher = generic_pair(2, 3, 8, 10)
    assert torch.equal(output_distillation(SR, HR, teacher=teacher), l1(SR, teacher))
    assert torch.equal(output_distillation(SR, HR, teacher=teacher, base="mse"), mse(SR, teacher))
    assert torch.equal(ema_consistency(SR, HR, sr_ema=teacher), l1(SR, teacher))


def test_no_gradient_goes_to_what_is_followed():
    picture = HR.clone().requires_grad_()
    layer = maps(2, 4, 3, 3).requires_grad_()
    own = maps(2, 4, 3, 3, seed=1).requires_grad_()
    for value in (
        output_distillation(SR.clone().requires_grad_(), HR, teacher=picture),
        ema_consistency(SR.clone().requires_grad_(), HR, sr_ema=picture),
        feature_distillation(SR, HR, student_features=[own], teacher_features=[layer]),
        attention_transfer(SR, HR, student_features=[own], teacher_features=[layer]),
    ):
        value.sum().backward()
    assert picture.grad is None
    assert layer.grad is None
    assert own.grad is not None


def test_layers_count_alike_whatever_their_size():
    """By hand: off by 1 in a large layer, by 3 in a small one."""
    student = [torch.ones(2, 4, 9, 9), 3 * torch.ones(2, 1, 2, 2)]
    teacher = [torch.zeros(2, 4, 9, 9), torch.zeros(2, 1, 2, 2)]
    given = {"student_features": student, "teacher_features": teacher}
    assert feature_distillation(SR, HR, **given).tolist() == [2, 2]
    assert feature_distillation(SR, HR, base="mse", **given).tolist() == [5, 5]


def test_normalised_maps_have_no_size():
    own = maps(2, 4, 3, 3)
    given = {"student_features": [5 * own], "teacher_features": [own]}
    assert feature_distillation(SR, HR, normalised=True, **given).tolist() == pytest.approx([0, 0])
    assert (feature_distillation(SR, HR, **given) > 1).all()


def test_attention_that_does_not_overlap_is_the_root_of_two():
    """Two unit vectors at right angles; another number of channels and another gain are alike."""
    left, right = torch.zeros(2, 3, 4, 4), torch.zeros(2, 5, 4, 4)
    left[..., :2], right[..., 2:] = 2.0, 7.0
    given = {"student_features": [left], "teacher_features": [right]}
    assert attention_transfer(SR, HR, **given).tolist() == pytest.approx([2**0.5] * 2)
    given = {"student_features": [left], "teacher_features": [3 * left]}
    assert attention_transfer(SR, HR, **given).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_empty_maps_have_a_finite_gradient():
    """No activity at all: the length of nothing is not divided by."""
    for loss in (attention_transfer, feature_distillation):
        own = torch.zeros(2, 3, 4, 4, requires_grad=True)
        loss(SR, HR, student_features=[own], teacher_features=[torch.zeros(2, 3, 4, 4)])
        value = loss(SR, HR, student_features=[own], teacher_features=[torch.ones(2, 3, 4, 4)])
        value.sum().backward()
        assert own.grad is not None
        assert own.grad.isfinite().all()


@pytest.mark.parametrize(
    ("student", "teacher", "words"),
    [
        ([], [], "at least one; there are 0 and 0"),
        ([maps(2, 4, 3, 3)], [maps(2, 4, 3, 3)] * 2, "there are 1 and 2"),
        ([maps(2, 4, 3, 3)], [maps(2, 6, 3, 3)], "in layer 0 the student has .*1x1 convolution"),
        ([maps(2, 4)], [maps(2, 4)], "compares maps"),
    ],
)
def test_maps_that_do_not_fit_are_refused(student, teacher, words):
    with pytest.raises(ValueError, match=words):
        feature_distillation(SR, HR, student_features=student, teacher_features=teacher)


def test_attention_over_other_places_is_refused():
    with pytest.raises(ValueError, match="attention_transfer compares maps"):
        attention_transfer(
            SR, HR, student_features=[maps(2, 4, 3, 3)], teacher_features=[maps(2, 4, 3, 4)]
        )


def test_impossible_constants_and_pictures_are_refused():
    with pytest.raises(ValueError, match="output_distillation's base"):
        output_distillation(SR, HR, teacher=HR, base="ssim")
    with pytest.raises(ValueError, match="feature_distillation's base"):
        feature_distillation(SR, HR, student_features=[], teacher_features=[], base="l3")
    with pytest.raises(ValueError, match="output_distillation's teacher"):
        output_distillation(SR, HR, teacher=HR[..., :4])
