"""Lung: an adenocarcinoma with metastases found three weeks ago; the richest chart, from every kind of resource."""

from datetime import date

from demo.charts.chart import Chart, Lab, Resource
from demo.charts.codes import (
    AJCC,
    DICOM,
    ICD10,
    ICD_O_3,
    Element,
    coding,
    concept,
    loinc,
    quantity,
    snomed,
)
from demo.charts.genes import not_found, variant
from demo.charts.traps import MARKUP

_FOUND, _STAGED, _TESTED, _SEEN = 24, 20, 12, 3  # days before today

_BOA = "https://uk-essen.de/fhir/ValueSet/boa/"  # the profile of body composition names value sets where systems belong

_SAMPLE: tuple[Lab, ...] = (
    ("leukocytes", "6690-2", "Leukocytes", 9.8, "10*9/L"),
    ("erythrocytes", "789-8", "Erythrocytes", 4.2, "10*12/L"),
    ("hemoglobin", "718-7", "Hemoglobin", 12.1, "g/dL"),
    ("hematocrit", "4544-3", "Hematocrit", 37.0, "%"),
    ("mcv", "787-2", "MCV", 88.1, "fL"),
    ("mch", "785-6", "MCH", 28.8, "pg"),
    ("rdw", "788-0", "Erythrocyte distribution width", 14.9, "%"),
    ("platelets", "777-3", "Platelets", 412.0, "10*9/L"),
    ("mpv", "32623-1", "Platelet mean volume", 9.6, "fL"),
    ("neutrophils", "751-8", "Neutrophils", 7.3, "10*9/L"),
    ("lymphocytes", "731-0", "Lymphocytes", 1.3, "10*9/L"),
    ("monocytes", "742-7", "Monocytes", 0.9, "10*9/L"),
    ("eosinophils", "711-2", "Eosinophils", 0.2, "10*9/L"),
    ("sodium", "2951-2", "Sodium", 136.0, "mmol/L"),
    ("potassium", "2823-3", "Potassium", 4.3, "mmol/L"),
    ("chloride", "2075-0", "Chloride", 100.0, "mmol/L"),
    ("bicarbonate", "1963-8", "Bicarbonate", 25.0, "mmol/L"),
    ("calcium", "17861-6", "Calcium", 9.4, "mg/dL"),
    ("magnesium", "19123-9", "Magnesium", 1.9, "mg/dL"),
    ("phosphate", "2777-1", "Phosphate", 3.2, "mg/dL"),
    ("creatinine", "2160-0", "Creatinine", 1.02, "mg/dL"),
    ("urea-nitrogen", "3094-0", "Urea nitrogen", 18.0, "mg/dL"),
    ("urate", "3084-1", "Urate", 5.6, "mg/dL"),
    ("glucose", "2345-7", "Glucose", 112.0, "mg/dL"),
    ("albumin", "1751-7", "Albumin", 3.6, "g/dL"),
    ("protein", "2885-2", "Protein", 6.9, "g/dL"),
    ("bilirubin", "1975-2", "Bilirubin, total", 0.6, "mg/dL"),
    ("alt", "1742-6", "Alanine aminotransferase", 28.0, "U/L"),
    ("ast", "1920-8", "Aspartate aminotransferase", 31.0, "U/L"),
    ("ggt", "2324-2", "Gamma glutamyl transferase", 64.0, "U/L"),
    ("alp", "6768-6", "Alkaline phosphatase", 148.0, "U/L"),
    ("ferritin", "2276-4", "Ferritin", 310.0, "ng/mL"),
    ("fibrinogen", "3255-7", "Fibrinogen", 480.0, "mg/dL"),
    ("inr", "6301-6", "INR", 1.05, "{INR}"),
    ("tsh", "3016-3", "Thyrotropin", 1.8, "m[IU]/L"),
    ("cea", "2039-6", "Carcinoembryonic antigen", 18.4, "ng/mL"),
    ("cyfra", "25390-6", "Cytokeratin 19 fragment", 6.2, "ng/mL"),
)
_EARLIER: tuple[Lab, ...] = (
    ("hemoglobin", "718-7", "Hemoglobin", 13.4, "g/dL"),
    ("albumin", "1751-7", "Albumin", 4.1, "g/dL"),
    ("creatinine", "2160-0", "Creatinine", 0.95, "mg/dL"),
)


def lung(today: date) -> list[Resource]:
    """67-year-old man, former smoker: cT2a cN2 cM1c (brain, adrenal gland), KRAS G12C, ECOG 1, 8 % lighter."""
    chart = Chart("demo-lung", today)
    chart.patient("Lung", "male", 67)
    _problems(chart)
    _stage(chart)
    _tissue(chart)
    _function(chart)
    _laboratory(chart)
    _imaging(chart)
    return chart.resources


def _problems(chart: Chart) -> None:
    tumour = concept(coding(ICD10, "C34.1"), snomed("254637007", "Non-small cell lung cancer"))
    site = [concept(coding(ICD_O_3, "C34.1", "Upper lobe, lung"))]
    chart.condition("tumour", tumour, _FOUND, "biopsy", bodySite=site)
    brain = concept(coding(ICD10, "C79.3"), snomed("94225005", "Metastatic malignant neoplasm to brain"))
    chart.condition("brain-metastasis", brain, _STAGED, "staging")
    adrenal = concept(coding(ICD10, "C79.7"), snomed("94161006", "Metastatic malignant neoplasm to adrenal gland"))
    chart.condition("adrenal-metastasis", adrenal, _STAGED, "staging")
    lungs = concept(coding(ICD10, "J44.9"), snomed("13645005", "Chronic obstructive lung disease"), text=MARKUP)
    chart.condition("copd", lungs, 3000, "staging")
    chart.condition("hypertension", concept(coding(ICD10, "I10"), snomed("38341003", "Hypertension")), 4200, "staging")
    fibrillation = concept(coding(ICD10, "I48.9"), snomed("49436004", "Atrial fibrillation"))
    chart.condition("atrial-fibrillation", fibrillation, 900, "staging")
    # only suspected: it must count nowhere
    suspected = concept(coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", "provisional"))
    chart.condition("embolism", concept(coding(ICD10, "I26.9")), 5, "clinic", verificationStatus=suspected)

    chart.encounter("biopsy", _FOUND + 2, ["tumour"], kind="IMP", days=2)
    chart.encounter("staging", _STAGED, ["tumour", "brain-metastasis", "adrenal-metastasis", "copd", "hypertension"])
    chart.encounter("clinic", _SEEN, ["tumour"])


def _stage(chart: Chart) -> None:
    about = [chart.reference("Condition", "tumour")]
    when = chart.day(_STAGED)
    for name, code, display, category in (
        ("t", "21905-5", "Primary tumor.clinical", "cT2a"),
        ("n", "21906-3", "Regional lymph nodes.clinical", "cN2"),
        ("m", "21907-1", "Distant metastases.clinical", "cM1c"),
        ("stage", "21908-9", "Stage group.clinical", "IVB"),
    ):
        answer = concept(coding(AJCC, category))
        chart.observation(name, concept(loinc(code, display)), when, focus=about, valueCodeableConcept=answer)


def _tissue(chart: Chart) -> None:
    chart.observation(
        "histology",
        concept(loinc("59847-4", "Histology and behavior ICD-O-3")),
        chart.day(_FOUND),
        focus=[chart.reference("Condition", "tumour")],
        bodySite=concept(coding(ICD_O_3, "C34.1", "Upper lobe, lung")),
        valueCodeableConcept=concept(coding(ICD_O_3, "8140/3", "Adenocarcinoma")),
    )
    when = chart.moment(_TESTED, "14:20")
    burden = quantity(9.8, "mutations per megabase", "1/1000000{Base}")
    stable = concept(loinc("LA14122-8", "Stable"))
    chart.observation("pd-l1", concept(loinc("83053-9")), when, valueQuantity=quantity(60, "%"))
    chart.observation("tmb", concept(loinc("94076-7")), when, valueQuantity=burden)
    chart.observation("msi", concept(loinc("81695-9")), when, valueCodeableConcept=stable)
    _kras_by_coordinates(chart)
    variant(chart, "KRAS", when, "p.Gly12Cys", "NM_004985.5:c.34G>T", fraction=0.31, sequence="kras-sequence")
    variant(chart, "TP53", when, "NP_000537.3:p.(Arg273Leu)", "NM_000546.6:c.818G>T", fraction=0.28)
    variant(chart, "STK11", when, "p.Gln37Ter", "NM_000455.5:c.109C>T", fraction=0.25)
    variant(chart, "KEAP1", when, "p.Ala191Thr", "c.571G>A", fraction=0.47, significance="uncertain")
    not_found(chart, "EGFR", when)
    not_found(chart, "BRAF", when)


def _kras_by_coordinates(chart: Chart) -> None:
    """The same KRAS variant as an R4 MolecularSequence: the first base of codon 12, on the forward strand of GRCh38."""
    chart.put(
        "MolecularSequence",
        "kras-sequence",
        type="dna",
        coordinateSystem=1,
        patient=chart.subject,
        referenceSeq={
            "chromosome": concept(coding("http://terminology.hl7.org/CodeSystem/chromosome-human", "12")),
            "genomeBuild": "GRCh38",
            "referenceSeqId": concept(coding("http://www.ncbi.nlm.nih.gov/nuccore", "NC_000012.12")),
            "strand": "watson",
            "windowStart": 25245274,
            "windowEnd": 25245395,
        },
        variant=[{"start": 25245351, "end": 25245351, "observedAllele": "A", "referenceAllele": "C"}],
    )


def _function(chart: Chart) -> None:
    ecog = concept(loinc("89247-1", "ECOG performance status"))
    restricted = concept(loinc("LA9623-5", "Restricted in physically strenuous activity"))
    active = concept(loinc("LA9622-7", "Fully active"))
    chart.observation("ecog", ecog, chart.day(_SEEN), "survey", valueCodeableConcept=restricted)
    chart.observation("ecog-earlier", ecog, chart.day(_SEEN + 60), "survey", valueCodeableConcept=active)
    smoking = concept(loinc("72166-2", "Tobacco smoking status"))
    former = concept(snomed("8517006", "Ex-smoker"))
    chart.observation("smoking", smoking, chart.day(_FOUND), "social-history", valueCodeableConcept=former)
    years = quantity(42, "{pack-years}")
    chart.observation("pack-years", concept(loinc("8664-5")), chart.day(_FOUND), "social-history", valueQuantity=years)
    chart.vital_signs(_SEEN, pressure=(138, 82), pulse=88, breaths=18, saturation=93, celsius=36.9)
    chart.body_size(_SEEN, 71.5, centimetres=176)
    chart.body_size(_SEEN + 180, 78.0, suffix="-earlier")


def _laboratory(chart: Chart) -> None:
    when = chart.moment(_SEEN, "08:15")
    chart.labs(when, _SAMPLE)
    chart.labs(chart.moment(_SEEN + 58, "08:40"), _EARLIER, suffix="-earlier")
    crp = concept(loinc("1988-5", "C reactive protein"))
    chart.observation("crp", crp, when, valueQuantity=quantity(24.0, "mg/L"), note=[{"text": MARKUP}])
    chart.observation(
        "ldh",
        concept(loinc("2532-0", "Lactate dehydrogenase")),
        when,
        valueQuantity=quantity(310, "U/L"),
        referenceRange=[{"high": quantity(250, "U/L")}],
    )
    # a mixed-up sample, withdrawn: it must count nowhere
    wrong = [("potassium", "2823-3", "Potassium", 8.9, "mmol/L")]
    chart.labs(chart.moment(_SEEN - 1, "08:00"), wrong, suffix="-withdrawn", status="entered-in-error")


def _imaging(chart: Chart) -> None:
    chart.put(
        "ImagingStudy",
        "ct",
        status="available",
        modality=[coding(DICOM, "CT", "Computed Tomography")],
        subject=chart.subject,
        started=chart.moment(_STAGED + 1, "11:10"),
        description=MARKUP,
        numberOfSeries=1,
        series=[
            {
                "uid": "2.25.302541733418265123",
                "modality": coding(DICOM, "CT"),
                "bodySite": snomed("416775004", "Chest, abdomen and pelvis"),
            }
        ],
    )
    abdomen = {"91727004": 5200.0, "3138006": 1300.0, "imat": 620.0, "sat": 5400.0, "RID50365": 3600.0, "tat": 9620.0}
    chest = {
        "91727004": 4300.0,
        "3138006": 1500.0,
        "imat": 480.0,
        "sat": 4300.0,
        "pat": 160.0,
        "eat": 95.0,
        "tat": 5035.0,
    }
    _body_composition(chart, "abdomen", "361473009", abdomen)
    _body_composition(chart, "chest", "43799004", chest)


def _body_composition(chart: Chart, name: str, cavity: str, millilitres: dict[str, float]) -> None:
    """Tissue volumes of one body cavity after the profile of Body and Organ Analysis, its value set addresses kept."""
    volumes: list[Element] = [
        {"code": concept(coding(_BOA + "tissues", tissue)), "valueQuantity": quantity(volume, "ml", "mL")}
        for tissue, volume in millilitres.items()
    ]
    chart.observation(
        f"body-composition-{name}",
        concept(coding(_BOA + "measurements", "volume-filtered")),
        chart.moment(_STAGED + 1, "11:10"),
        "imaging",
        meta={"profile": ["http://fhir.ume.de/fhir/StructureDefinition/boa/bca-observation"]},
        bodySite=concept(coding(_BOA + "body-site", cavity)),
        derivedFrom=[chart.reference("ImagingStudy", "ct")],
        component=volumes,
    )
