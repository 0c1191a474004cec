"""AWS on this machine: MiniStack, under the names and with the certificates that programs expect of AWS.

Nothing that is deployed knows of it. Names below amazonaws.com and cloudfront.net lead to 127.0.0.1, where MiniStack
answers on port 443 with a certificate that the programs started here are told to trust.
"""

import base64
import datetime as dt
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.serving import ROOT

PYTHON = ROOT / "build/ministack/bin/python"
"""Of an environment with MiniStack, which pins botocore: `make test-deployed` makes it."""
PROGRAM = """
from ministack import app
app._port_is_bindable = lambda *_: False  # else it listens to port 443 twice when it is told to listen there
app.main()
"""
ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
HOST: Final = "127.0.0.1"
PORT: Final = 443
NAMES = (f".{REGION}.amazonaws.com", ".cloudfront.net")
START_SECONDS = 120
END_SECONDS = 10


@dataclass(frozen=True)
class Emulator:
    """A started one, which has nothing yet."""

    certificate: Path

    @property
    def environment(self) -> dict[str, str]:
        """For programs that talk to AWS, here or in a container that has the certificate at the same place."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def for_chromium(self) -> tuple[str, str]:
        """Its switches: AWS's names lead here, and this one key is trusted, by service workers too."""
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
        rules = ", ".join(f"MAP *{name} {HOST}" for name in NAMES)
        return f"--host-resolver-rules={rules}", f"--ignore-certificate-errors-spki-list={digest}"

    @property
    def for_the_cdk(self) -> dict[str, str]:
        """Its command line runs on Node, whose names cannot be bent, and must never come to build an image."""
        return {
            **self.environment,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": f"https://localhost:{PORT}",
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DOCKER": "/bin/false",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        }


def cannot_run() -> str | None:
    """Why there can be no emulator here."""
    try:
        socket.create_server((HOST, PORT)).close()
    except OSError as error:
        return f"port {PORT} of {HOST} cannot be used: {error.strerror}"
    return None


@contextmanager
def running_emulator(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Until the block ends, with all that it started. In this process, AWS's names lead to it meanwhile."""
    certificate, key = _certify(work)
    emulator = Emulator(certificate)
    for name, value in {**emulator.environment, "SSL_CERT_FILE": str(certificate)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(socket, "getaddrinfo", _bent(socket.getaddrinfo))
    with (work / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-c", PROGRAM],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(work),
                "BIND_HOST": HOST,
                "GATEWAY_PORT": str(PORT),
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": str(certificate),
                "MINISTACK_SSL_KEY": str(key),
                "MINISTACK_HOST": f"{REGION}.amazonaws.com",
                "MINISTACK_REGION": REGION,
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "IOT_MTLS_ENABLED": "0",
                "PERSIST_STATE": "0",
            },
            cwd=work,
            stdout=log,
            stderr=log,
        )
    with process:
        try:
            _wait_for(process, certificate, work / "ministack.log")
            yield emulator
        finally:
            started = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
    _, forgotten = psutil.wait_procs(started, timeout=END_SECONDS)
    assert [] == forgotten


def _certify(work: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AWS on this machine")])
    names = ["localhost"]
    names += [f"*{each}" for each in NAMES]
    names += [f"*.{service}.{REGION}.amazonaws.com" for service in ("s3", "execute-api")]
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = work / "aws.crt", work / "aws.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    paths[1].write_bytes(secret)
    return paths


def _bent(ask: Any) -> Any:
    def resolve(host: Any, *details: Any, **named: Any) -> Any:
        is_of_aws = isinstance(host, str) and host.endswith(NAMES)
        return ask(HOST if is_of_aws else host, *details, **named)

    return resolve


def _wait_for(process: "subprocess.Popen[bytes]", certificate: Path, log: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection((HOST, PORT), timeout=5) as plain:
                trust.wrap_socket(plain, server_hostname="localhost").close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"MiniStack did not start: {log.read_text('utf-8')[-2000:]}")
