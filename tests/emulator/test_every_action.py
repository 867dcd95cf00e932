"""One account's life through all 91 actions, with real clients; every answer is held to the model."""

import base64
from typing import Any

from gateway.emulator.operations.table import OPERATIONS
from tests.emulator.conftest import Aws, emulated
from tests.emulator.registration_filling import fill

SNAKE_CASE = {
    name: "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    for name in OPERATIONS
}


class Recorder:
    """Calls actions through a real client where it has them, and notes which were called."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.called: set[str] = set()

    async def __call__(self, action: str, **request: Any) -> dict[str, Any]:
        """Call one action."""
        self.called.add(action)
        method = getattr(self.aws.sms, SNAKE_CASE[action], None)
        if method is not None:
            return await method(**request)
        status, answer = await self.aws.raw(action, request)
        assert status == 200, answer
        return answer


async def test_every_action_succeeds_and_answers_what_its_model_says() -> None:
    """The emulator checks its own answers here, and the client parses them."""
    async with emulated() as aws:
        do = Recorder(aws)
        await _origination(aws, do)
        await _configuration(do)
        await _protection(do)
        await _registration(aws, do)
        await _account(aws, do)
        assert do.called == OPERATIONS.keys()


async def _origination(aws: Aws, do: Recorder) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    await do("CreateOptOutList", OptOutListName="list", Tags=tags)
    await do("DescribeOptOutLists", OptOutListNames=["list", "Default"])
    wanted = {
        "IsoCountryCode": "US",
        "MessageType": "TRANSACTIONAL",
        "NumberCapabilities": ["SMS", "VOICE", "MMS"],
    }
    first = await do("RequestPhoneNumber", **wanted, NumberType="TOLL_FREE", OptOutListName="list", Tags=tags)
    second = await do("RequestPhoneNumber", **wanted, NumberType="TEN_DLC", OptOutListName="list")
    arn, identifier = first["PhoneNumberArn"], first["PhoneNumberId"]
    topic = "arn:aws:sns:us-east-1:123456789012:two-way"
    for each in (first, second):
        await do(
            "UpdatePhoneNumber",
            PhoneNumberId=each["PhoneNumberId"],
            TwoWayEnabled=True,
            TwoWayChannelArn=topic,
        )
    sender = {"SenderId": "Acme", "IsoCountryCode": "GB"}
    await do("RequestSenderId", **sender)
    await do("UpdateSenderId", **sender, DeletionProtectionEnabled=False)
    assert (await do("DescribeSenderIds", SenderIds=[sender]))["SenderIds"][0]["SenderId"] == "Acme"
    pool = await do(
        "CreatePool", OriginationIdentity=arn, IsoCountryCode="US", MessageType="TRANSACTIONAL", Tags=tags
    )
    member = {
        "PoolId": pool["PoolId"],
        "OriginationIdentity": second["PhoneNumberId"],
        "IsoCountryCode": "US",
    }
    await do("AssociateOriginationIdentity", **member)
    listed = await do("ListPoolOriginationIdentities", PoolId=pool["PoolArn"])
    assert len(listed["OriginationIdentities"]) == 2
    await do("DescribePhoneNumbers", PhoneNumberIds=[identifier, second["PhoneNumberArn"]])
    await do("UpdatePool", PoolId=pool["PoolId"], SharedRoutesEnabled=True)
    await do("DescribePools")
    keyword = {"OriginationIdentity": pool["PoolId"], "Keyword": "join"}
    await do("PutKeyword", **keyword, KeywordMessage="Welcome", KeywordAction="OPT_IN")
    await do("DescribeKeywords", OriginationIdentity=pool["PoolId"])
    await do("DeleteKeyword", **keyword)
    await do("PutResourcePolicy", ResourceArn=pool["PoolArn"], Policy='{"Version":"2012-10-17"}')
    await do("GetResourcePolicy", ResourceArn=pool["PoolArn"])
    await do("DeleteResourcePolicy", ResourceArn=pool["PoolArn"])
    await do("TagResource", ResourceArn=arn, Tags=[{"Key": "more", "Value": ""}])
    await do("UntagResource", ResourceArn=arn, TagKeys=["team"])
    assert (await do("ListTagsForResource", ResourceArn=arn))["Tags"] == [{"Key": "more", "Value": ""}]
    number = {"OptOutListName": "list", "OptedOutNumber": "+14255550199"}
    await do("PutOptedOutNumber", **number)
    await do("DescribeOptedOutNumbers", OptOutListName="list")
    await do("DeleteOptedOutNumber", **number)
    await do("SendMediaMessage", **_to(first), MediaUrls=["s3://bucket/cat.png"])
    await do("SendVoiceMessage", **_to(first), MessageBody="Hello there")
    await do("DisassociateOriginationIdentity", **member)
    await do("DeletePool", PoolId=pool["PoolId"])
    for each in (first, second):
        await do("ReleasePhoneNumber", PhoneNumberId=each["PhoneNumberId"])
    await do("ReleaseSenderId", **sender)
    await do("DeleteOptOutList", OptOutListName="list")


async def _configuration(do: Recorder) -> None:
    name = {"ConfigurationSetName": "set"}
    await do("CreateConfigurationSet", **name)
    await do("SetDefaultMessageType", **name, MessageType="PROMOTIONAL")
    await do("SetDefaultSenderId", **name, SenderId="Acme")
    await do("SetDefaultMessageFeedbackEnabled", **name, MessageFeedbackEnabled=True)
    target = {
        "IamRoleArn": "arn:aws:iam::123456789012:role/r",
        "DeliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/d",
    }
    destination = {**name, "EventDestinationName": "stream"}
    await do(
        "CreateEventDestination", **destination, MatchingEventTypes=["ALL"], KinesisFirehoseDestination=target
    )
    await do("UpdateEventDestination", **destination, Enabled=False)
    await do("DescribeConfigurationSets", ConfigurationSetNames=["set"])
    sent = await do(
        "SendTextMessage",
        DestinationPhoneNumber="+447860019066",
        MessageBody="hi",
        MessageType="TRANSACTIONAL",
        **name,
    )
    await do("PutMessageFeedback", MessageId=sent["MessageId"], MessageFeedbackStatus="RECEIVED")
    await do("DeleteEventDestination", **destination)
    await do("DeleteDefaultMessageType", **name)
    await do("DeleteDefaultSenderId", **name)


async def _protection(do: Recorder) -> None:
    created = await do("CreateProtectConfiguration", Tags=[{"Key": "Name", "Value": "p"}])
    named = {"ProtectConfigurationId": created["ProtectConfigurationId"]}
    await do("UpdateProtectConfiguration", **named, DeletionProtectionEnabled=False)
    await do("AssociateProtectConfiguration", **named, ConfigurationSetName="set")
    await do("SetAccountDefaultProtectConfiguration", **named)
    await do("DescribeProtectConfigurations", Filters=[{"Name": "account-default", "Values": ["true"]}])
    await do(
        "UpdateProtectConfigurationCountryRuleSet",
        **named,
        NumberCapability="SMS",
        CountryRuleSetUpdates={"FR": {"ProtectStatus": "BLOCK"}},
    )
    rules = await do("GetProtectConfigurationCountryRuleSet", **named, NumberCapability="SMS")
    assert rules["CountryRuleSet"]["FR"] == {"ProtectStatus": "BLOCK"}
    override = {**named, "DestinationPhoneNumber": "+33755512501"}
    await do("PutProtectConfigurationRuleSetNumberOverride", **override, Action="ALLOW")
    await do("ListProtectConfigurationRuleSetNumberOverrides", **named)
    await do("DeleteProtectConfigurationRuleSetNumberOverride", **override)
    await do("DeleteAccountDefaultProtectConfiguration")
    await do("DisassociateProtectConfiguration", **named, ConfigurationSetName="set")
    await do("DeleteProtectConfiguration", **named)
    await do("DeleteConfigurationSet", ConfigurationSetName="set")


async def _registration(aws: Aws, do: Recorder) -> None:
    await do("DescribeRegistrationTypeDefinitions")
    kind = "US_TOLL_FREE_REGISTRATION"
    await do("DescribeRegistrationSectionDefinitions", RegistrationType=kind)
    await do("DescribeRegistrationFieldDefinitions", RegistrationType=kind)
    body = base64.b64decode(base64.b64encode(b"%PDF-1.7 opt-in"))
    attachment = await do("CreateRegistrationAttachment", AttachmentBody=body)
    await do("DescribeRegistrationAttachments")
    created = await do("CreateRegistration", RegistrationType=kind)
    named = {"RegistrationId": created["RegistrationId"]}
    await fill(aws, named["RegistrationId"], kind, attachment["RegistrationAttachmentId"])
    do.called.add("PutRegistrationFieldValue")
    await do("DescribeRegistrationFieldValues", **named)
    number = await aws.number()
    await do("CreateRegistrationAssociation", **named, ResourceId=number["PhoneNumberId"])
    await do("ListRegistrationAssociations", **named)
    await do("DiscardRegistrationVersion", **named)
    await do("CreateRegistrationVersion", **named)
    await fill(aws, named["RegistrationId"], kind, attachment["RegistrationAttachmentId"])
    await do("DeleteRegistrationFieldValue", **named, FieldPath="companyInfo.address2")
    await do("SubmitRegistrationVersion", **named)
    await do("DescribeRegistrationVersions", **named)
    await do("DescribeRegistrations")
    brand = await do("CreateRegistration", RegistrationType="US_TEN_DLC_BRAND_REGISTRATION")
    await do("DeleteRegistration", RegistrationId=brand["RegistrationId"])
    spare = await do("CreateRegistrationAttachment", AttachmentUrl="s3://bucket/opt-in.png")
    await do("DeleteRegistrationAttachment", RegistrationAttachmentId=spare["RegistrationAttachmentId"])


async def _account(aws: Aws, do: Recorder) -> None:
    entry = await do("CreateVerifiedDestinationNumber", DestinationPhoneNumber="+14255550123")
    named = {"VerifiedDestinationNumberId": entry["VerifiedDestinationNumberId"]}
    await do("SendDestinationNumberVerificationCode", **named, VerificationChannel="TEXT")
    sent = (await aws.control("GET", "messages"))["data"][-1]
    await do("VerifyDestinationNumber", **named, VerificationCode=sent["body"].split()[-1])
    await do("DescribeVerifiedDestinationNumbers", DestinationPhoneNumbers=["+14255550123"])
    await do("DeleteVerifiedDestinationNumber", **named)
    for channel in ("Text", "Voice", "Media"):
        await do(f"Set{channel}MessageSpendLimitOverride", MonthlyLimit=5)
        await do(f"Delete{channel}MessageSpendLimitOverride")
    await do("DescribeSpendLimits")
    await do("DescribeAccountAttributes")
    await do("DescribeAccountLimits")
    assert (await do("CarrierLookup", PhoneNumber="+1 (425) 555-0100"))["IsoCountryCode"] == "US"


def _to(number: dict[str, Any]) -> dict[str, str]:
    return {"DestinationPhoneNumber": "+14254147755", "OriginationIdentity": number["PhoneNumberId"]}
