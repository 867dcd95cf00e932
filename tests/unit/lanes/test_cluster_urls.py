"""One REDIS_URL says whether it names a Redis or a cluster."""

import pytest

from gateway.lanes.scripts import plain_url


@pytest.mark.parametrize(
    ("url", "plain", "is_cluster"),
    [
        ("redis://h:1/0", "redis://h:1/0", False),
        ("rediss://:p%40ss@h:1?ssl_cert_reqs=none", "rediss://:p%40ss@h:1?ssl_cert_reqs=none", False),
        ("rediss+cluster://:p@h:1", "rediss://:p@h:1", True),
        ("redis+cluster://h:1", "redis://h:1", True),
        ("redis://h:1?cluster=true", "redis://h:1", True),
        ("redis://h:1?cluster=True&ssl_cert_reqs=none", "redis://h:1?ssl_cert_reqs=none", True),
        ("redis://h:1?cluster=false", "redis://h:1?cluster=false", False),
    ],
)
def test_a_cluster_is_named_by_its_scheme_or_its_query(url, plain, is_cluster):
    """What is left is what redis-py reads."""
    assert plain_url(url) == (plain, is_cluster)
