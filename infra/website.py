"""The pages: a private bucket behind CloudFront, which sends the security headers."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.bucket import PrivateBucket
from infra.stages import Stage

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

CONFIG = "config.json"
"""Read by the pages' scripts at run time: where the API is."""

FOLDERS_TO_PAGES = """\
function handler(event) {
  var request = event.request;
  if (request.uri.endsWith("/")) request.uri += "index.html";
  return request;
}
"""


def content_security_policy(region: str, media: s3.IBucket) -> str:
    """What `lambda_api.security_headers` says, and that scripts may talk to the API and send uploads.

    The API is named by its region only: it names this site in turn, and the two cannot wait for each other.
    """
    api = f"https://*.execute-api.{region}.{cdk.Aws.URL_SUFFIX}"
    form = f"https://{media.bucket_regional_domain_name}"
    sources = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: blob: {api}",
        "media-src": "'self' blob:",
        "connect-src": f"'self' {api} {form}",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in sources.items())


class Website(Construct):
    """Bucket, distribution and headers. `publish` fills them once the API's address is known."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        media: s3.IBucket,
    ) -> None:
        super().__init__(scope, name)
        domain = stage.domain
        self.bucket = PrivateBucket(self, "Pages", stage=stage)
        policy = content_security_policy(cdk.Stack.of(self).region, media)
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    self.bucket,
                    # To list is what lets S3 say "not found" instead of "forbidden".
                    origin_access_levels=[
                        cloudfront.AccessLevel.READ,
                        cloudfront.AccessLevel.LIST,
                    ],
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=self._headers(policy),
                function_associations=[
                    cloudfront.FunctionAssociation(
                        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
                        function=cloudfront.Function(
                            self,
                            "FoldersToPages",
                            code=cloudfront.FunctionCode.from_inline(FOLDERS_TO_PAGES),
                            runtime=cloudfront.FunctionRuntime.JS_2_0,
                        ),
                    )
                ],
            ),
            default_root_object="index.html",
            # No API behind this distribution, so no answer of it can turn into a page.
            error_responses=[
                cloudfront.ErrorResponse(
                    http_status=404, response_http_status=404, response_page_path="/404.html"
                )
            ],
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=(
                cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if domain else None
            ),
            domain_names=[domain.name] if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn)
                if domain
                else None
            ),
            web_acl_id=(
                self._firewall(stage.firewall_requests_per_5_minutes).attr_arn
                if stage.firewall_requests_per_5_minutes
                else None
            ),
        )
        self.url = f"https://{domain.name if domain else self.distribution.domain_name}"
        acknowledge(
            self.bucket, {"AwsSolutions-S1": "Public pages; who read them is not recorded."}
        )
        acknowledge(
            self.distribution,
            {
                "AwsSolutions-CFR1": "The site is for everyone, from everywhere.",
                "AwsSolutions-CFR2": "Pages only; a firewall is an option of the stage.",
                "AwsSolutions-CFR3": "Who read which page is not recorded.",
                "AwsSolutions-CFR4": "CloudFront's own certificate fixes this; a domain brings TLS 1.2.",
            },
        )
        cdk.Annotations.of(self.distribution).acknowledge_warning(
            "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk",
            "There is a default root object, and the names of the pages are no secret.",
        )

    def publish(self, pages: Path, *, api_url: str) -> None:
        """Send the rendered pages, and the address of the API, which each stage has its own of."""
        self._deployment(
            "PageFiles",
            s3_deployment.Source.asset(str(pages), exclude=[CONFIG]),
            cache_control="public, max-age=300",
            changed=["/*"],
        )
        self._deployment(
            "ConfigFile",
            s3_deployment.Source.json_data(CONFIG, {"api": api_url}),
            cache_control="no-store",
            changed=[f"/{CONFIG}"],
        )

    def _deployment(
        self, name: str, source: s3_deployment.ISource, *, cache_control: str, changed: list[str]
    ) -> None:
        deployment = s3_deployment.BucketDeployment(
            self,
            name,
            sources=[source],
            destination_bucket=self.bucket,
            prune=False,  # each would delete the other's files
            cache_control=[s3_deployment.CacheControl.from_string(cache_control)],
            distribution=self.distribution,
            distribution_paths=changed,
            memory_limit=512,  # cannot be changed later, and 128 MB are too few
        )
        self._narrow(deployment.handler_role)
        acknowledge(deployment.handler_role.node.scope, self._judged_for_the_library())

    def _narrow(self, copier: iam.IRole) -> None:
        """The library lets its copier tell every distribution of the account what changed; ours is enough."""
        policy = copier.node.find_child("DefaultPolicy").node.default_child
        assert isinstance(policy, iam.CfnPolicy)
        policy.add_property_override(
            "PolicyDocument.Statement.2.Resource", self.distribution.distribution_arn
        )

    def _judged_for_the_library(self) -> dict[str, str]:
        reason = (
            "The CDK's own function, which copies files while a stack is deployed, and only then."
        )
        pages = cdk.Stack.of(self).get_logical_id(self.bucket.node.default_child)
        arn = "arn:<AWS::Partition>"
        assets = f"{arn}:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>"
        region = cdk.Stack.of(self).region
        if not cdk.Token.is_unresolved(region):
            assets = f"arn:aws:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-{region}"
        rules = (
            f"AwsSolutions-IAM4[Policy::{arn}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
            "AwsSolutions-IAM5[Resource::*]",  # found before `_narrow` is heard
            *(
                f"AwsSolutions-IAM5[Action::s3:{action}*]"
                for action in ("GetBucket", "GetObject", "List", "Abort", "DeleteObject")
            ),
            f"AwsSolutions-IAM5[Resource::{assets}/*]",
            f"AwsSolutions-IAM5[Resource::<{pages}.Arn>/*]",
            "AwsSolutions-L1",
            "Serverless-LambdaDLQ",
            "Serverless-LambdaLatestVersion",
            "Serverless-LambdaTracing",
        )
        return dict.fromkeys(rules, reason)

    def _headers(self, content_security_policy: str) -> cloudfront.ResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_security_policy, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(365),
                    include_subdomains=True,
                    override=True,
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(
                        header="Permissions-Policy", value=PERMISSIONS, override=True
                    )
                ]
            ),
        )

    def _firewall(self, requests_per_5_minutes: int) -> wafv2.CfnWebACL:
        visible = wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True,
            metric_name="AsliSiteFirewall",
            sampled_requests_enabled=False,
        )
        return wafv2.CfnWebACL(
            self,
            "Firewall",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=visible,
            rules=[
                wafv2.CfnWebACL.RuleProperty(
                    name="TooManyRequests",
                    priority=0,
                    action=wafv2.CfnWebACL.RuleActionProperty(block={}),
                    statement=wafv2.CfnWebACL.StatementProperty(
                        rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                            aggregate_key_type="IP", limit=requests_per_5_minutes
                        )
                    ),
                    visibility_config=visible,
                )
            ],
        )
