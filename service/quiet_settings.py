"""The settings `[quiet]` and `[restricted]`: when no card is shown, and which records are not assessed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.cds_hooks.override_reasons import SYSTEM, reason_key

Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=1, le=3_650)]
CodeWithSystem = Annotated[str, Field(pattern=r"^[^|\s]*\|[^|\s]+$")]  # FHIR's own way to write a code: system|code
# a code of v3-Confidentiality, or another with its system
Label = Annotated[str, Field(pattern=r"^([ULMNRV]|[^|\s]*\|[^|\s]+)$")]

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class QuietRules(BaseModel):
    """When no card is shown. Without any of it every call is answered with a card."""

    model_config = _FROZEN

    no_tumour: bool = Field(
        default=False,
        description="no card where no solid tumour is known, nor for a child of whom none is; recommended for a hook"
        " that fires whenever a chart is opened",
    )
    repeat: Literal["always", "changed"] = Field(
        default="always",
        description="`changed`: no card for a user who has seen it for this patient, until something material changes"
        " (position or inputs by the figures below; cancer type, category, reason of an abstention, unread parts)",
    )
    position_points: Count = Field(default=10, description="change of the position that is material, in points of 100")
    coverage_inputs: Count = Field(default=10, description="change in the number of inputs found that is material")
    days: Days = Field(default=30, description="after so many days an unchanged card is shown again")
    snooze_days: dict[str, Days] = Field(
        default={},
        description="by override reason (one of ours, or a code with its system): for how many days the user who gave"
        " it sees no card for that patient",
    )
    roles: tuple[CodeWithSystem, ...] = Field(
        default=(),
        description="only readers with one of these roles see cards (codes with their systems), and those"
        " of whom no role is known; empty: everyone",
    )
    specialities: tuple[CodeWithSystem, ...] = Field(default=(), description="the same for specialities")
    shadow: bool = Field(
        default=False,
        description="everything is computed, counted and kept, and no card is shown but the warning about another"
        " patient's data",
    )

    @field_validator("snooze_days")
    @classmethod
    def _are_reasons(cls, days: dict[str, int]) -> dict[str, int]:
        for reason in days:
            system, bar, code = reason.partition("|")
            if reason_key(system if bar else SYSTEM, code if bar else reason) != reason:
                raise ValueError("a key is neither an override reason of ours nor system|code")
        return days

    @property
    def remembers(self) -> bool:
        """Whether it matters what was shown before."""
        return self.repeat == "changed" or bool(self.snooze_days)

    @property
    def asks_who_reads(self) -> bool:
        return bool(self.roles or self.specialities)


class RestrictedRecords(BaseModel):
    """Which records are not assessed at all: the card says that they are restricted, and nothing else."""

    model_config = _FROZEN

    labels: tuple[Label, ...] = Field(
        default=("R", "V"),
        description="security labels (`meta.security` of any resource read): codes of v3-Confidentiality, or"
        " others with their systems",
    )
    objections: tuple[CodeWithSystem, ...] = Field(
        default=(),
        description="what an objection looks like here: codes in `meta.security` or `meta.tag` of the Patient",
    )
    flags: tuple[CodeWithSystem, ...] = Field(
        default=(),
        description="codes of an active Flag that object; where one is named, flags are asked for, and nobody is scored"
        " before all of them were read (docs/quiet-cards.md)",
    )
    consents: tuple[CodeWithSystem, ...] = Field(
        default=(), description="codes that object where an active Consent denies them; read as `flags` are"
    )
