"""Files that are there whole or not at all, whenever a run is stopped."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Another path of the same name, to write to: its file takes the place of `path` in the end.

    When an error ends the block, `path` stays as it was. Several may write it at once: the last to end stays. Makes
    the folders above it. A process that is killed outright leaves its hidden folder beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        partial = Path(folder, path.name)
        yield partial
        partial.replace(path)
