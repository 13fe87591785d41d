"""Which way a request takes: straight to this machine, or through the environment's proxy.

The one place that reads the environment's proxies. aiohttp is never let read them itself:
with that it reads ``.netrc`` too, and would send what is there.
"""

import ipaddress
from typing import TYPE_CHECKING

from batchgen.errors import InputError

if TYPE_CHECKING:
    from yarl import URL

_VARIABLES = {"https": "HTTPS_PROXY", "all": "ALL_PROXY"}  # the first one that is set counts


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address alone: no resolver is asked."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: "URL") -> "URL | None":
    """Return the environment's proxy for a URL; None where the request goes straight to its host.

    Only https goes through one: plain http is for this machine, and a proxy could read it.

    Args:
        url: where the request goes.

    Raises:
        InputError: there is a proxy that cannot be used. It may hold a password, so it is not repeated.
    """
    host = url.host or ""
    if url.scheme != "https" or is_loopback(host):
        return None
    import urllib.request  # noqa: PLC0415 - whoever asks only for is_loopback pays for no HTTP

    proxies = urllib.request.getproxies()
    name = next((one for one in _VARIABLES if proxies.get(one)), None)
    if name is None or urllib.request.proxy_bypass(host):
        return None
    return _checked(proxies[name], _VARIABLES[name])


def _checked(text: str, variable: str) -> "URL":
    from yarl import URL  # noqa: PLC0415 - as above

    try:
        proxy = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise InputError(f"{variable} is not a URL") from None
    if proxy.scheme not in {"http", "https"} or not proxy.host:
        raise InputError(
            f"{variable} must be an http:// or https:// URL: other proxies, such as SOCKS, are not "
            "supported. Set HTTPS_PROXY to an HTTP proxy, or add the service's host to NO_PROXY"
        )
    return proxy
