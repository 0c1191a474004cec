"""Puts the commands together. What a command needs is imported when it is used."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from detector import cli

KEY_VARIABLE = "ASLI_API_KEY"
OURS = ("asli_cli", "asli_client", "detector", "lambda_api")
"""Packages that are never absent: to miss one is a mistake of ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser, commands = cli.build_parser()
    commands.choices["detect"].add_argument(
        "--remote",
        metavar="URL",
        help=f"let the service at this address analyse; an API key is read from {KEY_VARIABLE}",
    )
    add_keys_command(commands)
    add_bulk_command(commands)
    args = parser.parse_args(arguments)
    try:
        return _run(args, parser)
    except ModuleNotFoundError as error:  # not every installation has what every command needs
        if (error.name or "").partition(".")[0] in OURS:
            raise
        parser.exit(1, f"asli: this needs {error.name}, which is not installed\n")


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if args.command == "keys":
        from asli_cli.keys import run_keys

        return run_keys(args, parser)
    if args.command == "bulk":
        from asli_cli.bulk import run_bulk

        return run_bulk(args, parser)
    if args.command == "detect" and args.remote is not None:
        from asli_cli.remote import detect_remotely

        return detect_remotely(args, parser, api_key=os.environ.get(KEY_VARIABLE))
    return cli.run_here(args, parser)


def add_keys_command(commands: cli.Commands) -> None:
    """`asli keys create NAME`, `asli keys list` and `asli keys revoke ID`."""
    keys = commands.add_parser(
        "keys",
        help="make, list and revoke API keys of the service",
        description="Manage the API keys of the service whose settings (ASLI_…) are in the environment; "
        "by default of the one that `make serve` starts from this folder.",
    )
    actions = keys.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key and print it, once")
    create.add_argument("name", help="for you, to tell keys apart")
    create.add_argument(
        "--scope",
        action="append",
        choices=("analyse", "message"),
        help="what the key opens; repeat for several (default: analyse)",
    )
    actions.add_parser("list", help="list the keys, as JSON lines without their secrets")
    revoke = actions.add_parser("revoke", help="make a key open nothing from now on")
    revoke.add_argument("id")


def add_bulk_command(commands: cli.Commands) -> None:
    """`asli bulk start s3://BUCKET/PREFIX` and `asli bulk status RUN`."""
    bulk = commands.add_parser(
        "bulk",
        help="let a stage deployed on AWS analyse every object under an S3 prefix",
        description="Analyse whole buckets, with the AWS credentials and region of the environment.",
    )
    actions = bulk.add_subparsers(dest="action", required=True)
    start = actions.add_parser("start", help="start a run and print its name")
    start.add_argument("address", metavar="s3://BUCKET/PREFIX", help="of the objects")
    start.add_argument("--stage", default="dev", help="the deployed stage (%(default)s)")
    status = actions.add_parser("status", help="say how far a run is, and where its results are")
    status.add_argument("run", metavar="RUN", help="what `asli bulk start` printed")


def run() -> NoReturn:
    """The console script."""
    warnings.filterwarnings("ignore", module="PIL")  # odd metadata is no concern of the reader's
    sys.exit(main())


if __name__ == "__main__":
    run()
