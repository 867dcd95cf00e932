"""What countries ask of a template's text, as data with its sources."""

import re
from typing import Final

OPT_OUT_NAMED: Final = frozenset(
    {
        # CTIA Messaging Principles 5.1.3; CASL s. 11
        "US", "CA", "PR", "VI", "GU",
        # Directive 2002/58/EC art. 13(4) and PECR reg. 23: an address for objections in every message
        "GB", "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "NO", "IS", "LI", "CH",
        # Spam Act 2003 s. 18; Unsolicited Electronic Messages Act 2007 s. 11
        "AU", "NZ",
        # national data-protection and direct-marketing laws
        "BR", "MX", "CO", "CL", "AR", "PE", "ZA", "SG", "HK",
    }
)  # fmt: skip
"""Countries where a promotional text has to say how to stop it."""

TRANSACTIONAL_ONLY: Final = frozenset({"JO"})
"""Countries whose registration has the sender declare that nothing promotional is sent."""

TEMPLATE_IDS: Final = frozenset({"IN"})
"""Countries where the wording is registered on its own (India: DLT entity and template id)."""

OPT_OUT_HINT: Final = re.compile(
    r"\b(?:STOP|ARRET|STOPP|UNSUBSCRIBE|OPT[ -]?OUT|BAJA|ALTO|CANCELAR|SAIR|PARAR|ABMELDEN|AFMELDEN|FERMA"
    r"|AVSLUTA|REMOVE|QUIT|END)\b"
    r"|\u505c\u6b62|\u9000\u8ba2|\u914d\u4fe1\u505c\u6b62|\u0421\u0422\u041e\u041f",
    re.IGNORECASE,
)
"""The keywords that end a subscription: AWS's managed set and its translations; STOP is known everywhere."""
