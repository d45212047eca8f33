"""How long a report and a sheet of a run with many pictures take, beside the mere decoding of the same pictures.

`python bench/seeing.py [PICTURES]` (default 1,000). The pictures are 1024 × 1024 WebP files, as the service makes them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from PIL import Image, ImageDraw

from zenflow.artifacts.thumbnails import thumbnails
from zenflow.report.contact_sheet import draw, sheet_of
from zenflow.report.html.page import report_page, write_page
from zenflow.report.run_view import FileView, InstanceView, MoneyView, RunView, StepView

SIDE, DIFFERENT = 1024, 20
AIM_S = 10.0


def pictures(folder: Path, count: int) -> list[Path]:
    """Write `count` files, `DIFFERENT` different pictures among them."""
    bodies = []
    for number in range(DIFFERENT):
        picture = Image.effect_noise((SIDE, SIDE), 40).convert("RGB")
        ImageDraw.Draw(picture).ellipse((100, 100, 400 + 20 * number, 700), fill=(200, 10 * number, 90))
        path = folder / f"made-{number}.webp"
        picture.save(path, "WEBP", quality=80)
        bodies.append(path.read_bytes())
    found = []
    for number in range(count):
        path = folder / f"p-{number}.webp"
        path.write_bytes(bodies[number % DIFFERENT])
        found.append(path)
    return found


def view_of(paths: list[Path], folder: Path) -> RunView:
    """Return the view of a run that made these pictures in one step."""
    at = "2026-11-28T10:00:00Z"
    instances, files = [], []
    for number, path in enumerate(paths):
        file = FileView(path.name, path, f"asset-{number}", "image/webp", path.stat().st_size, "", "save", False)
        files.append(file)
        instances.append(
            InstanceView(
                f"draw.{number}", "draw", number, "by_prompt", "done", item=f"look {number}", prompt=f"A lamp, {number}",
                model="SEEDREAM_5", credits=Decimal(1), quoted=Decimal(1), tries=1, asset_ids=(f"asset-{number}",),
                began_at=at, ended_at=at, files=(file,),
            )
        )  # fmt: skip
    amounts = [Decimal(len(paths))] * 3
    money = MoneyView(*amounts, Decimal(len(paths)), Decimal(0), Decimal(0), Decimal(0), amounts[0], None, None)
    step = StepView("draw", "by_prompt", "done", (), {"done": len(paths)}, amounts[0], None, at, at)
    return RunView(
        "20261128-100000-aaaa", "done", "", "bench", "1", "0" * 64, "sandbox", "", {}, at, at, folder, {}, {}, money,
        (step,), tuple(instances), tuple(files), (), (),
    )  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(folder, count)
        view = view_of(paths, folder)
        began = time.perf_counter()
        for _ in thumbnails(paths):
            pass
        decoding = time.perf_counter() - began
        began = time.perf_counter()
        file = folder / "report.html"
        page = report_page(view, file)
        write_page(page, file, lambda path, body: path.write_bytes(body) and None)
        report = time.perf_counter() - began
        began = time.perf_counter()
        sheet = draw(sheet_of(view))
        drawing = time.perf_counter() - began
        print(f"{count:,} pictures of {SIDE} × {SIDE}")
        print(f"  thumbnails alone       {decoding:7.2f} s")
        print(
            f"  report                 {report:7.2f} s   {report / decoding:5.2f} ×   aim ≤ {AIM_S * count / 1000:g} s"
        )
        print(f"  sheet                  {drawing:7.2f} s   {drawing / decoding:5.2f} ×")
        print(
            f"  page {file.stat().st_size / 1e6:.1f} MB, beside it {len(page.beside)} files; sheet {len(sheet) / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main()
