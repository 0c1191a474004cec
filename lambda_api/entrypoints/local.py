"""Site and API from one process: `python -m lambda_api.entrypoints.local --site build/site`."""

import argparse
import contextlib
import errno
import logging
import socket
import sqlite3
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from detector.errors import ModelLoadError
from lambda_api.app import create_app
from lambda_api.bootstrap import build_embedded
from lambda_api.settings import Settings

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted. Exits with status 1 and one sentence when it cannot start."""
    options = _parse(arguments)
    warnings.filterwarnings("ignore", module="PIL")  # odd metadata in somebody's image is no event
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stdout)
    logger.setLevel(logging.INFO)

    settings = _read_settings()
    if options.site is not None:
        settings = settings.model_copy(update={"site_dir": options.site})
    if settings.site_dir is not None and not settings.site_dir.is_dir():
        sys.exit(f"There is no folder {settings.site_dir}: render the site first.")

    listener = _listen(options.host, options.port)
    with contextlib.closing(listener):
        try:
            dependencies, worker = build_embedded(settings)
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            sys.exit(f"Cannot keep results in {settings.data_dir}: {reason}.")
        address = _address(options.host, listener.getsockname()[1])
        try:
            dependencies.detections.detector  # noqa: B018 - raises when there is none
            logger.info("Asli is ready on %s", address)
        except ModelLoadError:
            logger.info("Asli answers on %s, but cannot analyse images: see above.", address)
        config = uvicorn.Config(
            create_app(dependencies),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        worker.start()
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lambda_api.entrypoints.local", description=__doc__
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--site", type=Path, help="folder of the rendered site; without it, API only"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port: expected 0 to 65535")
    return port


def _read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        sys.exit("\n".join(_sentence(each) for each in error.errors()))


def _sentence(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return f"{problem['msg']}."
    return f"The setting ASLI_{str(problem['loc'][0]).upper()} cannot be used: {problem['msg']}."


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} on {host} is already in use: choose another with --port.")
        sys.exit(f"Cannot listen on {host}, port {port}: {error.strerror}.")


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    main()
