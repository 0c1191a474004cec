"""Puts the commands together. What a command needs is imported when it is used."""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from detector import cli

KEY_VARIABLE = "ASLI_API_KEY"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser, commands = cli.build_parser()
    commands.choices["detect"].add_argument(
        "--remote",
        metavar="URL",
        help=f"let the service at this address analyse; an API key is read from {KEY_VARIABLE}",
    )
    args = parser.parse_args(arguments)
    if args.command == "detect" and args.remote is not None:
        from asli_cli.remote import detect_remotely

        return detect_remotely(args, parser, api_key=os.environ.get(KEY_VARIABLE))
    return cli.run_here(args, parser)


def run() -> NoReturn:
    """The console script."""
    warnings.filterwarnings("ignore", module="PIL")  # odd metadata is no concern of the reader's
    sys.exit(main())


if __name__ == "__main__":
    run()
