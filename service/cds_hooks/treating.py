"""Whether a reader is one to whom a survival figure may be shown: a physician of a treating speciality.

Unknown is nobody: both the role and the speciality have to be known. That the patient is treated by this very reader
cannot be told from either.
"""

from service.card_settings import Card
from service.cds_hooks.quiet import Reader
from service.survival import ReaderIs


def reader_is(reader: Reader, card: Card) -> ReaderIs:
    """By the roles and specialities that the site (or the default) lets see a figure."""
    if not (reader.roles and reader.specialities):
        return "unknown"
    may = not reader.roles.isdisjoint(card.roles) and not reader.specialities.isdisjoint(card.specialities)
    return "treating" if may else "other"
