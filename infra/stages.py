"""The stages that can be deployed. They differ by these values, and nowhere else."""

import dataclasses
from dataclasses import dataclass

from aws_cdk.aws_logs import RetentionDays

EDGE_REGION = "us-east-1"
"""Where certificates and firewalls for CloudFront live."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The site's own address instead of one that CloudFront makes up."""

    name: str
    certificate_arn: str
    """Of a certificate for `name` in us-east-1."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that one stage may have different from another."""

    name: str

    keep_data: bool
    """Whether buckets and tables outlive the stack, and the stack refuses to be destroyed."""

    snap_start: bool
    """Start the API's function from a snapshot: quicker after a pause, and not free when idle."""

    api_memory_mb: int = 3008
    """Also the share of the processor: 1,769 MB are one core. New accounts have no more than 3,008."""

    api_requests_per_second: int = 20
    """Of all callers together; more get 429 from the gateway."""

    api_burst: int = 40

    worker_memory_mb: int = 3008

    worker_timeout_seconds: int = 300

    worker_storage_mb: int = 2048
    """Scratch space for one upload at a time."""

    worker_concurrency: int = 5
    """Jobs at once, at least 2."""

    bulk_concurrency: int = 100
    """Functions that score a bucket at the same time, at most; the account's limit is for all together."""

    bulk_sources: tuple[str, ...] = ()
    """Names of your buckets that bulk runs may read, beside the one that the stage brings."""

    log_retention: RetentionDays

    operator_email: str | None = None
    """Gets alarms, messages and the budget's warnings, once the address is confirmed."""

    monthly_budget_usd: int = 50
    """Warnings come at 80 % spent and at 100 % forecast; they need an address."""

    firewall_requests_per_5_minutes: int | None = None
    """Of one address to the site. Set, it adds a web ACL, which costs money when idle."""

    domain: Domain | None = None

    region: str | None = None
    """By default the one of the credentials."""

    def __post_init__(self) -> None:
        if self.firewall_requests_per_5_minutes is not None and self.region != EDGE_REGION:
            raise ValueError(
                f"Stage {self.name!r} has a firewall and the region {self.region!r}: "
                f"CloudFront takes one from {EDGE_REGION!r} only."
            )
        if not 2 <= self.worker_concurrency <= 1000:
            raise ValueError(
                f"Stage {self.name!r} has a worker concurrency of {self.worker_concurrency}: "
                "expected 2 to 1000."
            )


STAGES = {
    stage.name: stage
    for stage in (
        Stage(name="dev", keep_data=False, snap_start=False, log_retention=RetentionDays.ONE_WEEK),
        Stage(
            name="prod", keep_data=True, snap_start=True, log_retention=RetentionDays.THREE_MONTHS
        ),
    )
}


def choose_stage(name: str | None, *, operator_email: str | None = None) -> Stage:
    """The stage of that name. Raises ValueError, which lists the known ones."""
    known = ", ".join(STAGES)
    if name is None:
        raise ValueError(f"Say which stage with -c stage=NAME. Known stages: {known}.")
    if name not in STAGES:
        raise ValueError(f"There is no stage {name!r}. Known stages: {known}.")
    return dataclasses.replace(STAGES[name], operator_email=operator_email or None)
