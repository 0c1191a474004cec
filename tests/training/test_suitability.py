"""The gate, measured on what is rendered here: the same graphics that the report counts."""

import pytest

from detector.image import decode_image
from detector.suitability import LIMITS, find_obstacles
from detector.verdict import EXCLUDING
from training.graphics import CHECK, FIT, render_graphics
from training.suitability import MEASURED_GRAPHICS


def test_limits_are_fitted_and_checked_on_different_designs() -> None:
    """No design is in both, and every kind is."""
    for kind, designs in FIT.items():
        assert not {*designs} & {*CHECK[kind]}
    assert set(FIT) == set(CHECK)


@pytest.mark.browser
def test_graphics_are_gated() -> None:
    """At least 90 of 100 web pages, charts, text pages and drawings, also as JPEG and reduced."""
    gated = 0
    for graphic in render_graphics(CHECK, MEASURED_GRAPHICS, seed=1):
        decoded = decode_image(graphic.data)
        gated += not EXCLUDING.isdisjoint(find_obstacles(decoded.pixels, decoded.facts))
    print(f"{gated} of {MEASURED_GRAPHICS} gated with {LIMITS}")

    assert gated >= 0.9 * MEASURED_GRAPHICS
