"""What may be called in AWS's stead, judged as botocore and the lean client would."""

import pytest
from botocore.utils import is_valid_endpoint_url, is_valid_ipv6_endpoint_url

from gateway.carrier.lean import origin_of
from tenants.errors import InvalidInput
from tenants.senders.endpoints import check_endpoint


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4579",
        "http://[::1]:4579",
        "http://host",
        "https://sms-voice.us-east-1.amazonaws.com",
        "https://vpce-0a.sms-voice.us-east-1.vpce.amazonaws.com.:8443/x",
        "http://host:65535",
    ],
)
def test_an_endpoint_that_can_be_opened_is_taken(url):
    """By both clients of a route."""
    check_endpoint("/endpoint_url", url)
    assert is_valid_endpoint_url(url) or is_valid_ipv6_endpoint_url(url)
    assert origin_of(url)[2] > 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host", "host", "http://", "http://:80", "http://a..b", "http://-a", "http://a_b",
        "http://" + "a" * 64, "http://" + ".".join(["a" * 60] * 5), "http://host:99999", "http://host:0",
        "http://host:x", "http://[::1", "http://a b", "http://a\n",
    ],
)  # fmt: skip
def test_an_endpoint_that_cannot_be_opened_is_refused_with_its_field(url):
    """Also one that a setting names."""
    with pytest.raises(InvalidInput) as refusal:
        check_endpoint("/endpoint_url", url)
    assert refusal.value.field == "/endpoint_url"
