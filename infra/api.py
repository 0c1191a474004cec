"""The HTTP API and the function behind it."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.function import ServiceFunction
from infra.stages import Stage

TIMEOUT = cdk.Duration.seconds(29)
"""The gateway waits 30."""

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationError": "$context.integrationErrorMessage",
}
"""No addresses, and no paths: a path has the id that is all one needs to read a result."""


class Api(Construct):
    """Every path goes to one function, by its alias "live". The gateway alone answers for CORS."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        environment: Mapping[str, str],
        site_url: str,
    ) -> None:
        super().__init__(scope, name)
        self.function = ServiceFunction(
            self,
            "Function",
            handler="lambda_api.entrypoints.api.handler",
            description="Answers the HTTP API and analyses images that fit into a request.",
            environment=environment,
            memory_mb=stage.api_memory_mb,
            timeout=TIMEOUT,
            logs_kept=stage.log_retention,
            snap_start=stage.snap_start,
        )
        cdk.Annotations.of(self.function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish",
            "A version is published with each deployment, and the gateway knows its alias only.",
        )
        live = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)
        self.http_api = apigateway.HttpApi(
            self,
            "HttpApi",
            description="Asli",
            create_default_stage=False,
            cors_preflight=apigateway.CorsPreflightOptions(
                allow_origins=[site_url],
                allow_methods=[
                    apigateway.CorsHttpMethod.GET,
                    apigateway.CorsHttpMethod.POST,
                    apigateway.CorsHttpMethod.DELETE,
                ],
                allow_headers=["content-type", "idempotency-key", "authorization"],
                expose_headers=["location", "retry-after", "x-request-id"],
                max_age=cdk.Duration.hours(1),
            ),
            default_integration=integrations.HttpLambdaIntegration("Everything", live),
        )
        default_stage = self.http_api.add_stage(
            "DefaultStage",
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=stage.api_requests_per_second, burst_limit=stage.api_burst
            ),
        )
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=stage.log_retention,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # The library's own class takes an interface that Python cannot easily give it.
        plain_stage = default_stage.node.default_child
        assert isinstance(plain_stage, apigateway.CfnStage)
        plain_stage.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
        )
        self.url = self.http_api.api_endpoint
        acknowledge(
            self.http_api,
            {"AwsSolutions-APIG4": "Open to everyone by design; the app itself checks keys."},
        )
