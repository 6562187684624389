"""What happens to a picture between the lens and the file: stages by name, one a file.

A chain of stages makes lr from hr: `blur(sigma=(0.2, 3)) | reduce | jpeg(quality=(30, 95))`.
expression.py reads it, chain.py draws its numbers and carries it out.
"""

from acutance.catalog import Catalog

DEGRADATIONS = Catalog(
    "degradation",
    {
        "blur": "acutance.data.degradations.blur:blur",
        "defocus": "acutance.data.degradations.defocus:defocus",
        "jpeg": "acutance.data.degradations.jpeg:jpeg",
        "motion": "acutance.data.degradations.motion:motion",
        "noise": "acutance.data.degradations.noise:noise",
        "poisson": "acutance.data.degradations.poisson:poisson",
        "reduce": "acutance.data.degradations.reduce:reduce",
        "resize": "acutance.data.degradations.resize:resize",
        "sensor": "acutance.data.degradations.sensor:sensor",
        "sinc": "acutance.data.degradations.sinc:sinc",
        "video": "acutance.data.degradations.video:video",
        "webp": "acutance.data.degradations.webp:webp",
    },
    "acutance.degradations",
)
