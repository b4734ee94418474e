"""What two inputs say together: the strongest pairs, for a reader who asked for them."""

import textwrap

from service.assessment import Assessment
from service.labels import beside_value
from service.language.sentences import Language
from service.statement.factors import NOTABLE
from service.statement.plain import WIDTH
from service.statement.printable import printable
from service.wording import feature_of, value_text

SHOWN = 5


def interaction_lines(assessment: Assessment, language: Language) -> list[str]:
    """Plain text of a scored assessment: how to read it, then a line a pair; a sentence where none is notable."""
    if assessment.status != "scored":
        return []
    shown = [pair for pair in assessment.interactions if abs(pair.value) >= NOTABLE][:SHOWN]
    if not shown:
        return textwrap.wrap(language.say("interactions-none"), WIDTH)
    named = _named(assessment, language)
    lines = textwrap.wrap(language.say("interactions"), WIDTH, break_on_hyphens=False)
    for pair in shown:
        one, other = (named[key] for key in pair.features)
        signed = f"{pair.value:+.3f}".replace("-", "−").replace(".", language.numbers.decimal)
        text = f"  {signed}  {printable(language.say('interaction', one=one, other=other))}"
        lines += textwrap.wrap(text, WIDTH, subsequent_indent=" " * 10, break_on_hyphens=False)
    return lines


def _named(assessment: Assessment, language: Language) -> dict[str, str]:
    """Label and value of each input: "UICC stage group (IV)"; it could be the absence that interacts."""
    values = {f.feature: value_text(feature_of(f.feature), f.value, language) for f in assessment.attribution}
    return {key: beside_value(key, language) + (f" ({value})" if value else "") for key, value in values.items()}
