"""Lighthouse's marks for Home, as on a phone: `make lighthouse`. Fails when one of them is too low.

Of three visits, the one in the middle counts, since the mark for speed falls when the machine is busy.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from static_site.formats import ENGLISH
from static_site.render import render_site
from tests.serving import ROOT
from tests.site.running import CHROMIUM, running_site

LIGHTHOUSE = ROOT / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LOWEST_SCORE = 95
MOST_BYTES = 100_000
MOST_SHIFT = 0.02
VISITS = 3


def measure(url: str, work: Path) -> dict[str, Any]:
    """The report of one visit with the settings for phones, which are Lighthouse's own."""
    report = work / "lighthouse.json"
    subprocess.run(
        [
            *(str(LIGHTHOUSE), url, "--quiet", "--output=json", f"--output-path={report}"),
            f"--only-categories={','.join(CATEGORIES)}",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ],
        check=True,
        env={**os.environ, "CHROME_PATH": CHROMIUM, "TMPDIR": str(work)},
    )
    values: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return values


def summarise(report: dict[str, Any]) -> tuple[list[str], bool]:
    """A line for each mark, and whether all are good enough."""
    marks = [(name, round(report["categories"][name]["score"] * 100)) for name in CATEGORIES]
    audits = report["audits"]
    n_bytes = int(audits["total-byte-weight"]["numericValue"])
    shift = float(audits["cumulative-layout-shift"]["numericValue"])
    faults = [
        f"  {audit['title']}"
        for audit in audits.values()
        if audit["score"] is not None and audit["score"] < 0.9
    ]
    lines = [f"{name}: {mark}" for name, mark in marks]
    lines += [f"transferred: {n_bytes:,} bytes", f"layout shift: {shift:.3f}", *faults]
    good = min(mark for _, mark in marks) >= LOWEST_SCORE
    return lines, good and n_bytes < MOST_BYTES and shift <= MOST_SHIFT


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the whole report here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        render_site(work / "site")
        with running_site(work / "site", work) as url:
            reports = [measure(url + ENGLISH.address("index"), work) for _ in range(VISITS)]
    reports.sort(key=lambda report: report["categories"]["performance"]["score"])
    report = reports[VISITS // 2]
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report))
    lines, is_good = summarise(report)
    print("\n".join(lines))
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
