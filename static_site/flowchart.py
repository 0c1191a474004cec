"""Where the boxes and arrows of the method's flowchart lie; its words come from the catalogue.

Drawn twice, wide and narrow, since text in a drawing shrinks with it. The page shows one of them.
"""

from dataclasses import dataclass

BUILDING = ("understanding", "preparation", "training", "calibration", "evaluation", "export")
ANSWERING = ("upload", "decoding", "pieces", "model", "bands", "answer")

HEADING_HEIGHT = 44
GAP = 26


@dataclass(frozen=True, kw_only=True)
class Box:
    """One step, named by its message key."""

    step: str
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The title of a lane."""

    lane: str
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A whole drawing, in the units of its view box."""

    name: str
    width: int
    height: int
    box_width: int
    box_height: int
    characters: int
    """At most so many in a line of small text."""
    headings: tuple[Heading, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]
    """Paths within the lanes."""
    handover: str
    """The path of the model file from one lane to the other."""


def _lane(steps: tuple[str, ...], x: int, top: int, box_height: int) -> tuple[Box, ...]:
    pitch = box_height + GAP
    return tuple(Box(step=step, x=x, y=top + row * pitch) for row, step in enumerate(steps))


def _down_arrows(boxes: tuple[Box, ...], box_width: int, box_height: int) -> tuple[str, ...]:
    middle = box_width // 2
    return tuple(f"M{box.x + middle} {box.y + box_height + 2}v{GAP - 5}" for box in boxes[:-1])


def _wide() -> Layout:
    box_width, box_height, left, right, gutter = 330, 78, 2, 428, 380
    building = _lane(BUILDING, left, HEADING_HEIGHT, box_height)
    answering = _lane(ANSWERING, right, HEADING_HEIGHT, box_height)
    start = building[-1].y + box_height // 2
    end = answering[3].y + box_height // 2
    return Layout(
        name="wide",
        width=760,
        height=building[-1].y + box_height + 2,
        box_width=box_width,
        box_height=box_height,
        characters=42,
        headings=(
            Heading(lane="building", x=left, y=22),
            Heading(lane="answering", x=right, y=22),
        ),
        boxes=building + answering,
        arrows=_down_arrows(building, box_width, box_height)
        + _down_arrows(answering, box_width, box_height),
        handover=f"M{left + box_width + 2} {start}H{gutter}V{end}H{right - 4}",
    )


def _narrow() -> Layout:
    box_width, box_height, left = 284, 88, 2
    building = _lane(BUILDING, left, HEADING_HEIGHT, box_height)
    second_top = building[-1].y + box_height + 36
    answering = _lane(ANSWERING, left, second_top + HEADING_HEIGHT, box_height)
    start = building[-1].y + box_height // 2
    end = answering[3].y + box_height // 2
    edge = left + box_width
    return Layout(
        name="narrow",
        width=310,
        height=answering[-1].y + box_height + 2,
        box_width=box_width,
        box_height=box_height,
        characters=35,
        headings=(
            Heading(lane="building", x=left, y=22),
            Heading(lane="answering", x=left, y=second_top + 22),
        ),
        boxes=building + answering,
        arrows=_down_arrows(building, box_width, box_height)
        + _down_arrows(answering, box_width, box_height),
        handover=f"M{edge + 2} {start}H{edge + 20}V{end}H{edge + 4}",
    )


WIDE = _wide()
NARROW = _narrow()
