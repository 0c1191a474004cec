"""No analysis tries to reach the network: in a process that dies of asking for a socket, all succeed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.images import plain_image
from tests.metadata import saved_with
from tests.signing import MADE, make_signer, sign
from tests.sockets import KILLED, without_sockets
from tests.videos import CODECS, encode, steady

ROOT = Path(__file__).parents[2]

ANALYSE = """
from pathlib import Path
from detector.analysis import Detector

model, report, trusted, *names = sys.argv[1:]
detector = Detector.load(
    Path(model), Path(report), threads=1, trust_anchors_path=Path(trusted)
)
for name in names:
    path = Path(name)
    analysis = detector.analyze_file(path)
    print(path.name, analysis.provenance.state, flush=True)
    if path.suffix == ".image":
        detector.analyze_image(path.read_bytes(), heatmap=True)
"""
CONNECT = """
import socket
socket.socket()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is of Linux")


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", without_sockets(program, KILLED), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_asking_for_a_socket_is_noticed() -> None:
    """The watch works: such a process is killed."""
    done = _run(CONNECT)

    assert -31 == done.returncode, done.stderr


def test_no_analysis_asks_for_a_socket(tiny_model: Path, tiny_report: Path, tmp_path: Path) -> None:
    """Images of every format, signed ones and one whose manifest lies elsewhere, with heatmaps; videos too."""
    address = "http://127.0.0.1:9/manifest"
    photo = plain_image("JPEG", (300, 300))
    images = [
        photo,
        plain_image("PNG"),
        plain_image("WEBP"),
        plain_image("AVIF"),
        saved_with("HEIF"),
        sign(photo, MADE),
        sign(photo, MADE, address=address),
        photo[:2] + _manifest_address(address) + photo[2:],
    ]
    files = {f"{i}.image": data for i, data in enumerate(images)}
    files |= {f"clip.{name}": encode(steady(1), name) for name in CODECS}
    files["signed.mp4"] = sign(files["clip.mp4"], MADE, media_type="video/mp4")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(make_signer().root, "ascii")
    paths = [tiny_model, tiny_report, trusted, *(tmp_path / name for name in files)]
    done = _run(ANALYSE, *map(str, paths))

    assert 0 == done.returncode, done.stderr
    states = dict(line.split() for line in done.stdout.splitlines())
    assert list(files) == list(states)
    assert ["5.image", "signed.mp4"] == [n for n, state in states.items() if state == "trusted"]


def _manifest_address(address: str) -> bytes:
    """An XMP packet in a JPEG that says where its manifest is to be fetched."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    content = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
