"""
Which region and kind a national number has, from libphonenumber's own tables, compiled once per calling code.

libphonenumber asks the same patterns through a dozen layers and, for the kind, finds the region a second
time: 20 to 30 us a number, where the patterns themselves need two. The tables and the order of the questions
are its own; a property test holds every answer to its `region_code_for_number` and `number_type`.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from msgspec import Struct
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneMetadata,
    PhoneNumberDesc,
    PhoneNumberType,
)

CALLING_CODES: Final = {str(code): code for code in COUNTRY_CODE_TO_REGION_CODE}
"""Every calling code by its digits."""

_ORDER: Final = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)
"""The kinds in the order in which libphonenumber asks for them, before fixed lines and mobiles."""
_NOTHING: Final = r"(?!)"


class _Range(Struct, frozen=True):
    """The numbers of one description."""

    lengths: frozenset[int]
    """Empty where the description does not say: then every length that the plan has."""
    fits: Callable[[str], object]

    def holds(self, national: str) -> bool:
        return (not self.lengths or len(national) in self.lengths) and self.fits(national) is not None


class _Region(Struct, frozen=True):
    """The plan of one region."""

    name: str
    leads: Callable[[str], object] | None
    """Says by the first digits alone that a number is this region's."""
    general: _Range | None
    special: Callable[[str], object]
    """Fits every number of the kinds below, whatever its length: one look says that a number is of none."""
    kinds: tuple[tuple[frozenset[int], Callable[[str], object], int], ...]
    """Of each kind the lengths, the pattern and its PhoneNumberType: a `_Range` laid out flat, for speed."""
    fixed: _Range | None
    mobile: _Range | None
    mobile_is_fixed: bool

    def kind(self, national: str) -> int:
        """Return the PhoneNumberType of a national number."""
        if self.general is None or not self.general.holds(national):
            return PhoneNumberType.UNKNOWN
        if self.special(national) is not None:
            digits = len(national)
            for lengths, fits, kind in self.kinds:
                if (digits in lengths or not lengths) and fits(national) is not None:
                    return kind
        mobile = self.mobile is not None and self.mobile.holds(national)
        if self.fixed is not None and self.fixed.holds(national):
            both = mobile or self.mobile_is_fixed
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if both else PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if mobile and not self.mobile_is_fixed else PhoneNumberType.UNKNOWN


def classify(calling_code: int, national: str) -> tuple[str | None, int]:
    """
    Return the region of a national number, None if no region has it, and its PhoneNumberType.

    A calling code with one region gives that region for every number, and for those that it does not have the
    type UNKNOWN; codes that belong to no country give the region `001`.
    """
    regions = _regions(calling_code)
    if len(regions) == 1:
        return regions[0].name, regions[0].kind(national)
    for region in regions:
        if region.leads is not None:
            if region.leads(national) is not None:
                return region.name, region.kind(national)
        elif (kind := region.kind(national)) != PhoneNumberType.UNKNOWN:
            return region.name, kind
    return None, PhoneNumberType.UNKNOWN


@cache
def _regions(calling_code: int) -> tuple[_Region, ...]:
    found: list[_Region] = []
    for name in COUNTRY_CODE_TO_REGION_CODE[calling_code]:
        metadata = (
            PhoneMetadata.metadata_for_nongeo_region(calling_code)
            if name == REGION_CODE_FOR_NON_GEO_ENTITY
            else PhoneMetadata.metadata_for_region(name)
        )
        if metadata is not None:
            found.append(_region(name, metadata))
    return tuple(found)


def _region(name: str, metadata: PhoneMetadata) -> _Region:
    ranges = [(_range(getattr(metadata, field)), kind) for field, kind in _ORDER]
    leading = metadata.leading_digits
    return _Region(
        name=name,
        leads=None if leading is None else re.compile(leading).match,
        general=_range(metadata.general_desc),
        special=_any_of([getattr(metadata, field) for field, _ in _ORDER]),
        kinds=tuple((each.lengths, each.fits, kind) for each, kind in ranges if each is not None),
        fixed=_range(metadata.fixed_line),
        mobile=_range(metadata.mobile),
        mobile_is_fixed=bool(metadata.same_mobile_and_fixed_line_pattern),
    )


def _any_of(descriptions: Iterable[PhoneNumberDesc | None]) -> Callable[[str], object]:
    patterns = [each.national_number_pattern for each in descriptions if each is not None]
    return re.compile("|".join(f"(?:{each})" for each in patterns if each) or _NOTHING).fullmatch


def _range(description: PhoneNumberDesc | None) -> _Range | None:
    if description is None or not description.national_number_pattern:
        return None
    pattern = re.compile(description.national_number_pattern)
    return _Range(frozenset(description.possible_length), pattern.fullmatch)
