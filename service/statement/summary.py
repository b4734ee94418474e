"""The card's one line, and the names that it shares with the detail."""

from collections.abc import Sequence
from datetime import UTC, datetime

from service.abstention import ACUTE, texts
from service.assessment import Assessment
from service.emergency.key_inputs import KeyInputs
from service.gaps import came_too_late, unread
from service.labels import in_sentence, label, query_names
from service.language.sentences import Language
from service.statement.survival import figures_of

SUMMARY_LIMIT = 139  # CDS Hooks: fewer than 140 characters


def summary(assessment: Assessment, language: Language, *, survival: bool = False) -> str:
    """One line of at most 139 characters that ends at a word. `survival`: with the figure, where there is one."""
    if assessment.abstained is not None:
        return fitting([language.say("summary-abstained", reason=texts(assessment.abstained, language)[0])])
    coverage = assessment.coverage
    if coverage is None or assessment.position is None or assessment.entity is None:
        return language.say("summary-incomplete")
    arguments: dict[str, str | int] = {
        "observed": coverage.observed,
        "trained": coverage.trained,
        "category": category(assessment, language),
        "entity": entity_name(assessment, language),
        "unread": unread_names(assessment, language),
        "moment": _stale_since(assessment, language),
    }
    keys = _sentences(assessment)
    if is_acute(assessment):
        return _of_emergency(assessment, assessment.position.category, language)
    if survival and assessment.survival and not unread_keys(assessment) and not arguments["moment"]:
        arguments |= figures_of(assessment.survival[0], language)
        keys = ("summary-survival", *keys)
    return fitting([language.say(key, **arguments) for key in keys])


def _of_emergency(assessment: Assessment, category: str, language: Language) -> str:
    """The first look at an emergency, or a further answer of a sequence."""
    inputs, update = assessment.key_inputs or KeyInputs(), assessment.update
    number = update.number if update is not None else 1
    since = _stale_since(assessment, language)
    arguments: dict[str, str | int] = {
        "number": number,
        "moment": since,
        "known": len(inputs.known),
        "all": len(inputs.known) + len(inputs.missing),
        "outlook": language.acute_outlooks[category],
    }
    keys = _sentences_of_emergency(number, is_unread=bool(unread_keys(assessment)), is_stale=bool(since))
    return fitting([language.say(key, **arguments) for key in keys])


def _sentences_of_emergency(number: int, *, is_unread: bool, is_stale: bool) -> tuple[str, ...]:
    """Their keys, longest first."""
    if number > 1:
        return ("summary-emergency-update-preliminary" if is_unread or is_stale else "summary-emergency-update",)
    if is_unread:
        return ("summary-emergency-preliminary",)
    return ("summary-emergency-stale", "summary-emergency-stale-shorter") if is_stale else ("summary-emergency",)


def _sentences(assessment: Assessment) -> tuple[str, ...]:
    """Their keys, longest first. Where the group is all patients, the cancer type is not what they are similar in."""
    if unread := unread_keys(assessment):
        late = came_too_late(assessment.retrieval) == unread
        return ("summary-late" if late else "summary-preliminary", "summary-preliminary-shorter")
    if any(notice.code == "stale" for notice in assessment.notices):
        return ("summary-stale",)
    if has_own_group(assessment):
        return ("summary", "summary-shorter", "summary-shortest")
    return ("summary-shortest",)


def is_acute(assessment: Assessment) -> bool:
    """Whether an emergency was ranked by the network `acute`; a package may lack it."""
    return assessment.is_emergency and assessment.setting is not None and assessment.setting.key == ACUTE


def entity_name(assessment: Assessment, language: Language) -> str:
    return in_sentence(label(assessment.entity.key, language), language) if assessment.entity else ""


def category(assessment: Assessment, language: Language) -> str:
    return language.categories[assessment.position.category] if assessment.position else ""


def has_own_group(assessment: Assessment) -> bool:
    """Whether the position is among patients of the same cancer type."""
    position, entity = assessment.position, assessment.entity
    return position is not None and entity is not None and position.group == entity.key


def unread_keys(assessment: Assessment) -> list[str]:
    """The queries that were not, or not wholly, answered."""
    return unread(assessment.retrieval)


def unread_names(assessment: Assessment, language: Language) -> str:
    """What was not, or not wholly, obtained; "" where all of it was."""
    return query_names(unread_keys(assessment), language)


def _stale_since(assessment: Assessment, language: Language) -> str:
    """When that was read which stands in for a server that failed; "" where nothing does."""
    since = next((notice.as_of for notice in assessment.notices if notice.code == "stale"), "")
    return datetime.fromisoformat(since).astimezone(UTC).strftime(language.numbers.moment) if since else ""


def fitting(candidates: Sequence[str]) -> str:
    """The first that is short enough; else the last, cut at a word."""
    for text in candidates:
        if len(text) <= SUMMARY_LIMIT:
            return text
    return candidates[-1][:SUMMARY_LIMIT].rsplit(" ", 1)[0] + "…"
