"""Blocks: parameters that are mostly measured together, or not at all."""

from models.features import FeatureSchema


def block_of(feature_key: str, schema: FeatureSchema) -> str:
    """The block that a parameter is dropped out, and blanked in the evaluation, with."""
    modality = schema[feature_key].modality
    if modality == "tumour":
        return "stage" if feature_key.startswith("stage_") else "pathology"
    return str(modality)
