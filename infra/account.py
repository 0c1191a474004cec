"""Says which AWS account and region a deployment would go to: `python -m infra.account`."""

import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main() -> None:
    """Ends with status 1 and one sentence when the credentials do not work."""
    session = boto3.Session()
    if session.region_name is None:
        sys.exit("No region is chosen: set AWS_REGION, or one in your AWS profile.")
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS does not accept your credentials: {error}")
    print(f"Account {account}, region {session.region_name}")


if __name__ == "__main__":
    main()
