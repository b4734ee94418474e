"""Discovery as one version of CDS Hooks has it.

CDS Hooks 3.0 recommends that a service names the version of the specification that it implements, and lets it name
that of its hook (Discovery, Response). A strict client of 2.0 does not know these members.
"""

from typing import Literal

import msgspec

from service.cds_hooks.wire import Discovery

SpecVersion = Literal["2.0", "3.0"]
_HOOK_VERSION = "1.0"  # of every hook that we answer, in HL7's library of hooks


def versioned(discovery: Discovery, version: SpecVersion) -> Discovery:
    """Discovery with what that version adds to each service."""
    if version == "2.0":
        return discovery
    said = {"version": f"{version}.0", "hookVersion": _HOOK_VERSION}
    return Discovery(tuple(msgspec.structs.replace(service, **said) for service in discovery.services))
