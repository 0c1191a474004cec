import pytest

from static_site.flowchart import NARROW, WIDE, Layout


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_boxes_lie_within_the_drawing(layout: Layout) -> None:
    """No box sticks out of the view box."""
    for box in layout.boxes:
        assert 0 <= box.x <= layout.width - layout.box_width
        assert 0 <= box.y <= layout.height - layout.box_height


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_boxes_do_not_overlap(layout: Layout) -> None:
    """Any two boxes are apart in at least one direction."""
    for index, one in enumerate(layout.boxes):
        for other in layout.boxes[index + 1 :]:
            assert (
                abs(one.x - other.x) >= layout.box_width
                or abs(one.y - other.y) >= layout.box_height
            )


def test_both_layouts_show_the_same_steps() -> None:
    """The narrow drawing leaves nothing out."""
    assert [box.step for box in WIDE.boxes] == [box.step for box in NARROW.boxes]
