"""What happens to a picture between the lens and the file: stages by name, one a file.

A chain of stages makes lr from hr: `blur(sigma=(0.2, 3)) | reduce | jpeg(quality=(30, 95))`.
expression.py reads it, chain.py draws its numbers and carries it out.
"""

from acutance.catalog import Catalog

DEGRADATIONS = Catalog(
    "degradation",
    {
        "noise": "acutance.data.degradations.noise:noise",
        "poisson": "acutance.data.degradations.poisson:poisson",
        "sensor": "acutance.data.degradations.sensor:sensor",
        "jpeg": "acutance.data.degradations.jpeg:jpeg",
        "webp": "acutance.data.degradations.webp:webp",
        "video": "acutance.data.degradations.video:video",
        "reduce": "acutance.data.degradations.reduce:reduce",
    },
    "acutance.degradations",
)
