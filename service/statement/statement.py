"""What is said of an assessment, as data: one source for cards and command line, in any language and markup.

The words and the order of thoughts are those of the clinical review: position first, then the factors for and against
with equal weight, then what was not known, then how to read it. A survival figure only where every condition for one
holds (service/survival.py), and never advice on treatment.
"""

from datetime import UTC, datetime

import msgspec

from fhir_mappings.timing import instant
from service.abstention import texts
from service.assessment import Assessment
from service.gaps import came_too_late
from service.labels import query_names
from service.language.sentences import Language, LanguageCode
from service.notices import ABSENT, CACHED, RUNNING, notice_text
from service.statement.emergency import changed_text, key_inputs_text, next_text, scores_text
from service.statement.factors import Table, factor_table, learned_elsewhere
from service.statement.summary import category, entity_name, has_own_group, is_acute, summary, unread_keys
from service.statement.survival import survival_text
from service.wording import number


class Paragraph(msgspec.Struct, frozen=True):
    """`heading` is "" where the text stands alone; a text `loud` is one to be seen first."""

    text: str
    heading: str = ""
    loud: bool = False


class Statement(msgspec.Struct, frozen=True):
    """`summary` has at most 139 characters. All of it is text, not markup: the renderers escape."""

    language: LanguageCode
    summary: str
    parts: tuple[Paragraph | Table, ...]


def statement_of(assessment: Assessment, language: Language, *, in_summary: bool = False) -> Statement:
    """`in_summary`: a survival figure, where there is one, stands in the summary too."""
    at = instant(assessment.assessed_at) or datetime.now(UTC)
    running = [
        Paragraph(notice_text(notice, at, language), loud=True)
        for notice in assessment.notices
        if notice.code in RUNNING
    ]
    parts: list[Paragraph | Table]
    if assessment.abstained is not None:
        parts = [
            Paragraph(texts(assessment.abstained, language)[1]),
            *_unread(assessment, language),
            Paragraph(language.say("research-use")),
        ]
    else:
        parts = _scored(assessment, at, language)
    earlier = [Paragraph(notice_text(notice, at, language)) for notice in assessment.notices if notice.code == CACHED]
    whole = [*running, *parts, *earlier, *_model(assessment, language)]
    return Statement(language.code, summary(assessment, language, survival=in_summary), tuple(whole))


def caveats(assessment: Assessment, language: Language) -> list[str]:
    """How a result is to be read, or what could help where there is none, for those who show it their own way."""
    say = language.say
    if assessment.abstained is not None:
        return [texts(assessment.abstained, language)[1], say("research-use")]
    acute = [say("emergency")] if is_acute(assessment) else []
    return [*acute, f"{say('caveat')} {say('research-use')}"]


def _scored(assessment: Assessment, at: datetime, language: Language) -> list[Paragraph | Table]:
    say = language.say
    marks = learned_elsewhere(assessment, language)
    unknown = _unknown(assessment, at, language)
    return [
        *_position(assessment, language),
        *_changed(assessment, language),
        *_setting(assessment, language),
        *_emergency(assessment, language),
        *_survival(assessment, language),
        factor_table(assessment, at, language),
        *([Paragraph(marks)] if marks else []),
        *_beside(assessment, language),
        *([Paragraph(unknown, say("unknown-heading"))] if unknown else []),
        Paragraph(f"{say('caveat')} {say('research-use')}", say("caveat-heading")),
    ]


def _position(assessment: Assessment, language: Language) -> list[Paragraph]:
    position, setting = assessment.position, assessment.setting
    if position is None or setting is None:
        return []
    own = {"entity": entity_name(assessment, language)} if has_own_group(assessment) else {}
    text = language.say(
        "position" if own else "position-all",
        percentile=position.percentile,
        low=position.low,
        high=position.high,
        patients=number(position.patients, language),
        moment=language.moments[setting.key],
        category=category(assessment, language),
        **own,
    )
    return [Paragraph(text, language.say("position-heading"))]


def _changed(assessment: Assessment, language: Language) -> list[Paragraph]:
    text = changed_text(assessment, language)
    return [Paragraph(text, language.say("changed-heading"))] if text else []


def _setting(assessment: Assessment, language: Language) -> list[Paragraph]:
    """For a patient who is not at the point of the course at which the reference patients were seen."""
    setting = assessment.setting
    if setting is None or setting.rule != "D":
        return []
    return [Paragraph(language.say("setting", reason=language.settings.get(setting.reason, setting.text)))]


def _emergency(assessment: Assessment, language: Language) -> list[Paragraph]:
    """What an emergency's score is not, and what it rests on."""
    if not assessment.is_emergency:
        return []
    inputs = Paragraph(key_inputs_text(assessment, language), language.say("key-inputs-heading"))
    if not is_acute(assessment):
        return [inputs]
    return [Paragraph(language.say("emergency"), language.say("emergency-heading")), inputs]


def _beside(assessment: Assessment, language: Language) -> list[Paragraph]:
    """Scores of the bedside, and what to ask next."""
    found = {
        "scores-heading": scores_text(assessment, language),
        "next-heading": next_text(assessment, language),
    }
    return [Paragraph(text, language.say(heading)) for heading, text in found.items() if text]


def _survival(assessment: Assessment, language: Language) -> list[Paragraph]:
    text = "" if assessment.is_emergency else survival_text(assessment, language)
    return [Paragraph(text, language.say("survival-heading"))] if text else []


def _unread(assessment: Assessment, language: Language) -> list[Paragraph]:
    """Where there is no score: what was not obtained may be what is missing. Not where the record was not looked at."""
    missing = " ".join(_missing(assessment, language)) if assessment.coverage else ""
    return [Paragraph(missing, language.say("unknown-heading"))] if missing else []


def _missing(assessment: Assessment, language: Language) -> list[str]:
    """What came too late, and what else was not obtained."""
    late = came_too_late(assessment.retrieval)
    others = [key for key in unread_keys(assessment) if key not in late]
    said = {"late": query_names(late, language), "unread": query_names(others, language)}
    return [language.say(key, names=names) for key, names in said.items() if names]


def _unknown(assessment: Assessment, at: datetime, language: Language) -> str:
    """What was not obtained, what is not recorded, and what else stands beside the result."""
    lines = _missing(assessment, language)
    # in an emergency the key inputs and what to ask next say what is missing
    said_elsewhere = RUNNING | {CACHED} | (ABSENT if assessment.is_emergency else set())
    lines += [notice_text(notice, at, language) for notice in assessment.notices if notice.code not in said_elsewhere]
    return " ".join(lines)


def _model(assessment: Assessment, language: Language) -> list[Paragraph]:
    model = assessment.model
    if model is None:
        return []
    names = {"name": model.name, "version": model.version, "digest": model.digest[:8]}
    # those who trained a synthetic model are nobody's patients, and must not stand there as if they were
    synthetic = any(notice.code == "synthetic" for notice in assessment.notices)
    if not model.patients or synthetic:
        return [Paragraph(language.say("model-unused", **names))]
    return [Paragraph(language.say("model", **names, patients=number(model.patients, language)))]
