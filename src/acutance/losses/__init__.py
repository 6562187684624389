"""What training learns from: names of the losses and where each lives. No torch is imported."""

from acutance.catalog import Catalog

LOSSES = Catalog(
    "loss",
    {
        # pixel: each pixel by itself
        "charbonnier": "acutance.losses.pixel.charbonnier:charbonnier",
        "clipped_l1": "acutance.losses.pixel.clipped_l1:clipped_l1",
        "general_robust": "acutance.losses.pixel.general_robust:general_robust",
        "hard_pixels": "acutance.losses.pixel.hard_pixels:hard_pixels",
        "huber": "acutance.losses.pixel.huber:huber",
        "l1": "acutance.losses.pixel.l1:l1",
        "log_cosh": "acutance.losses.pixel.log_cosh:log_cosh",
        "lp": "acutance.losses.pixel.lp:lp",
        "masked": "acutance.losses.pixel.masked:masked",
        "mse": "acutance.losses.pixel.mse:mse",
        "multiscale": "acutance.losses.pixel.multiscale:multiscale",
        "pseudo_huber": "acutance.losses.pixel.pseudo_huber:pseudo_huber",
        "psnr_loss": "acutance.losses.pixel.psnr_loss:psnr_loss",
        "range_penalty": "acutance.losses.pixel.range_penalty:range_penalty",
        "rmse": "acutance.losses.pixel.rmse:rmse",
        "smooth_l1": "acutance.losses.pixel.smooth_l1:smooth_l1",
        "weighted_l1": "acutance.losses.pixel.weighted_l1:weighted_l1",
        "y_channel": "acutance.losses.pixel.y_channel:y_channel",
        "y_l1": "acutance.losses.pixel.y_l1:y_l1",
        "y_mse": "acutance.losses.pixel.y_mse:y_mse",
        # likelihood: of a network that also says how sure it is
        "beta_nll": "acutance.losses.likelihood.beta_nll:beta_nll",
        "discretised_logistic_mixture": (
            "acutance.losses.likelihood.discretised_logistic_mixture:discretised_logistic_mixture"
        ),
        "gaussian_nll": "acutance.losses.likelihood.gaussian_nll:gaussian_nll",
        "generalised_gaussian_nll": (
            "acutance.losses.likelihood.generalised_gaussian_nll:generalised_gaussian_nll"
        ),
        "laplace_nll": "acutance.losses.likelihood.laplace_nll:laplace_nll",
        "level_cross_entropy": "acutance.losses.likelihood.level_cross_entropy:level_cross_entropy",
        "log_loss": "acutance.losses.likelihood.log_loss:log_loss",
        "student_t_nll": "acutance.losses.likelihood.student_t_nll:student_t_nll",
        "uncertainty_weighted": (
            "acutance.losses.likelihood.uncertainty_weighted:uncertainty_weighted"
        ),
        # margin: errors that do not count, pictures to stay away from
        "cross_domain_margin": "acutance.losses.margin.cross_domain_margin:cross_domain_margin",
        "epsilon_insensitive": "acutance.losses.margin.epsilon_insensitive:epsilon_insensitive",
        "squared_epsilon_insensitive": (
            "acutance.losses.margin.squared_epsilon_insensitive:squared_epsilon_insensitive"
        ),
        "triplet_margin": "acutance.losses.margin.triplet_margin:triplet_margin",
        # structure: local brightness, contrast and structure
        "dssim": "acutance.losses.structure.dssim:dssim",
        "fsim": "acutance.losses.structure.fsim:fsim",
        "gmsd": "acutance.losses.structure.gmsd:gmsd",
        "haarpsi": "acutance.losses.structure.haarpsi:haarpsi",
        "local_moments": "acutance.losses.structure.local_moments:local_moments",
        "mdsi": "acutance.losses.structure.mdsi:mdsi",
        "ms_gmsd": "acutance.losses.structure.ms_gmsd:ms_gmsd",
        "ms_ssim": "acutance.losses.structure.ms_ssim:ms_ssim",
        "ms_ssim_l1": "acutance.losses.structure.ms_ssim_l1:ms_ssim_l1",
        "ncc": "acutance.losses.structure.ncc:ncc",
        "nlpd": "acutance.losses.structure.nlpd:nlpd",
        "ssim": "acutance.losses.structure.ssim:ssim",
        "vif": "acutance.losses.structure.vif:vif",
        # frequency: waves, wavelets, pyramids
        "dct": "acutance.losses.frequency.dct:dct",
        "fft": "acutance.losses.frequency.fft:fft",
        "fft_magnitude": "acutance.losses.frequency.fft_magnitude:fft_magnitude",
        "fft_phase": "acutance.losses.frequency.fft_phase:fft_phase",
        "focal_frequency": "acutance.losses.frequency.focal_frequency:focal_frequency",
        "laplacian_pyramid": "acutance.losses.frequency.laplacian_pyramid:laplacian_pyramid",
        "radial_spectrum": "acutance.losses.frequency.radial_spectrum:radial_spectrum",
        "stationary_wavelet": "acutance.losses.frequency.stationary_wavelet:stationary_wavelet",
        "wavelet": "acutance.losses.frequency.wavelet:wavelet",
        # edges: differences between neighbours
        "gradient": "acutance.losses.edges.gradient:gradient",
        "gradient_magnitude": "acutance.losses.edges.gradient_magnitude:gradient_magnitude",
        "gradient_variance": "acutance.losses.edges.gradient_variance:gradient_variance",
        "gradient_weighted": "acutance.losses.edges.gradient_weighted:gradient_weighted",
        "laplacian": "acutance.losses.edges.laplacian:laplacian",
        "ldl": "acutance.losses.edges.ldl:ldl",
        "ldl_ema": "acutance.losses.edges.ldl_ema:ldl_ema",
        "second_order": "acutance.losses.edges.second_order:second_order",
        "structure_tensor": "acutance.losses.edges.structure_tensor:structure_tensor",
        "total_variation": "acutance.losses.edges.total_variation:total_variation",
        # features: what a feature network sees
        "content": "acutance.losses.features.content:Content",
        "contextual": "acutance.losses.features.contextual:Contextual",
        "contrastive_ratio": "acutance.losses.features.contrastive_ratio:ContrastiveRatio",
        "dists": "acutance.losses.features.dists:DISTS",
        "feature_cosine": "acutance.losses.features.feature_cosine:FeatureCosine",
        "gram_style": "acutance.losses.features.gram_style:GramStyle",
        "lpips": "acutance.losses.features.lpips:LPIPS",
        "perceptual": "acutance.losses.features.perceptual:Perceptual",
        "projected_distribution": (
            "acutance.losses.features.projected_distribution:ProjectedDistribution"
        ),
        "random_features": "acutance.losses.features.random_features:RandomFeatures",
        "scattering": "acutance.losses.features.scattering:scattering",
        "sliced_wasserstein_features": (
            "acutance.losses.features.sliced_wasserstein_features:SlicedWassersteinFeatures"
        ),
        "style": "acutance.losses.features.style:Style",
        "texture_matching": "acutance.losses.features.texture_matching:TextureMatching",
        # adversarial: what a discriminator tells
        "gan": "acutance.losses.adversarial.gan:Gan",
        # colour: colour, and the result made small again
        "average_colour": "acutance.losses.colour.average_colour:average_colour",
        "back_projection": "acutance.losses.colour.back_projection:back_projection",
        "chroma": "acutance.losses.colour.chroma:chroma",
        "cielab": "acutance.losses.colour.cielab:cielab",
        "lr_consistency": "acutance.losses.colour.lr_consistency:lr_consistency",
        "luma": "acutance.losses.colour.luma:luma",
        "mean_colour": "acutance.losses.colour.mean_colour:mean_colour",
        "oklab": "acutance.losses.colour.oklab:oklab",
        # distribution: which values occur, not where
        "histogram": "acutance.losses.distribution.histogram:histogram",
        "moments": "acutance.losses.distribution.moments:moments",
        "pixel_kl": "acutance.losses.distribution.pixel_kl:pixel_kl",
        "sliced_wasserstein": "acutance.losses.distribution.sliced_wasserstein:sliced_wasserstein",
        "wasserstein_1d": "acutance.losses.distribution.wasserstein_1d:wasserstein_1d",
        # distillation: another network's result
        "attention_transfer": "acutance.losses.distillation.attention_transfer:attention_transfer",
        "ema_consistency": "acutance.losses.distillation.ema_consistency:ema_consistency",
        "feature_distillation": (
            "acutance.losses.distillation.feature_distillation:feature_distillation"
        ),
        "output_distillation": (
            "acutance.losses.distillation.output_distillation:output_distillation"
        ),
    },
    group="acutance.losses",
)

# Other words that papers use for the same formula; an expression is printed with our own.
ALIASES = {
    "barron": "general_robust",
    "delta_e": "cielab",
    "l2": "mse",
    "log_edge": "laplacian",
    "mae": "l1",
    "top_k": "hard_pixels",
}


def names() -> tuple[str, ...]:
    """Names of all losses that an expression can use, sorted; aliases left out."""
    return LOSSES.names()


def family(name: str) -> str:
    """The folder a loss of ours lives in ("pixel", "features"); "other" for another package's."""
    module = LOSSES.place(name).partition(":")[0].split(".")
    return module[2] if module[:2] == ["acutance", "losses"] else "other"
