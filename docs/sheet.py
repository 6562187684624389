"""Draw the sheet of docs/degradations.md: a free photograph of scikit-image, stage by stage.

python docs/sheet.py
"""

from pathlib import Path

from acutance.study.degradation_sheet import draw_sheet
from acutance.study.degrading import read_levels, settle
from acutance.study.quickstart import sample_folder

PHOTOGRAPH, RECIPE, SEED = "chelsea.png", "real-esrgan", 0
TARGET = Path(__file__).parent / "images" / "degradations.png"


def main() -> None:
    photo = sample_folder() / PHOTOGRAPH
    pixels = read_levels(photo).pixels
    sheet = draw_sheet(pixels, settle(RECIPE, None), name=photo.stem, seed=SEED)
    sheet.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
