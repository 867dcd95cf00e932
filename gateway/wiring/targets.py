"""Where tenants' URLs may lead, as the settings have it."""

from urllib.parse import urlsplit

from gateway.settings import Settings
from gateway.webhooks.addresses import Targets


def targets_of(settings: Settings) -> Targets:
    """Return what the operator opened, without the ports at which the gateway and its stores listen."""
    urls = (settings.database_url, settings.redis_url, settings.aws_endpoint_url, settings.public_url)
    named = (_port(url) for url in urls if url)
    return Targets(settings.webhook_allow_cidrs, own_ports={settings.port, *(port for port in named if port)})


def _port(url: str) -> int | None:
    """Return the port that a URL names; one with several hosts names none that could be told."""
    try:
        return urlsplit(url).port
    except ValueError:
        return None
