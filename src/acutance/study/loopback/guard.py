"""Who may ask: whoever knows the token, from a page of this server, by its own name.

The server listens on 127.0.0.1 alone. That keeps other machines out, but not the pages of other
sites in the same browser, nor other users of the same machine:

- a site can let its own name point to 127.0.0.1 (DNS rebinding): its requests carry that name as
  their Host;
- a page of another site can send requests here: they carry its Origin, or say cross-site;
- another user of the machine can ask, but does not know the token.
"""

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

HOSTS = ("127.0.0.1", "localhost")
LONGEST = 4096  # characters of an address


def new_token() -> str:
    """256 random bits that can stand in an address."""
    return secrets.token_urlsafe(32)


def refusal(headers: Mapping[str, str], path: str, *, port: int, token: str) -> str:
    """Why a request is refused, in words for its sender; "" where it may pass.

    `path` is the address as it was sent, which begins with the token. The order matters: what a
    foreign page may learn is not even whether its token is right.
    """
    hosts = {f"{name}:{port}" for name in HOSTS}
    if headers.get("Host", "") not in hosts:
        return "Foreign host."
    origin = headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "Foreign origin."
    site = headers.get("Sec-Fetch-Site", "none")
    if site not in {"none", "same-origin"} and headers.get("Sec-Fetch-Mode") != "navigate":
        return "Foreign site."  # a link from elsewhere may be followed: it has the token
    given = path.split("?", 1)[0].split("/")[1:2]
    if not given or not hmac.compare_digest(given[0].encode(), token.encode()):
        return "Missing or wrong token."
    return ""


def parts_of(path: str) -> tuple[str, ...] | None:
    """The parts of an address behind its token, each decoded once; None for what no page asks.

    Refused are "..", ".", separators and control characters that hide within a part, bytes that
    are no UTF-8, and endless addresses: no part can name another folder.
    """
    if len(path) > LONGEST:
        return None
    found = []
    for raw in path.split("?", 1)[0].split("/")[2:]:
        try:
            part = unquote_to_bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            return None
        if part in {".", ".."} or any(c in "/\\%" or not c.isprintable() for c in part):
            return None
        found.append(part)
    return tuple(found[:-1] if found and found[-1] == "" else found)
