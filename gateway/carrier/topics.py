"""The SNS topic that carries an account's events to the gateway, and the confirmation of its subscription."""

from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from gateway.carrier.control import CONTROL_CONFIG
from gateway.carrier.session import AwsSession, session_of
from gateway.errors import Unavailable
from tenants.senders.models import AwsAccount

TOPIC_NAME = "tollgate-events"


DELIVERY_POLICY = msgspec.json.encode(
    {
        "healthyRetryPolicy": {
            "minDelayTarget": 1,
            "maxDelayTarget": 60,
            "numRetries": 50,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 10,
            "numMaxDelayRetries": 20,
            "backoffFunction": "exponential",
        }
    }
).decode()
"""
Fifty tries over half an hour; SNS's own default is three in a minute, less than an outage may take.

AWS caps the whole at 3,600 s: here ten seconds, then twenty tries that back off and twenty a minute apart.
"""


def topic_policy(topic_arn: str) -> str:
    """Return the access policy: the account administers the topic, End User Messaging SMS publishes to it."""
    account = topic_arn.split(":")[4]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Administer",
                "Effect": "Allow",
                "Principal": {"AWS": account},
                "Action": [
                    "sns:GetTopicAttributes",
                    "sns:SetTopicAttributes",
                    "sns:Subscribe",
                    "sns:ListSubscriptionsByTopic",
                    "sns:Publish",
                    "sns:DeleteTopic",
                ],
                "Resource": topic_arn,
            },
            {
                "Sid": "Events",
                "Effect": "Allow",
                "Principal": {"Service": "sms-voice.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            },
        ],
    }
    return msgspec.json.encode(policy).decode()


class SnsTopics:
    """Makes an account's topic, subscribes the gateway and confirms, all idempotent at AWS's side."""

    def __init__(self, own: AwsSession, account: AwsAccount) -> None:
        self._session = session_of(own, account)
        self._account = account

    async def ensure_topic(self) -> str:
        """Return the topic's ARN; signatures are asked for with SHA-256, and AWS's SMS may publish to it."""
        async with self._client() as sns:
            topic_arn: str = (await sns.create_topic(Name=TOPIC_NAME))["TopicArn"]
            await sns.set_topic_attributes(
                TopicArn=topic_arn, AttributeName="SignatureVersion", AttributeValue="2"
            )
            await sns.set_topic_attributes(
                TopicArn=topic_arn, AttributeName="Policy", AttributeValue=topic_policy(topic_arn)
            )
            return topic_arn

    async def subscribe(self, topic_arn: str, ingest_url: str) -> str:
        """Subscribe the ingest URL; AWS posts a confirmation to it, which the receiver answers."""
        async with self._client() as sns:
            answer = await sns.subscribe(
                TopicArn=topic_arn,
                Protocol=ingest_url.partition(":")[0],
                Endpoint=ingest_url,
                ReturnSubscriptionArn=True,
                Attributes={"DeliveryPolicy": DELIVERY_POLICY},
            )
            return str(answer["SubscriptionArn"])

    async def confirm(self, topic_arn: str, token: str) -> None:
        """
        Confirm a subscription by its token; the SubscribeURL is never fetched.

        Raises:
            Unavailable: AWS refused or did not answer; SNS posts the confirmation again.
        """
        try:
            async with self._client(_region_of(topic_arn)) as sns:
                await sns.confirm_subscription(TopicArn=topic_arn, Token=token)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the subscription could not be confirmed: {error}") from error

    def _client(self, region: str | None = None) -> Any:
        return self._session.client(
            "sns",
            region_name=region or self._account.region,
            endpoint_url=self._account.endpoint_url,
            config=CONTROL_CONFIG,
        )


def _region_of(topic_arn: str) -> str:
    """A topic is known in its own Region only: arn:partition:sns:region:account:name."""
    return topic_arn.split(":")[3]
