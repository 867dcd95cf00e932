"""The fixture that other projects get with the package."""

import boto3


def test_a_synchronous_test_sends_through_the_packaged_fixture(sms_emulator):
    """`pip install tollgate` is all that somebody else's test suite needs."""
    sms = boto3.client(
        "pinpoint-sms-voice-v2",
        endpoint_url=sms_emulator.base_url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="thing",
    )
    number = sms.request_phone_number(
        IsoCountryCode="US", MessageType="TRANSACTIONAL", NumberCapabilities=["SMS"], NumberType="TOLL_FREE"
    )
    sent = sms.send_text_message(
        DestinationPhoneNumber="+14254147755",
        MessageBody="Hello",
        OriginationIdentity=number["PhoneNumberId"],
    )
    assert sent["MessageId"]
