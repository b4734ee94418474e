"""What discovery says of the services (CDS Hooks 2.0, Discovery; 3.0's `version` and `hookVersion`)."""

import re
from collections import Counter

from service.cds_hooks.lint.document import Document
from service.cds_hooks.lint.empty import with_empty_members
from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.hook_contexts import CONTEXTS
from service.cds_hooks.lint.members import Members, is_empty, kind_of, quoted
from service.cds_hooks.lint.queries import query_findings
from service.cds_hooks.lint.tokens import Service, token_findings, without_tokens
from service.misspelt import meant

_HOOK = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")
_LATER = re.compile(r"([3-9]|[1-9]\d)(\.|$)")  # than CDS Hooks 2.0
_PART_OF_ADDRESS = re.compile(r"[A-Za-z0-9._~-]+")
_MEMBERS = ("id", "hook", "title", "description", "prefetch", "usageRequirements", "version", "hookVersion")


def lint_discovery(document: Document) -> list[Finding]:
    """What is wrong with it, in the order of its services."""
    body = document.value
    if not isinstance(body, dict):
        told = f"must be an object with services, is {kind_of(body)}"
        return [*document.findings, Finding("(body)", told, "SHALL", "6")]
    whole = Members(body, "", [*document.findings])
    if not isinstance(body.get("services"), list):
        told = f"must be an array, is {kind_of(body['services'])}" if "services" in body else "is missing"
        whole.add("services", told, "6")
    else:
        for service in whole.items("services", "6"):
            _lint_service(service)
        _lint_ids(whole)
    whole.extension()
    whole.no_others("services")
    return with_empty_members(whole.findings, body)


def _lint_service(service: Members) -> None:
    _lint_id(service)
    hook = _lint_hook(service)
    if not service.text("title", "8") and "title" not in service.written:
        service.findings.append(Finding(service.at("title"), "is missing", "SHOULD", "8"))
    service.text("description", "9", needed=True)
    service.text("usageRequirements", "12")
    later = bool(_LATER.match(service.text("version", "")))
    service.text("hookVersion", "")
    _lint_prefetch(service, Service(hook, later))
    service.extension()
    service.no_others(*_MEMBERS)


def _lint_id(service: Members) -> None:
    name = service.text("id", "10", needed=True)
    if name and not _PART_OF_ADDRESS.fullmatch(name):
        service.add("id", f"cannot stand in an address as it is: {quoted(name)}", "10")


def _lint_hook(service: Members) -> str:
    hook = service.text("hook", "7", needed=True)
    if hook and not _HOOK.fullmatch(hook):
        service.add("hook", f"is no name of a hook: {quoted(hook)}", "7")
    elif hook and hook not in CONTEXTS and "." not in hook:
        like = meant(hook, CONTEXTS) or "; hooks of one's own have the domain in their name"
        service.findings.append(Finding(service.at("hook"), f"{hook} is not in HL7's library{like}", "advice", "7"))
    return hook


def _lint_prefetch(service: Members, about: Service) -> None:
    prefetch = service.inner("prefetch", "36")
    if "prefetch" not in service.written:
        told = "is missing: every call costs reads of the FHIR server, and a client without one cannot call"
        service.findings.append(Finding(service.at("prefetch"), told, "MAY", "11"))
    earlier: list[str] = []
    for key, template in prefetch.written.items() if prefetch else ():
        path = f"{service.at('prefetch')}.{key}"
        if not key:
            service.add("prefetch", "a key is empty", "36")
        if isinstance(template, str) and template:
            service.findings.extend(token_findings(template, path, about, earlier))
            service.findings.extend(query_findings(without_tokens(template), path, later=about.later))
        elif not is_empty(template):
            service.findings.append(Finding(path, f"must be text, is {kind_of(template)}", "SHALL", "36"))
        earlier.append(key)


def _lint_ids(whole: Members) -> None:
    listed = [service for service in whole.written["services"] if isinstance(service, dict)]
    ids = Counter(service["id"] for service in listed if isinstance(service.get("id"), str))
    for name in (name for name, number in ids.items() if number > 1):
        hooks = [service.get("hook") for service in listed if service.get("id") == name]
        if len({str(hook) for hook in hooks}) < len(hooks):
            whole.add("services", f"the id {name[:60]} stands there twice for one hook", "10")
        else:
            told = f"the id {name[:60]} stands there {ids[name]} times: allowed, but some clients call only the last"
            whole.findings.append(Finding("services", told, "advice", "211"))
