import dataclasses

import pytest
from aws_cdk.aws_logs import RetentionDays

from infra.stages import EDGE_REGION, STAGES, Domain, Stage, choose_stage
from tests.infra.conftest import Synthesise
from tests.infra.policies import flat

EMAIL = "operator@example.org"


@pytest.mark.parametrize("name", ["zzz", "", "Dev", None])
def test_an_unknown_stage_lists_the_known(name: str | None) -> None:
    """Whoever asks for another stage is told which there are."""
    with pytest.raises(ValueError, match="Known stages: dev, prod"):
        choose_stage(name)


def test_a_stage_cannot_be_changed() -> None:
    """What a stage is, its definition says and nothing else."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        STAGES["dev"].keep_data = True  # type: ignore[misc]


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_a_firewall_needs_the_edge_region(region: str | None) -> None:
    """CloudFront's firewall elsewhere is refused before anything is deployed."""
    with pytest.raises(ValueError, match="us-east-1"):
        dataclasses.replace(STAGES["dev"], firewall_requests_per_5_minutes=500, region=region)


def test_a_worker_runs_at_least_twice() -> None:
    """SQS refuses less."""
    with pytest.raises(ValueError, match="expected 2 to 1000"):
        Stage(
            name="x",
            keep_data=False,
            snap_start=False,
            log_retention=RetentionDays.ONE_DAY,
            worker_concurrency=1,
        )


@pytest.mark.slow
def test_options(synthesise: Synthesise) -> None:
    """An address adds subscription and budget, a domain TLS 1.2 and its name, a limit the firewall."""
    stack = synthesise(
        dataclasses.replace(
            choose_stage("dev", operator_email=EMAIL),
            name="options",
            region=EDGE_REGION,
            firewall_requests_per_5_minutes=500,
            bulk_sources=("newsroom-archive",),
            domain=Domain(
                name="asli.example.org",
                certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/0",
            ),
        )
    )

    assert EMAIL == stack.one("AWS::SNS::Subscription")["Endpoint"]
    assert 50 == stack.one("AWS::Budgets::Budget")["Budget"]["BudgetLimit"]["Amount"]
    (rule,) = stack.one("AWS::WAFv2::WebACL")["Rules"]
    assert 500 == rule["Statement"]["RateBasedStatement"]["Limit"]
    config = stack.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert ["asli.example.org"] == config["Aliases"]
    assert "TLSv1.2_2021" == config["ViewerCertificate"]["MinimumProtocolVersion"]
    origins = stack.one("AWS::ApiGatewayV2::Api")["CorsConfiguration"]["AllowOrigins"]
    assert ["https://asli.example.org"] == origins
    assert "WebACLId" in config
    read = stack.one("AWS::IAM::Policy", "BulkRead")["PolicyDocument"]["Statement"][0]
    assert "arn:aws:s3:::newsroom-archive/*" in map(flat, read["Resource"])
