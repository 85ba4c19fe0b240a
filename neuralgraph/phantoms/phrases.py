"""The words of the synthetic reports: noun phrases, sentence frames, indications. Plainest first in each list."""

from __future__ import annotations

__all__ = [
    "ABSENT",
    "ABSENT_FRAMES",
    "CLEAR_LUNGS",
    "COMPARISONS",
    "DEGREE",
    "DISTRACTOR_SENTENCES",
    "HEART_ENLARGED",
    "HEART_NORMAL",
    "INDICATIONS",
    "INDICATIONS_LEAKING",
    "NORMAL_IMPRESSIONS",
    "NOUNS",
    "PLACES",
    "PLURAL_FRAMES",
    "PRESENT_FRAMES",
    "TREND_CLAUSES",
    "UNCERTAIN_FRAMES",
]

DEGREE: dict[str, tuple[str, str, str]] = {
    "opacity": ("faint", "moderate", "dense"),
    "consolidation": ("small", "moderate", "extensive"),
    "pleural effusion": ("small", "moderate", "large"),
    "nodule": ("small", "", "large"),
    "cardiomegaly": ("mild", "moderate", "marked"),
    "pneumothorax": ("small", "moderate", "large"),
    "atelectasis": ("minimal", "mild", "moderate"),
}
"""Words for mild, moderate and severe."""

NOUNS: dict[str, tuple[str, ...]] = {
    "opacity": ("hazy opacity", "patchy opacity", "ill-defined opacity", "airspace opacity", "ground-glass opacity"),
    "consolidation": ("consolidation", "airspace consolidation", "focal consolidation"),
    "pleural effusion": ("pleural effusion",),
    "nodule": ("nodule", "pulmonary nodule", "rounded nodule", "lung nodule"),
    "cardiomegaly": ("cardiomegaly", "enlargement of the heart", "enlargement of the cardiac silhouette"),
    "pneumothorax": ("apical pneumothorax", "pneumothorax"),
    "atelectasis": ("linear atelectasis", "plate-like atelectasis", "subsegmental atelectasis"),
}

PLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("right", "upper"): ("right upper lobe", "right upper zone", "right upper lung"),
    ("right", "mid"): ("right middle lobe", "right mid zone", "right mid lung"),
    ("right", "lower"): ("right lower lobe", "right lower zone", "right lung base"),
    ("left", "upper"): ("left upper lobe", "left upper zone", "left upper lung"),
    ("left", "mid"): ("lingula of the left lung", "left mid zone", "left mid lung"),
    ("left", "lower"): ("left lower lobe", "left lower zone", "left lung base"),
    ("bilateral", "upper"): ("bilateral upper lobes", "upper zones of both lungs"),
    ("bilateral", "mid"): ("bilateral mid zones", "mid zones of both lungs"),
    ("bilateral", "lower"): ("bilateral lower lobes", "both lung bases"),
}

# "<...>" is the phrase that is recorded; {a} becomes the article the noun phrase needs.
PRESENT_FRAMES: tuple[str, ...] = (
    "There is {a}<{phrase}>{trend}.",
    "<{phrase}> is seen{trend}.",
    "<{phrase}> is present{trend}.",
    "<{phrase}>{trend}.",
    "There is evidence of {a}<{phrase}>{trend}.",
)

PLURAL_FRAMES: tuple[str, ...] = (
    "There are <{phrase}>{trend}.",
    "<{phrase}> are seen{trend}.",
    "<{phrase}> are present{trend}.",
)

UNCERTAIN_FRAMES: tuple[str, ...] = (
    "Possible <{phrase}>{trend}.",
    "There may be {a}<{phrase}>{trend}.",
    "{a}<{phrase}> cannot be excluded.",
    "Questionable <{phrase}>{trend}.",
)

HEART_ENLARGED: tuple[str, ...] = (
    "<The heart is {adverb} enlarged>{trend}.",
    "<The cardiac silhouette is {adverb} enlarged>{trend}.",
    "There is <{phrase}>{trend}.",
)

HEART_NORMAL: tuple[str, ...] = (
    "<The heart is normal in size>.",
    "<Heart size is normal>.",
    "<The cardiac silhouette is not enlarged>.",
    "<The cardiac silhouette is within normal limits>.",
    "There is no <cardiomegaly>.",
)

CLEAR_LUNGS: tuple[str, ...] = (
    "<The lungs are clear>.",
    "<Both lungs are clear>.",
    "<The lungs are clear> without focal abnormality.",
)

ABSENT: dict[str, tuple[str, ...]] = {
    "opacity": ("airspace opacity", "focal opacity"),
    "consolidation": ("focal consolidation", "consolidation"),
    "pleural effusion": ("pleural effusion",),
    "nodule": ("suspicious nodule", "nodule"),
    "pneumothorax": ("pneumothorax",),
    "atelectasis": ("atelectasis",),
}

ABSENT_FRAMES: dict[int, tuple[str, ...]] = {
    1: ("No <{0}>.", "There is no <{0}>.", "No evidence of <{0}>.", "No <{0}> is seen."),
    2: ("No <{0}> or <{1}>.", "There is no <{0}> or <{1}>.", "Neither <{0}> nor <{1}> is seen."),
    3: ("No <{0}>, <{1}> or <{2}>.", "There is no <{0}>, <{1}>, or <{2}>."),
}

TREND_CLAUSES: dict[str, tuple[str, ...]] = {
    "": ("",),
    "new": (", new since the prior study", ", which is new"),
    "increased": (", increased since the prior study", ", worse than before"),
    "decreased": (", decreased since the prior study", ", improved"),
    "unchanged": (", unchanged", ", stable since the prior study"),
}

INDICATIONS: tuple[str, ...] = (
    "Cough.",
    "Chest pain.",
    "Shortness of breath.",
    "Preoperative evaluation.",
    "___-year-old {person} with dyspnea.",
    "Fall, evaluate for injury.",
    "Line placement.",
)

INDICATIONS_LEAKING: tuple[str, ...] = (
    "Cough and fever, rule out pneumonia.",
    "___-year-old {person} with fever, evaluate for pneumonia.",
    "Suspected pneumonia.",
    "Dyspnea, pneumonia or effusion?",
)
"""They name what is asked, not what is found: text that must never become a finding."""

COMPARISONS: tuple[str, ...] = ("Chest radiograph from ___.", "Prior chest radiograph.", "___.")

NORMAL_IMPRESSIONS: tuple[str, ...] = (
    "No acute cardiopulmonary abnormality.",
    "No acute cardiopulmonary process.",
    "Normal chest radiograph.",
)

DISTRACTOR_SENTENCES: dict[str, tuple[str, ...]] = {
    "leads": ("Monitoring leads overlie the chest.", "ECG leads are noted."),
    "pacemaker": ("A {side} chest wall pacemaker is in place.", "Pacemaker leads end in the right heart."),
    "port": ("A {side} chest port is in place.", "The tip of the {side} port catheter lies in the superior vena cava."),
    "endotracheal tube": ("The endotracheal tube ends above the carina.", "Endotracheal tube in standard position."),
    "nasogastric tube": ("A nasogastric tube ends in the stomach.", "Enteric tube courses below the diaphragm."),
    "central line": ("A {side} central venous line is in place.", "The {side} central line ends in the vena cava."),
    "sternal wires": ("Median sternotomy wires are intact.", "Sternal wires are noted."),
    "rib fracture": ("There is an old healed {side} rib fracture.", "Old {side} rib fracture."),
    "degenerative change": (
        "Degenerative changes of the thoracic spine.",
        "Mild degenerative changes are seen in the spine.",
    ),
    "granuloma": (
        "Calcified granuloma in the {side} lung.",
        "A small calcified granuloma projects over the {side} lung.",
    ),
}
