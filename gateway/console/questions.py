"""The questions of the onboarding, as fields. Rules live in the API; what stands here is wording."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.console.forms import Field, Group, Option
from gateway.console.words import STEP_TITLES, spoken

_PHONE: Final = "With + and country code, such as +12065550100."
_HTTPS: Final = "An address that begins with https://"
_NOT_HTTPS: Final = "Write the whole address, such as https://www.acme.example"
_COUNTRY: Final = "Two letters, such as US or DE."
_MOST_PROGRAMMES: Final = 10
_SAMPLES: Final = 5
"""As many as the API takes: what a page does not show would be gone with its next save."""
_USES: Final = (
    "otp", "account_notification", "security_alert", "fraud_alert", "delivery_notification",
    "appointment_reminder", "customer_care", "public_service_announcement", "higher_education", "polling",
    "marketing",
)  # fmt: skip


class Question(Struct, frozen=True, kw_only=True):
    """One page of the onboarding."""

    name: str
    lead: str
    why: str = ""

    @property
    def title(self) -> str:
        """Return what stands above the page."""
        return STEP_TITLES[self.name]


QUESTIONS: Final = {
    each.name: each
    for each in (
        Question(
            name="profile",
            lead="Carriers check these against public registers, so write them as they stand there.",
        ),
        Question(
            name="relationship",
            lead="Whom do recipients believe they deal with? The answer decides whose data is registered.",
            why="Carriers reject a registration in the wrong party's name. It is the most common reason.",
        ),
        Question(
            name="use_cases",
            lead="One entry for each purpose. Write samples as the real texts will read, with your brand.",
        ),
        Question(name="reach", lead="Where your recipients are, how many texts, and how fast."),
        Question(
            name="senders",
            lead="What recipients see as the sender. The best for your answers stands first in each country.",
        ),
        Question(name="legal", lead="Carriers read both pages before they approve anything."),
        Question(
            name="opt_in",
            lead="How recipients agree, and what they read or hear before they do.",
        ),
    )
}


def groups_of(name: str, *, use_cases: int = 1) -> tuple[Group, ...]:
    """
    Return the fields of a question; `senders` has its own, made from advice.

    Args:
        use_cases: For how many there is room, of the question about them.
    """
    match name:
        case "profile":
            return _PROFILE
        case "relationship":
            return _RELATIONSHIP
        case "use_cases":
            return tuple(_programme(at) for at in range(min(use_cases, _MOST_PROGRAMMES)))
        case "reach":
            return _REACH
        case "legal":
            return _LEGAL
        case _:
            return _OPT_IN


def room_in(sent: Mapping[str, str]) -> int:
    """Return for how many use cases a form that was sent had room."""
    return max(1, sum(f"programmes.{at}.use_case" in sent for at in range(_MOST_PROGRAMMES)))


def _person_fields(path: str) -> tuple[Field, ...]:
    return (
        Field(
            name=f"{path}.email",
            label="E-mail",
            kind="email",
            most=254,
            wrong="An e-mail address is name@domain.",
            autocomplete="email",
        ),
        Field(name=f"{path}.phone", label="Phone", kind="tel", hint=_PHONE, wrong=_PHONE, autocomplete="tel"),
    )


_PROFILE: Final = (
    Group(
        title="Company",
        fields=(
            Field(name="legal_name", label="Legal name", most=100, autocomplete="organization"),
            Field(
                name="brand",
                label="Brand",
                hint="The name that recipients know; it stands in every text.",
                least=2,
                most=40,
                wrong="2 to 40 characters.",
            ),
            Field(name="website", label="Website", kind="url", hint=_HTTPS, wrong=_NOT_HTTPS, most=500),
            Field(
                name="tax_id",
                label="Tax number",
                hint="US EIN, Canadian BN, or VAT number.",
                most=30,
                wrong="2 to 30 letters, digits and hyphens.",
            ),
            Field(
                name="legal_form",
                label="Legal form",
                kind="choice",
                options=tuple(
                    Option(value=value, label=label)
                    for value, label in (
                        ("private_profit", "Private company"),
                        ("public_profit", "Company listed on a stock exchange"),
                        ("non_profit", "Non-profit organisation"),
                        ("government", "Government"),
                        ("sole_proprietor", "Sole proprietor"),
                    )
                ),
            ),
            Field(name="vertical", label="Line of business", hint="Such as retail or health care.", most=100),
        ),
    ),
    Group(
        title="Registered address",
        fields=(
            Field(name="address.line1", label="Street and number", most=100, autocomplete="address-line1"),
            Field(
                name="address.line2",
                label="More of the address",
                required=False,
                most=100,
                autocomplete="address-line2",
            ),
            Field(name="address.city", label="City", most=100, autocomplete="address-level2"),
            Field(name="address.region", label="State or province", most=100, autocomplete="address-level1"),
            Field(name="address.postal_code", label="Postal code", most=20, autocomplete="postal-code"),
            Field(
                name="address.country",
                label="Country",
                most=2,
                hint=_COUNTRY,
                wrong="Two capital letters, such as US or DE.",
                autocomplete="country",
            ),
        ),
    ),
    Group(
        title="Contact",
        note="A person whom carriers may ask.",
        fields=(
            Field(name="contact.first_name", label="First name", most=100, autocomplete="given-name"),
            Field(name="contact.last_name", label="Last name", most=100, autocomplete="family-name"),
            *_person_fields("contact"),
        ),
    ),
    Group(
        title="Support",
        note="What recipients are told when they answer HELP.",
        fields=_person_fields("support"),
    ),
)
_RELATIONSHIP: Final = (
    Group(
        title="",
        fields=(
            Field(
                name="brand_seen",
                label="Whose name do recipients read, and whose texts did they agree to?",
                kind="radio",
                options=(
                    Option(value="tenant", label="Ours", note="Texts carry our brand alone."),
                    Option(
                        value="operator",
                        label="Our provider's",
                        note="Texts carry the provider's brand; recipients know it as the sender.",
                    ),
                    Option(
                        value="neither",
                        label="Neither alone",
                        note="The provider will look at it and decide with you.",
                    ),
                ),
            ),
            Field(
                name="opt_in_through",
                label="Whose form, app or paper takes the consent?",
                kind="radio",
                options=(
                    Option(value="tenant", label="Ours"),
                    Option(value="operator", label="Our provider's"),
                ),
            ),
            Field(
                name="opt_in_shared",
                label="The provider hands the consents that it takes over to us",
                kind="check",
            ),
        ),
    ),
)


def _programme(at: int) -> Group:
    path = f"programmes.{at}"
    samples = tuple(
        Field(
            name=f"{path}.samples.{number}",
            label=f"Sample text {number + 1}",
            kind="area",
            required=number == 0,
            least=20,
            most=306,
            hint="20 to 306 characters." if number == 0 else "",
            wrong="20 to 306 characters.",
        )
        for number in range(_SAMPLES)
    )
    return Group(
        title=f"Use case {at + 1}",
        optional=at > 0,
        note="" if at == 0 else "Leave empty if there is none. Another one can be added after saving.",
        fields=(
            Field(
                name=f"{path}.use_case",
                label="Purpose",
                kind="choice",
                options=tuple(Option(value=value, label=spoken(value)) for value in _USES),
            ),
            Field(
                name=f"{path}.type",
                label="Kind of message",
                kind="choice",
                options=(
                    Option(value="otp", label="One-time passwords"),
                    Option(value="transactional", label="Transactional: what recipients asked for or need"),
                    Option(value="promotional", label="Promotional: advertising"),
                ),
            ),
            Field(
                name=f"{path}.description",
                label="Who sends what to whom, and why",
                kind="area",
                least=40,
                most=500,
                hint="40 to 500 characters.",
                wrong="40 to 500 characters.",
            ),
            *samples,
        ),
    )


_REACH: Final = (
    Group(
        title="",
        fields=(
            Field(
                name="countries",
                label="Countries",
                kind="countries",
                hint="Two letters each, separated by commas: US, CA, GB.",
            ),
            Field(name="messages_per_month", label="Messages per month", kind="number", wrong="At least 1."),
            Field(
                name="parts_per_second",
                label="Message parts per second",
                kind="number",
                counts="any",
                hint="The most that should leave in a second. A text of up to 160 plain characters is one.",
                wrong="More than 0 and at most 10,000.",
            ),
            Field(name="two_way", label="Recipients should be able to answer", kind="check"),
        ),
    ),
)
_LEGAL: Final = (
    Group(
        title="",
        fields=(
            Field(
                name="hosted",
                label="Use the provider's hosted pages, written from your profile",
                kind="check",
            ),
            Field(
                name="terms_url",
                label="Address of your terms",
                kind="url",
                required=False,
                hint="Where you do not use the hosted pages.",
                wrong=_NOT_HTTPS,
                most=500,
            ),
            Field(
                name="privacy_url",
                label="Address of your privacy policy",
                kind="url",
                required=False,
                hint="Where you do not use the hosted pages.",
                wrong=_NOT_HTTPS,
                most=500,
            ),
        ),
    ),
)
_OPT_IN: Final = (
    Group(
        title="",
        fields=(
            Field(
                name="mode",
                label="How recipients agree",
                kind="radio",
                options=(
                    Option(value="hosted_page", label="On the provider's hosted page"),
                    Option(value="web_form", label="On a form of our website"),
                    Option(value="keyword", label="By texting a keyword"),
                    Option(value="verbal", label="By word of mouth or phone"),
                    Option(value="paper", label="On paper"),
                ),
            ),
            Field(
                name="wording",
                label="What recipients read or hear before they agree",
                kind="area",
                least=40,
                most=1000,
                hint="40 to 1000 characters, word for word.",
                wrong="40 to 1000 characters.",
            ),
            Field(
                name="url",
                label="Where the form can be seen",
                kind="url",
                required=False,
                hint=f"{_HTTPS}; without a login.",
                wrong=_NOT_HTTPS,
                most=500,
            ),
            Field(
                name="double_opt_in",
                label="Recipients confirm with a text before the first one",
                kind="check",
            ),
        ),
    ),
)
