"""Writes the contract that the service answers by: `python -m lambda_api.entrypoints.contract --out openapi.json`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from lambda_api.app import describe_api


def main(arguments: Sequence[str] | None = None) -> None:
    """Needs no model and no settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    options.out.write_text(contract_text(), "utf-8")


def contract_text() -> str:
    """The contract as it is committed."""
    return json.dumps(describe_api(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
