"""No analysis tries to reach the network: in a process that dies of asking for a socket, all succeed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.images import plain_image
from tests.signing import MADE, sign
from tests.videos import CODECS, encode, steady

ROOT = Path(__file__).parents[2]

# Native code opens sockets without Python, so it is the kernel that watches (seccomp, Linux on x86-64
# and ARM): asking for an internet socket kills the process, whoever asks.
WITHOUT_SOCKETS = """
import ctypes, platform, struct, sys

def forbid_sockets():
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    program = [
        (0x20, 0, 0, 0),  # which call?
        (0x15, 0, 4, number),
        (0x20, 0, 0, 16),  # of which family?
        (0x15, 1, 0, 2),
        (0x15, 0, 1, 10),
        (0x06, 0, 0, 0x80000000),  # kill
        (0x06, 0, 0, 0x7FFF0000),  # allow
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in program))
    filters = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filters, 0, 0):
        sys.exit(f"no seccomp: {ctypes.get_errno()}")

forbid_sockets()
"""
ANALYSE = """
from pathlib import Path
from detector.analysis import Detector

detector = Detector.load(Path(sys.argv[1]), Path(sys.argv[2]), threads=1)
for name in sys.argv[3:]:
    path = Path(name)
    print(path.name, detector.analyze_file(path).verdict, flush=True)
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
        [sys.executable, "-c", WITHOUT_SOCKETS + program, *arguments],
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
    """Images, signed ones and one whose manifest lies elsewhere, with heatmaps; videos of every format."""
    address = "http://127.0.0.1:9/manifest"
    photo = plain_image("JPEG", (300, 300))
    images = [
        photo,
        plain_image("PNG"),
        plain_image("WEBP"),
        plain_image("AVIF"),
        sign(photo, MADE),
        sign(photo, MADE, address=address),
        photo[:2] + _manifest_address(address) + photo[2:],
    ]
    files = {f"{i}.image": data for i, data in enumerate(images)}
    files |= {f"clip.{name}": encode(steady(1), name) for name in CODECS}
    files["signed.mp4"] = sign(files["clip.mp4"], MADE, media_type="video/mp4")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = _run(ANALYSE, str(tiny_model), str(tiny_report), *(str(tmp_path / n) for n in files))

    assert 0 == done.returncode, done.stderr
    assert list(files) == [line.split()[0] for line in done.stdout.splitlines()]


def _manifest_address(address: str) -> bytes:
    """An XMP packet in a JPEG that says where its manifest is to be fetched."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    content = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
