"""The tokens of a prefetch template: what stands between `{{` and `}}` (CDS Hooks 2.0, Prefetch Tokens)."""

import re
from collections.abc import Collection, Iterator

import msgspec

from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.hook_contexts import CONTEXTS
from service.misspelt import meant

_TOKEN = re.compile(r"{{(.*?)}}")
_FIELD = re.compile(r"context\.([A-Za-z][\w-]*)")
_USERS = frozenset({"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"})
_DATE = re.compile(r"today\(\)(\s*[+-]\s*\d+\s+(year|month|week|day)s?)?")
_PATH = re.compile(r"(context|%[\w-]+)(\.[\w-]+(\([\w.-]*\))?)*(\s*\|\s*(context|%[\w-]+)(\.[\w-]+(\([\w.-]*\))?)*)*")
_TYPED = re.compile(r"{{context\.(userId|performer)}}")
_TWICE_TYPED = re.compile(rf"[A-Z][A-Za-z]+/{_TYPED.pattern}")


class Service(msgspec.Struct, frozen=True):
    """What of a service its templates depend on. `later`: it says that it speaks CDS Hooks 3.0 or later."""

    hook: str
    later: bool = False


def without_tokens(template: str) -> str:
    """The template with a plain value in place of each token; userId and performer are whole references."""
    return "Practitioner/x" if _TYPED.fullmatch(template) else _TOKEN.sub("x", template)


def token_findings(template: str, path: str, service: Service, earlier: Collection[str]) -> Iterator[Finding]:
    """`earlier`: the keys of the templates before this one, whose data 3.0 lets it use."""
    if set("{}") & set(_TOKEN.sub("", template)):
        yield Finding(path, "a token stands in double braces: {{context.patientId}}", "SHALL", "55")
    for token in _TOKEN.findall(template):
        yield from _judged(token, path, service, earlier)
    if _TWICE_TYPED.search(template):
        told = "userId and performer hold the type already (Practitioner/1): a type before them stands twice"
        yield Finding(path, told, "advice", "56")
    if "{{" not in template:
        yield Finding(path, "asks for the same, whoever the patient is", "MAY", "35")


def _judged(token: str, path: str, service: Service, earlier: Collection[str]) -> Iterator[Finding]:
    if token in _USERS:
        return
    field, shown = _FIELD.fullmatch(token), f"{{{{{token[:60]}}}}}"
    if field:
        yield from _of_context(field[1], shown, path, service.hook)
    elif _DATE.fullmatch(token.strip()):
        if not service.later:
            told = f"{shown} is of CDS Hooks 3.0, and the service does not name that as its `version`"
            yield Finding(path, told, "SHALL", "56")
    elif _PATH.fullmatch(token.strip()) and not token.startswith("context|"):
        yield from _of_later_text(token, shown, path, service, earlier)
    else:
        like = _qualified(token.strip(), service.hook) or meant(token.strip(), _USERS)
        told = f"{shown} is no token: they are context.… and {', '.join(sorted(_USERS))}{like}"
        yield Finding(path, told, "SHALL", "56")


def _qualified(token: str, hook: str) -> str:
    known = CONTEXTS.get(hook)
    return f"; did you mean context.{token}?" if known and token in known.plain else ""


def _of_context(name: str, shown: str, path: str, hook: str) -> Iterator[Finding]:
    """Hooks that are not HL7's have fields that nobody can know."""
    known = CONTEXTS.get(hook)
    if known and name in known.whole:
        yield Finding(path, f"{shown} holds an object or array, which cannot stand in an address", "SHALL", "57")
    elif known and name not in known.plain:
        yield Finding(path, f"{shown}: {hook} has no such field{meant(name, known.plain)}", "SHALL", "56")


def _of_later_text(token: str, shown: str, path: str, service: Service, earlier: Collection[str]) -> Iterator[Finding]:
    """Paths into the context, and into what an earlier key brought."""
    if not service.later:
        told = f"{shown} leads into an object: only root fields can be tokens before CDS Hooks 3.0"
        yield Finding(path, told, "SHALL", "57")
        return
    for key in re.findall(r"%([\w-]+)", token):
        if key not in earlier:
            yield Finding(path, f"{shown}: no template before this one has the key {key}", "SHALL")
    yield Finding(path, f"{shown} is for trial use in CDS Hooks 3.0: few clients follow it", "advice", "57")
