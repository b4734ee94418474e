"""What stands beside the score of an emergency: what it is not, the key inputs, bedside scores, what to ask next."""

from collections.abc import Sequence

from service.assessment import Assessment
from service.emergency.bedside_scores import BedsideScore
from service.emergency.change import Change
from service.emergency.key_inputs import KEY_INPUTS
from service.labels import beside_value
from service.language.sentences import Language
from service.wording import factor_text, feature_of, value_text

_NEXT = 3  # inputs that are asked for by name


def key_inputs_text(assessment: Assessment, language: Language) -> str:
    """Which of the 14 the estimate rests on, which it knows but cannot use, which are missing."""
    inputs = assessment.key_inputs
    if inputs is None:
        return ""
    weighed = {factor.feature for factor in assessment.attribution}
    used = [name for name in inputs.known if any(not weighed.isdisjoint(group) for group in KEY_INPUTS[name])]
    said = {
        "key-inputs-used": used,
        "key-inputs-unused": [name for name in inputs.known if name not in used],
        "key-inputs-missing": inputs.missing,
    }
    return " ".join(language.say(key, names=_key_names(names, language)) for key, names in said.items() if names)


def changed_text(assessment: Assessment, language: Language) -> str:
    """What moved the position since the answer before, and its range then and now; "" in the first one."""
    update, position = assessment.update, assessment.position
    if update is None or update.previous is None or position is None:
        return ""
    before = {"before_low": update.previous.low, "before_high": update.previous.high}
    lines = [language.say("changed-range", low=position.low, high=position.high, **before)]
    values = {factor.feature: factor.value for factor in assessment.attribution}
    inputs = [_changed(change, values.get(change.feature), language) for change in assessment.changed_by[:_NEXT]]
    return " ".join([language.say("changed-by", inputs=", ".join(inputs)), *lines] if inputs else lines)


def _changed(change: Change, value: float | None, language: Language) -> str:
    now = value_text(feature_of(change.feature), value, language)
    return " ".join(filter(None, (beside_value(change.feature, language), now, factor_text(change.factor, language))))


def scores_text(assessment: Assessment, language: Language) -> str:
    """Each score with the parts that give points; one with a missing part has no value, says which, and what it has."""
    return " ".join(_score(score, language) for score in assessment.scores)


def next_text(assessment: Assessment, language: Language) -> str:
    """The inputs that could move the position most, and how far."""
    named = [
        language.say("next-input", name=beside_value(one.feature, language), low=one.low, high=one.high)
        for one in assessment.next_most_informative[:_NEXT]
    ]
    return language.say("next", inputs=", ".join(named)) if named else ""


def _score(score: BedsideScore, language: Language) -> str:
    name = language.scores.get(score.key, score.key)
    points = [
        language.say("score-part", name=_part_name(part.key, language), points=part.points)
        for part in score.parts
        if part.points
    ]
    parts = ", ".join(points)
    if score.value is None:
        missing = ", ".join(_part_name(key, language) for key in score.missing)
        incomplete = language.say("score-incomplete", name=name, names=missing)
        return f"{incomplete} {language.say('score-so-far', parts=parts)}" if parts else incomplete
    band = language.score_bands.get(score.band, "")
    value = f"{score.value} ({band})" if band else str(score.value)
    return (
        language.say("score", name=name, value=value, parts=parts)
        if parts
        else language.say("score-zero", name=name, value=value)
    )


def _part_name(key: str, language: Language) -> str:
    return language.score_parts.get(key, key)


def _key_names(names: Sequence[str], language: Language) -> str:
    return ", ".join(language.key_inputs[name] for name in names)
