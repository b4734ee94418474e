"""Suggestions and their actions, and system actions (CDS Hooks 2.0, Suggestion; Action)."""

from typing import Any

from service.cds_hooks.lint.finding import Finding
from service.cds_hooks.lint.members import Members, kind_of

_TYPES = frozenset({"create", "update", "delete"})


def lint_suggestions(card: Members) -> None:
    suggestions = list(card.items("suggestions", "92"))
    needed = card.has("suggestions")
    behaviour = card.one_of("selectionBehavior", {"at-most-one", "any"}, "95", needed=needed)
    for suggestion in suggestions:
        _lint_suggestion(suggestion)
    recommended = sum(suggestion.written.get("isRecommended") is True for suggestion in suggestions)
    if recommended > 1 and behaviour == "at-most-one":
        card.add("suggestions", f"{recommended} are recommended where at most one may be chosen", "122")


def _lint_suggestion(suggestion: Members) -> None:
    suggestion.text("label", "117", needed=True)
    suggestion.text("uuid", "119")
    suggestion.flag("isRecommended", "121")
    for action in suggestion.items("actions", "124"):
        lint_action(action, is_offered=True)
    suggestion.extension()
    suggestion.no_others("label", "uuid", "isRecommended", "actions", "actionSelectionBehavior")


def lint_action(action: Members, *, is_offered: bool) -> None:
    """`is_offered`: a user chooses it, and so must be told what it does; a system action may be without."""
    kind = action.one_of("type", _TYPES, "127", needed=True)
    action.text("description", "128", needed=is_offered)
    resource = action.written.get("resource")
    if kind in {"create", "update"}:
        _lint_written(action, kind, resource)
    elif kind == "delete":
        action.text("resourceId", "134", needed=True)
        if resource is not None:
            action.add("resource", "does not go with delete: resourceId names what to delete", "133")
    action.extension()
    action.no_others("type", "description", "resource", "resourceId")


def _lint_written(action: Members, kind: str, resource: Any) -> None:
    which = "131" if kind == "create" else "132"
    if not resource:
        action.add("resource", f"is missing: {kind} carries the whole resource", which)
    elif not isinstance(resource, dict):
        action.add("resource", f"must be a FHIR resource, is {kind_of(resource)}", "130")
    elif not isinstance(resource.get("resourceType"), str) or not resource["resourceType"]:
        action.add("resource.resourceType", "is missing: it is no FHIR resource", "130")
    elif kind == "create" and "id" in resource:
        told = "a new resource has no id yet: the server gives it one"
        action.findings.append(Finding(action.at("resource.id"), told, "advice", "131"))
    elif kind == "update" and not resource.get("id"):
        action.add("resource.id", "is missing: an update names the resource that it replaces", "132")
