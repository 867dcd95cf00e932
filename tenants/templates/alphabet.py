"""
GSM 03.38 and what fits into a message part.

It lives on this side because a template is priced at its worst before it is approved; `gateway` measures
real texts with the same figures.
"""

import re
from typing import Literal

Encoding = Literal["GSM", "UNICODE"]
"""The two values of `messageEncoding` in AWS's receipts."""

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The characters of one septet. ESC (0x1B) is in the alphabet too, as the switch, not as a character."""

GSM_EXTENSION = "\f^{}\\[~]|€"
"""The characters of two septets: ESC and another."""

GSM_SINGLE_PART = 160
GSM_MULTI_PART = 153
UNICODE_SINGLE_PART = 70
UNICODE_MULTI_PART = 67
"""Units in one part: https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html."""

BODY_MAX_CHARACTERS = 1600
"""`MessageBody` of SendTextMessage, botocore model pinpoint-sms-voice-v2: 1 to 1,600, not all blank."""

EXTENSION = re.compile(f"[{re.escape(GSM_EXTENSION)}]")
NOT_GSM = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION)}]")
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""Characters of two UTF-16 units, a surrogate pair."""
