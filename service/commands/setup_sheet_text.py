"""The set-up sheet as Markdown, in the order in which an EHR's analyst needs it."""

from collections.abc import Iterator

from service.cds_hooks.setup_sheet import SetupSheet


def as_markdown(sheet: SetupSheet) -> str:
    parts = (_services, _tokens, _templates, _peculiarities, _tests)
    lines = [f"# Set-up sheet, {sheet.dialect}", ""]
    for part in parts:
        lines += [*part(sheet), ""]
    return "\n".join(lines).rstrip()


def _services(sheet: SetupSheet) -> Iterator[str]:
    if sheet.missing:
        yield from ["## Still to be set at our side", "", *(f"- {one}" for one in sheet.missing), ""]
    yield from ["## Addresses", ""]
    yield f"Discovery: `{sheet.discovery}`" + ("" if sheet.reads_discovery else " (for reference; it is not read)")
    yield from ["", "| hook | address | feedback |", "|---|---|---|"]
    for one in (one for one in sheet.services if one.is_called):
        yield f"| {one.hook} | `{one.address}` | `{one.feedback}` |"
    others = [f"{one.hook} (`{one.id}`)" for one in sheet.services if not one.is_called]
    if others:
        yield from ["", f"Hooks that this kind of EHR is not known to call: {', '.join(others)}."]
    yield from ["", f"Web origins that may call from a browser: {', '.join(f'`{one}`' for one in sheet.origins)}"]
    servers = ", ".join(f"`{one}`" for one in sheet.fhir_servers) or "none"
    yield f"FHIR servers that the service reads, as `fhirServer` must name them: {servers}"


def _tokens(sheet: SetupSheet) -> Iterator[str]:
    yield from ["## Tokens", ""]
    if not sheet.wants_tokens:
        yield "None are asked for."
        return
    yield "Each call carries `Authorization: Bearer` and a JWT, ES384 or RS384, with `kid`, `iss`, `aud`, `iat`, `exp`"
    yield "and a new `jti`. `aud` is the address that is called, as it stands above, letter for letter."
    if sheet.registered:
        yield from ["", "| client | `iss` | public keys | tenants | longest life |", "|---|---|---|---|---|"]
    for one in sheet.registered:
        tenants = ", ".join(one.tenants) or "any"
        yield f"| {one.label} | `{one.issuer}` | `{one.jwks_url}` | {tenants} | {one.token_minutes:g} min |"


def _templates(sheet: SetupSheet) -> Iterator[str]:
    others = [one.key for one in sheet.templates if not one.by_hand]
    yield from ["## Prefetch", ""]
    if sheet.reads_discovery:
        yield f"Discovery has the templates, {len(sheet.templates)} for each service; nothing is typed in."
        return
    yield "For each service. `patient` and `conditions` are needed; where there is room for fewer, leave out from the"
    yield "end: what does not come along is read from `fhirServer`, if the service may."
    for one in (one for one in sheet.templates if one.by_hand):
        yield from ["", f"`{one.key}`", "```", one.query, "```"]
    yield from ["", f"Not worth typing: {', '.join(others)} (`--json` has them)."]


def _peculiarities(sheet: SetupSheet) -> Iterator[str]:
    yield from ["## To know", "", *(f"- {note}" for note in sheet.notes)]
    if sheet.topics:
        codes = ", ".join(f"`{topic.code}`" for topic in sheet.topics)
        yield f"- Topics, one for each kind of card, which never change: {codes} (`{sheet.topics[0].system}`)"
    yield from ["", "| override reason | shown as |", "|---|---|"]
    yield from (f"| `{reason.code}` | {reason.display} |" for reason in sheet.override_reasons)
    if sheet.override_reasons:
        yield from ["", f"Their system is `{sheet.override_reasons[0].system}`."]


def _tests(sheet: SetupSheet) -> Iterator[str]:
    signed = " --key test-key.json --issuer https://ehr.example" if sheet.wants_tokens else ""
    header = ' -H "Authorization: Bearer $TOKEN"' if sheet.wants_tokens else ""
    first = next(one for one in sheet.services if one.is_called)
    yield from ["## What to test first", "", "```", f"curl -i{header} {sheet.discovery}"]
    yield f"oncohooks hooks lint-discovery {sheet.discovery}{signed}"
    yield f"oncohooks hooks replay calls.ndjson --url {first.address}{signed}"
    yield "```"
    if sheet.wants_tokens:
        yield "The key is a test client's, with a [[client]] of its own (docs/client-tokens.md shows how to make one)."
        yield "401 means that a token was not taken: the service's log says why."
