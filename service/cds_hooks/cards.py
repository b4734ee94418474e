"""Assessment -> the one card of the reply. No text of the record enters it: labels are the catalogue's."""

from typing import Literal

import msgspec

from service.assessment import Assessment
from service.attribution import others
from service.cds_hooks.override_reasons import override_reasons
from service.cds_hooks.wire import Card, Source
from service.language.sentences import LanguageCode
from service.language.sentences import language as texts_of
from service.statement import html, markdown, plain
from service.statement.printable import printable
from service.statement.statement import statement_of

EXTENSION = "org.oncohooks.assessment"
SHOWN = 20  # factors in the extension; the rest is one entry

Rendering = Literal["markdown", "plain", "html"]


def card_for(
    assessment: Assessment,
    model_url: str,
    *,
    language: LanguageCode = "en",
    rendering: Rendering = "markdown",
    in_summary: bool = False,
) -> Card:
    """One info card; a warning only where data of another patient were delivered.

    `model_url` describes the model; `in_summary`: the summary may hold a survival figure too.
    """
    texts = texts_of(language)
    statement = statement_of(assessment, texts, in_summary=in_summary)
    match rendering:
        case "markdown":
            detail = markdown.rendered(statement)
        case "plain":
            detail = plain.rendered(statement)
        case "html":
            detail = html.rendered(statement)
    return Card(
        summary=printable(statement.summary),
        indicator="warning" if assessment.is_of_another else "info",
        source=Source(label="oncohooks pan-cancer prognosis", url=model_url),
        detail=detail,
        overrideReasons=override_reasons(texts),
        extension={EXTENSION: _for_extension(assessment)},
    )


def _for_extension(assessment: Assessment) -> Assessment:
    """The assessment object, its strongest factors and graver issues only."""
    rest = assessment.attribution[SHOWN:]
    kept = assessment.attribution[:SHOWN] + ((others(rest),) if rest else ())
    graver = tuple(issue for issue in assessment.issues if issue.severity != "information")
    return msgspec.structs.replace(assessment, attribution=kept, issues=graver)
