"""Tells the operator of a new message through an SNS topic, which forwards it as mail."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambda_api.errors import NotificationFailed
from lambda_api.ports import VisitorMessage


class SnsNotifier:
    """One notification per message. It carries the text: the topic's subscriber is the operator."""

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn
        self._sns = boto3.client("sns")

    def notify(self, message: VisitorMessage) -> None:
        answer_to = message.email or "nobody: no address was given"
        try:
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=f"Asli: {message.kind.value} {message.reference}",
                Message=f"{message.text}\n\nAnswer to: {answer_to}\n",
            )
        except (BotoCoreError, ClientError) as error:
            raise NotificationFailed(type(error).__name__) from error
