"""Values of the frequency losses."""

from functools import partial

from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import bands, focal_frequency
from tests.losses.reference.linear import of_error

from acutance.losses.frequency.stationary_wavelet import LOW_PASS

ANCHORS = [
    Anchor(
        "fft",
        "formula",
        0.005638435069060078,
        (0.00589380779747776, 0.005895889390631482),
    ),
    Anchor(
        "fft(norm='backward')",
        "formula",
        1.0825795332595345,
        (0.4619782958674331, 0.4621414587819511),
    ),
    Anchor(
        "fft(norm='forward')",
        "formula",
        2.9366849318021223e-05,
        (7.519177992634003e-05, 7.521833639029154e-05),
    ),
    Anchor(
        "fft(norm='backward', part='modulus')",
        "formula",
        1.6997590238563367,
        (0.72273523622971, 0.7258738170572177),
    ),
    Anchor(
        "fft(part='modulus', plane='whole')",
        "formula",
        0.00882843307724595,
        (0.009086749837182669, 0.00912388198155546),
    ),
    Anchor(
        "focal_frequency",
        "formula; the authors' code agrees to 6 digits",
        0.00013328832122881898,
        (0.00012517092634414998, 0.00012456966621104818),
    ),
    Anchor(
        "wavelet",
        "formula",
        0.02777929663860143,
        (0.023286086714778505, 0.023202188861655773),
    ),
]

TWINS = [
    Twin("dct", "cosines by their definition", partial(of_error, bands.dct), shape=(2, 3, 17, 20)),
    Twin(
        "dct(weights='jpeg')",
        "the same; table K.1 of ITU-T T.81 in zigzag order",
        partial(of_error, partial(bands.dct, weights="jpeg")),
    ),
    Twin(
        "dct(block=4)",
        "cosines by their definition",
        partial(of_error, partial(bands.dct, block=4)),
        shape=(2, 3, 9, 12),
    ),
    Twin("fft_magnitude", "the logarithm of eq. 3", bands.fft_magnitude, shape=(2, 3, 13, 16)),
    Twin(
        "fft_magnitude(eps=0.1, weight='radial')",
        "the same, weighted",
        partial(bands.fft_magnitude, eps=0.1, radial=True),
        shape=(2, 2, 12, 15),
    ),
    Twin("fft_phase", "the cosine of eq. 4", bands.fft_phase, shape=(2, 3, 13, 16)),
    Twin(
        "fft_phase(eps=0.2)",
        "the cosine of eq. 4",
        partial(bands.fft_phase, eps=0.2),
        shape=(2, 3, 12, 15),
    ),
    Twin(
        "laplacian_pyramid",
        "REDUCE and EXPAND of Burt and Adelson",
        partial(of_error, bands.laplacian_pyramid),
        shape=(1, 3, 21, 34),
    ),
    Twin(
        "laplacian_pyramid(levels=2, weight='4^j')",
        "the same",
        partial(of_error, partial(bands.laplacian_pyramid, levels=2, growth=4)),
        shape=(2, 2, 12, 7),
    ),
    Twin("radial_spectrum", "rings one by one", bands.radial_spectrum, shape=(2, 3, 13, 16)),
    Twin(
        "radial_spectrum(eps=0.1)",
        "rings one by one, some frequencies halfway between two",
        partial(bands.radial_spectrum, eps=0.1),
        shape=(2, 2, 12, 24),
    ),
    Twin(
        "stationary_wavelet",
        "numpy's convolution of padded lines",
        partial(of_error, partial(bands.stationary_wavelet, low=LOW_PASS["sym7"])),
        shape=(2, 3, 9, 20),
    ),
    Twin(
        "stationary_wavelet(wavelet='haar', levels=2, weights=(0.1, 0.4, 0.3, 0.2))",
        "the same",
        partial(
            of_error,
            partial(
                bands.stationary_wavelet,
                low=(0.5**0.5, 0.5**0.5),
                levels=2,
                weights=(0.1, 0.4, 0.3, 0.2),
            ),
        ),
        shape=(2, 3, 9, 20),
    ),
    Twin(
        "laplacian_pyramid(levels=1, weight='flat')",
        "the same",
        partial(of_error, partial(bands.laplacian_pyramid, levels=1, growth=1)),
        shape=(2, 2, 5, 8),
    ),
    Twin(
        "focal_frequency(patch_factor=2)",
        "eqs. 8 to 10 in each patch",
        partial(focal_frequency.in_patches, k=2),
        shape=(2, 3, 12, 14),
    ),
]
