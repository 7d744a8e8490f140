"""What is not publicly known about the service, as switches; the defaults are the sandbox's reading."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Switches:
    """Behaviour of the emulator; may be changed while it serves.

    Attributes:
        requests: Requests allowed in a window; the next one ends the token.
        window_s: Length of the window, seconds.
        window: ``sliding`` log, or ``fixed`` from the first request on.
        scope: What shares a counter: the user name, the pin, or everybody.
        exceed_status: HTTP status of the request too many.
        cooldown_s: After an excess everything is refused for so long.
        counter_survives_login: Whether a new sign-in keeps the count.
        token_lifetime_s: Life of a token, seconds of the virtual clock.
        page_size, max_page_size: Default and silent upper bound of ``pageSize``.
        embed_cap: Longest embedded array, or None.
        content_ranges: Whether downloads of documents honour Range and If-Range.
        deletions_endpoint: Whether ``/deletions`` exists.
    """

    requests: int = 300
    window_s: int = 900
    window: Literal["sliding", "fixed"] = "sliding"
    scope: Literal["credential", "practice", "tenant"] = "credential"
    exceed_status: Literal[429, 401, 403] = 429
    cooldown_s: int = 0
    counter_survives_login: bool = True
    token_lifetime_s: int = 3600
    page_size: int = 200
    max_page_size: int = 500
    embed_cap: int | None = None
    deletions_endpoint: bool = True
    content_ranges: bool = True
