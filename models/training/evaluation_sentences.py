"""Figures of an evaluation that read best as a sentence, for the terminal and for the model card."""

from models.training.evaluation_report import CohortEvaluation, GammaDifference


def key_marker_sentence(result: CohortEvaluation, named: int | None = None) -> str:
    """With the first `named` of them, or all; "" where nobody looked."""
    if result.key_markers is None:
        return ""
    key = result.key_markers
    return (
        f"Key markers: {len(key.markers)} of {key.with_relevance} carry 90 % of the relevance (median of "
        f"{key.per_patient} in a patient): {', '.join(key.markers[:named])}."
    )


def abstention_sentence(result: CohortEvaluation) -> str:
    """Who is not scored for being unusual, and what that does to the ranking; "" where nobody looked."""
    if result.abstention is None:
        return ""
    effect = result.abstention
    return (
        f"Too unlike the training patients to be scored: {effect.patients} of {result.patients}; "
        f"C {effect.everybody:.3f} of all, {effect.kept:.3f} of the others."
    )


def gamma_sentence(found: GammaDifference) -> str:
    """How far the paper's rule of explanation is from the one that is served."""
    order = (
        "no patient has three inputs whose order could be compared"
        if found.rank_correlation is None
        else f"the order of a patient's inputs would correlate {found.rank_correlation:.3f} with it"
    )
    return (
        f"With the gamma rule of the paper (gamma {found.gamma:g}; {found.patients} training patients) {order}, and "
        f"{found.relative:.1%} of the relevance would lie elsewhere."
    )
