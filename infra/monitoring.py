"""What wakes an operator, and the one page to look at then."""

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.api import Api
from infra.bulk import Bulk
from infra.stages import Stage
from infra.worker import Worker

WINDOW = cdk.Duration.minutes(5)
OLDEST_JOB = cdk.Duration.minutes(15)
SERVER_ERRORS = 5


class Operators(sns.Topic):
    """Whoever runs the system: gets the alarms and what visitors write."""

    def __init__(self, scope: Construct, name: str, *, email: str | None) -> None:
        super().__init__(scope, name, enforce_ssl=True)
        if email:
            self.add_subscription(subscriptions.EmailSubscription(email))
            acknowledge(
                self,
                {"Serverless-SNSRedrivePolicy": "A mail that cannot be sent has nowhere to wait."},
            )


class Monitoring(Construct):
    """Alarms that go to `operators`, a dashboard, and a budget when somebody can be written to."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        operators: sns.ITopic,
        api: Api,
        worker: Worker,
        bulk: Bulk,
    ) -> None:
        super().__init__(scope, name)
        sums = {"period": WINDOW, "statistic": "Sum"}
        peaks = {"period": WINDOW, "statistic": "Maximum"}
        watched = (
            (
                "DeadLetters",
                worker.jobs.dead_letters.metric_approximate_number_of_messages_visible(**peaks),
                0,
            ),
            (
                "OldestJobSeconds",
                worker.jobs.queue.metric_approximate_age_of_oldest_message(**peaks),
                OLDEST_JOB.to_seconds(),
            ),
            ("ServerErrors", api.http_api.metric_server_error(**sums), SERVER_ERRORS),
            ("ApiErrors", api.function.metric_errors(**sums), 0),
            ("ApiThrottles", api.function.metric_throttles(**sums), 0),
            ("WorkerErrors", worker.function.metric_errors(**sums), 0),
            ("WorkerThrottles", worker.function.metric_throttles(**sums), 0),
            ("BulkFailures", bulk.runs.metric_failed(**sums), 0),
        )
        alarms = [
            self._alarm(title, metric, above=above, operators=operators)
            for title, metric, above in watched
        ]
        self._dashboard(api, worker, alarms)
        if stage.operator_email:
            self._budget(stage.monthly_budget_usd, stage.operator_email)

    def _alarm(
        self, title: str, metric: cloudwatch.Metric, *, above: float, operators: sns.ITopic
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            title,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"What to do: docs/operations.md, {title}.",
        )
        alarm.add_alarm_action(actions.SnsAction(operators))
        return alarm

    def _dashboard(self, api: Api, worker: Worker, alarms: list[cloudwatch.Alarm]) -> None:
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24)],
                [
                    cloudwatch.GraphWidget(
                        title="Requests",
                        left=[api.http_api.metric_count(), api.http_api.metric_client_error()],
                        right=[api.http_api.metric_latency(statistic="p95")],
                        width=12,
                    ),
                    cloudwatch.GraphWidget(
                        title="Duration of the functions, p95",
                        left=[
                            api.function.metric_duration(statistic="p95", label="API"),
                            worker.function.metric_duration(statistic="p95", label="worker"),
                        ],
                        width=12,
                    ),
                ],
            ],
        )

    def _budget(self, limit_usd: int, email: str) -> None:
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limit_usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=percent,
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(
                            address=email, subscription_type="EMAIL"
                        )
                    ],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
