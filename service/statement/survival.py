"""The survival figure in words: of 100, alive and died, one horizon, its range, what it rests on; or why there is none.

Whole numbers, no median, no adjective. An estimate of nobody or everybody is no estimate: 1 to 99 are shown.
"""

from service.assessment import Assessment, SurvivalShown
from service.language.sentences import Language
from service.survival import withheld_text
from service.wording import number

DAYS_A_MONTH = 30.4375
_UNSAID = frozenset({"switched-off"})  # where a site shows none, the card is silent on it


def survival_text(assessment: Assessment, language: Language) -> str:
    """The sentence of the first horizon; "" where nothing is to be said."""
    withheld = assessment.survival_withheld
    if withheld is not None and withheld.code not in _UNSAID:
        return language.say("survival-withheld", reason=withheld_text(withheld.code, withheld.text, language))
    basis, setting = assessment.survival_basis, assessment.setting
    if not assessment.survival or basis is None or setting is None:
        return ""
    rests_on = language.say(
        "survival-basis",
        patients=number(basis.patients, language),
        cohort=language.cohorts.get(basis.cohort, basis.cohort),
    )
    figure = figures_of(assessment.survival[0], language)
    arguments = {"milestone": language.milestones[setting.key], "basis": rests_on, **figure}
    if basis.since < 1:
        return language.say("survival", **arguments)
    return language.say("survival-from-here", elapsed=language.counted("days", basis.since), **arguments)


def figures_of(shown: SurvivalShown, language: Language) -> dict[str, str]:
    """The arguments of the sentences: alive, dead, low and high of 100, and the horizon in months."""
    alive = min(99, max(1, round(100 * shown.probability)))
    low, high = min(alive, round(100 * shown.low)), max(alive, round(100 * shown.high))
    horizon = language.say("months", count=round(shown.days / DAYS_A_MONTH))
    return {"alive": str(alive), "dead": str(100 - alive), "low": str(low), "high": str(high), "horizon": horizon}
