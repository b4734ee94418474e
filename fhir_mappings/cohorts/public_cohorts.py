"""The public cohorts that `oncohooks cohort build` knows by name, and when the clock of each starts."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.hancock import build_hancock
from fhir_mappings.cohorts.hcc_coimbra import build_hcc_coimbra
from fhir_mappings.cohorts.hcc_sysucc import build_hcc_sysucc
from fhir_mappings.cohorts.hcc_tace_seg import build_hcc_tace_seg
from fhir_mappings.cohorts.inspire import build_inspire
from fhir_mappings.cohorts.metabric import build_metabric
from fhir_mappings.cohorts.msk_met import build_msk_met
from fhir_mappings.cohorts.ncctg_lung import build_ncctg_lung
from fhir_mappings.cohorts.nhanes import build_nhanes
from fhir_mappings.cohorts.support2 import build_support2
from fhir_mappings.cohorts.support2_published import support2_published
from fhir_mappings.cohorts.tcga import build_tcga
from fhir_mappings.cohorts.ucsf_pdgm import build_ucsf_pdgm
from models.features import FeatureSchema
from models.training.published import PublishedRow

PUBLIC_COHORTS: Mapping[str, Callable[[Path, FeatureSchema], BuiltCohort]] = {
    "tcga": build_tcga,
    "msk_met": build_msk_met,
    "hancock": build_hancock,
    "support2": build_support2,
    "nhanes": build_nhanes,
    "metabric": build_metabric,
    "hcc_sysucc": build_hcc_sysucc,
    "hcc_coimbra": build_hcc_coimbra,
    "hcc_tace_seg": build_hcc_tace_seg,
    "ucsf_pdgm": build_ucsf_pdgm,
    "ncctg_lung": build_ncctg_lung,
    "inspire": build_inspire,
}
# Predictions of others that a source carries: written beside the cohort file, never into it.
PUBLISHED: Mapping[str, Callable[[Path], Iterable[PublishedRow]]] = {"support2": support2_published}
# The event from which the days of a cohort are counted.
TIME_ZERO: Mapping[str, str] = {
    "tcga": "diagnosis; melanoma enters with the specimen",
    "msk_met": "sequencing of the tumour",
    "hancock": "diagnosis",
    "support2": "study entry, third day of the stay",
    "nhanes": "examination, years after the diagnosis",
    "metabric": "diagnosis",
    "hcc_sysucc": "first visit",
    "hcc_coimbra": "diagnosis",
    "hcc_tace_seg": "first chemoembolisation",
    "ucsf_pdgm": "MRI before surgery",
    "ncctg_lung": "trial entry",
    "inspire": "start of pembrolizumab",
}
