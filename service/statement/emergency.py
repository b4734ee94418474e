"""What stands beside the score of an emergency: what it is not, the key inputs, bedside scores, what to ask next."""

from collections.abc import Sequence

from fhir_mappings.concepts import catalogue
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
    used = [name for name in inputs.known if not weighed.isdisjoint(KEY_INPUTS[name])]
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
    return " ".join(filter(None, (_name(change.feature, language), now, factor_text(change.factor, language))))


def scores_text(assessment: Assessment, language: Language) -> str:
    """Each score with the parts that give points; one with a missing part has no value, and says which."""
    return " ".join(_score(score, language) for score in assessment.scores)


def next_text(assessment: Assessment, language: Language) -> str:
    """The inputs that could move the position most, and how far."""
    named = [
        language.say("next-input", name=_name(one.feature, language), low=one.low, high=one.high)
        for one in assessment.next_most_informative[:_NEXT]
    ]
    return language.say("next", inputs=", ".join(named)) if named else ""


def _score(score: BedsideScore, language: Language) -> str:
    name = language.scores.get(score.key, score.key)
    if score.value is None:
        missing = ", ".join(_name(key, language) for key in score.missing)
        return language.say("score-incomplete", name=name, names=missing)
    parts = [
        language.say("score-part", name=_name(part.key, language), points=part.points)
        for part in score.parts
        if part.points
    ]
    if not parts:
        return language.say("score-zero", name=name, value=score.value)
    return language.say("score", name=name, value=score.value, parts=", ".join(parts))


def _key_names(names: Sequence[str], language: Language) -> str:
    return ", ".join(language.key_inputs[name] for name in names)


def _name(key: str, language: Language) -> str:
    """What a parameter is called; what is none (supplemental oxygen) by the name that the score gives it."""
    return beside_value(key, language) if key in catalogue().schema.index else language.key_inputs.get(key, key)
