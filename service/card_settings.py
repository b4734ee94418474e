"""The settings `[card]`: where a survival figure may be shown, to whom, and what the extension carries."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.quiet_settings import CodeWithSystem

Where = Literal["never", "page", "detail", "summary"]

_PHYSICIAN = ("http://terminology.hl7.org/CodeSystem/practitioner-role|doctor", "http://snomed.info/sct|309343006")
# medical, clinical, radiation and gynaecological oncology, palliative and emergency medicine (FHIR c80-practice-codes)
_TREATING = tuple(
    f"http://snomed.info/sct|{code}"
    for code in ("394593009", "394592004", "419815003", "408446006", "394806003", "773568002")
)


class Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    survival: Where = Field(
        default="never",
        description="where a survival figure is shown, if every condition of docs/survival.md holds: `never`, `page`"
        " (only by command line so far, there is no page yet), `detail` of the card, or its `summary` too",
    )
    site: str = Field(
        default="",
        description="name of this site in a model package that was recalibrated here (`recalibrated` of its manifest);"
        " without it no survival figure is shown",
    )
    roles: tuple[CodeWithSystem, ...] = Field(
        default=_PHYSICIAN, description="who may see a survival figure: readers with one of these roles"
    )
    specialities: tuple[CodeWithSystem, ...] = Field(
        default=_TREATING, description="and one of these specialities (oncology, palliative and emergency medicine)"
    )
    interactions: bool = Field(
        default=False,
        description="the assessment in the card's extension names the pairs of inputs that say together more or less"
        " than each alone",
    )

    @property
    def asks_who_reads(self) -> bool:
        return self.survival in {"detail", "summary"}
