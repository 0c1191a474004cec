"""`asli detect --remote URL`: the same output, from a service instead of this machine's model."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from asli_client import AsliError, Client
from detector.cli import Failure, Outcome, detect_files
from detector.video import Progress


def detect_remotely(
    args: argparse.Namespace, parser: argparse.ArgumentParser, *, api_key: str | None
) -> int:
    """Let the service at `args.remote` analyse the files in `args`; returns the exit status."""
    try:
        client = Client(args.remote, api_key=api_key)
    except ValueError as error:
        parser.error(str(error))
    with client:
        return detect_files(RemoteAnalyser(client), args, parser)


@dataclass(frozen=True)
class RemoteAnalyser:
    """Sends files to a service."""

    client: Client

    def __call__(self, path: Path, _progress: Progress) -> Outcome:
        try:
            return self.client.detect(path).values
        except AsliError as error:
            return Failure(error.code, str(error))
