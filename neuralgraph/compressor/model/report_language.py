"""The language of chest reports and clinical notes, as templates: what the bundled tokenizer learns its words from.

Written for this project; no real report went into it. Broad in words (anatomy, findings, negation, doubt, devices,
history, laboratory, therapy), because a tokenizer needs the words and not the medicine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["sentences"]

_WORDS: dict[str, str] = {
    "side": "right|left|bilateral|both|contralateral|ipsilateral",
    "zone": (
        "upper|middle|lower|apical|basal|basilar|perihilar|central|peripheral|mid|retrocardiac|lateral|medial"
        "|posterior|anterior|paratracheal|suprahilar|infrahilar|lingular|subpleural|paramediastinal"
    ),
    "core": "upper|lower|middle|mid",
    "common": "opacity|consolidation|effusion|pneumothorax|atelectasis|edema|pneumonia|nodule|mass|lesion|shadowing",
    "part": (
        "lung|lobe|zone|hemithorax|hilum|base|apex|costophrenic angle|lung field|hemidiaphragm|pleural space|ribs"
        "|clavicle|shoulder|lung base|chest wall|main bronchus|fissure|cardiophrenic angle"
    ),
    "structure": (
        "heart|cardiac silhouette|mediastinum|aorta|aortic arch|aortic knob|trachea|carina|hila"
        "|pulmonary arteries|pulmonary vasculature|diaphragm|thoracic spine|sternum|bony thorax|soft tissues"
        "|osseous structures|pleura|cardiomediastinal silhouette|cardiac contour|superior vena cava|right atrium"
        "|left ventricle|esophagus|stomach|vertebral bodies|scapula|humerus|abdomen|neck|airways|pericardium"
        "|thymus|thyroid|interstitium|lymph nodes"
    ),
    "finding": (
        "opacity|opacities|airspace opacity|consolidation|infiltrate|infiltrates|effusion|pleural effusion"
        "|effusions|pneumothorax|atelectasis|edema|pulmonary edema|pneumonia|nodule|nodules|mass|cavity"
        "|calcification|granuloma|granulomas|scarring|fibrosis|fracture|rib fracture|cardiomegaly|emphysema"
        "|hyperinflation|congestion|vascular congestion|bronchiectasis|pleural thickening|lymphadenopathy|hernia"
        "|hiatal hernia|air bronchograms|ground glass opacity|interstitial markings|reticular opacities|lucency"
        "|bulla|cyst|abscess|hematoma|empyema|pneumomediastinum|subcutaneous emphysema|free air|aspiration"
        "|hemorrhage|metastases|metastatic disease|neoplasm|malignancy|tuberculosis|sarcoidosis|scoliosis"
        "|kyphosis|osteophytes|degenerative changes|spondylosis|osteopenia|tortuosity|aneurysm|dissection"
        "|bronchial wall thickening|peribronchial cuffing|septal lines|volume loss|collapse"
        "|elevation of the hemidiaphragm|blunting of the costophrenic angle|eventration|blebs|honeycombing"
        "|bronchitis|interstitial lung disease|acute respiratory distress syndrome|multifocal pneumonia"
        "|viral pneumonia|covid-19"
    ),
    "size": (
        "small|large|moderate|mild|minimal|severe|trace|tiny|subtle|extensive|massive|slight|marked|borderline"
        "|diffuse|focal|patchy|multifocal|confluent|scattered|linear|hazy|dense|faint|streaky|nodular|rounded"
        "|irregular|ill-defined|well-defined|calcified|loculated|layering|subsegmental|discoid|bibasilar|biapical"
        "|chronic|acute|subacute|old|new|healed|residual|persistent|recurrent|interstitial|alveolar|reticular"
        "|reticulonodular|spiculated|cavitary"
    ),
    "trend": (
        "unchanged|stable|improved|worsened|increased|decreased|resolved|new|larger|smaller|slightly improved"
        "|slightly worse|markedly worse|progressed|regressed|not significantly changed|more conspicuous"
        "|less prominent|grossly unchanged|partially resolved|resolving|evolving|similar in appearance"
    ),
    "normal": (
        "normal|unremarkable|within normal limits|clear|intact|midline|not enlarged|normal in size|well expanded"
        "|sharp|patent|preserved|stable in appearance|normal in size and contour|grossly normal|unchanged"
        "|symmetric"
    ),
    "certain": (
        "is seen|is present|is noted|is identified|is visible|is demonstrated|are seen|are present|are noted"
        "|has developed|is again seen|persists|is evident|was observed"
    ),
    "doubt": (
        "may represent|could represent|is suspicious for|is concerning for|suggests|is suggestive of"
        "|likely represents|probably reflects|is consistent with|is compatible with|cannot exclude"
        "|raises the possibility of|is possibly|is most likely due to|may be related to|favors"
        "|is questionable for|versus"
    ),
    "denial": (
        "no|no evidence of|without|negative for|no definite|no focal|no acute|no large|no visible|absence of"
        "|there is no evidence of|there is no|there are no|free of|rule out|denies|no sign of|not seen:"
        "|no convincing"
    ),
    "device": (
        "endotracheal tube|nasogastric tube|feeding tube|central venous catheter|chest tube|tracheostomy tube"
        "|picc line|pacemaker|pacemaker leads|defibrillator|sternotomy wires|median sternotomy wires"
        "|surgical clips|prosthetic valve|swan-ganz catheter|dialysis catheter|port-a-cath|drain|pigtail catheter"
        "|intra-aortic balloon pump|monitoring leads|spinal hardware|stent|internal jugular catheter"
        "|subclavian line|orogastric tube|enteric tube|hardware|cholecystectomy clips|ecg electrodes"
    ),
    "place": (
        "above the carina|below the diaphragm|in the stomach|in the superior vena cava|at the cavoatrial junction"
        "|in the right atrium|in good position|in place|in satisfactory position|in unchanged position"
        "|over the mediastinum|at the level of the clavicles|in the right ventricle|near the midline|too low"
        "|malpositioned|in the main bronchus"
    ),
    "compare": (
        "compared with the prior study|compared to the previous examination|since the last radiograph"
        "|in the interval|compared with the earlier film|from the prior exam|in comparison with yesterday"
        "|as on the prior computed tomography|over the past days|since admission"
    ),
    "view": (
        "frontal and lateral views|a single frontal view|portable upright film|supine radiograph"
        "|pa and lateral views|ap view|two views|one view|semi-erect projection|lateral decubitus view"
        "|chest x-ray|chest radiograph|ct scan|high-resolution computed tomography|magnetic resonance imaging"
        "|ultrasound"
    ),
    "symptom": (
        "fever|cough|dry cough|productive cough|shortness of breath|dyspnea|chest pain|wheezing|hypoxia|fatigue"
        "|sore throat|hemoptysis|weight loss|night sweats|vomiting|diarrhea|nausea|headache|dizziness|weakness"
        "|confusion|syncope|back pain|chills|myalgia|tachycardia|tachypnea|hypotension|respiratory distress"
        "|respiratory failure|edema of the legs|trauma|fall|altered mental status|palpitations|anosmia|runny nose"
        "|malaise|loss of appetite|abdominal pain|sputum"
    ),
    "history": (
        "asthma|diabetes|diabetes mellitus|hypertension|smoking|copd|chronic obstructive pulmonary disease"
        "|heart failure|congestive heart failure|coronary artery disease|renal failure|breast cancer|lung cancer"
        "|lymphoma|transplant|hiv|tuberculosis exposure|obesity|stroke|atrial fibrillation|leukemia"
        "|pulmonary embolism|cystic fibrosis|rheumatoid arthritis|surgery|chemotherapy|radiation therapy"
        "|cirrhosis|sickle cell disease|hyperlipidemia|hypothyroidism|dementia|pregnancy|alcohol use"
        "|recent travel|contact with a confirmed case|immunosuppression"
    ),
    "therapy": (
        "oxygen|supplemental oxygen|high-flow nasal cannula|mechanical ventilation|intubation|antibiotics"
        "|azithromycin|ceftriaxone|hydroxychloroquine|lopinavir|ritonavir|remdesivir|oseltamivir|steroids"
        "|methylprednisolone|dexamethasone|heparin|diuretics|furosemide|vasopressors|antiviral treatment"
        "|extracorporeal membrane oxygenation|prone positioning|fluids|bronchodilators|dialysis|transfusion"
        "|paracetamol|tocilizumab|interferon|intensive care"
    ),
    "laboratory": (
        "white blood cell count|lymphocytes|neutrophils|c-reactive protein|oxygen saturation|heart rate"
        "|blood pressure|respiratory rate|temperature|procalcitonin|lactate dehydrogenase|creatinine|hemoglobin"
        "|platelets|d-dimer|ferritin|troponin|arterial blood gas|pcr test|rt-pcr|nasopharyngeal swab|throat swab"
        "|blood culture|sputum culture|bilirubin|partial pressure of oxygen|alanine aminotransferase|lymphopenia"
        "|leukocytosis|electrocardiogram|echocardiography"
    ),
    "unit": "cm|mm|mg|ml|kg|mmhg|bpm|%|degrees|hours|days|weeks|months|years|g/l|u/l|mg/l|l/min|times",
    "person": "patient|man|woman|male|female|infant|child|boy|girl|adult|nurse|physician|radiologist|clinician",
    "course": (
        "was admitted|was discharged|was transferred|recovered|deteriorated|improved clinically|was intubated"
        "|was extubated|died|tested positive|tested negative|remained stable"
        "|presented to the emergency department|was isolated|was hospitalized|returned from abroad"
        "|was started on treatment|developed symptoms|underwent surgery|required ventilation|was treated at home"
        "|was referred for follow-up"
    ),
    "advice": (
        "follow-up is recommended|clinical correlation is recommended|correlate clinically"
        "|repeat radiograph after treatment|consider computed tomography|recommend lateral view"
        "|results were discussed by telephone|comparison is advised|further evaluation is suggested"
        "|advise short-term follow-up|attention on follow-up imaging"
        "|findings were communicated to the referring physician|no further imaging is needed"
    ),
    "number": (
        "1|2|3|4|5|6|7|8|9|10|12|14|18|24|36|37.8|38.5|39.2|40|45|58|62|75|84|90|92|95|98|100|120|0.5|1.5|2.3|3-4"
        "|5 x 7|one|two|three|four|five|several|multiple|third|fifth|seventh|first|second"
    ),
}

_TEMPLATES: tuple[str, ...] = (
    "The {structure} is {normal}.",
    "The {structure} and {structure} are {normal}.",
    "{structure}: {normal}.",
    "{denial} {finding}.",
    "{denial} {finding} or {finding}.",
    "{denial} {finding}, {finding}, or {finding} is identified.",
    "{size} {finding} {certain} in the {side} {zone} {part}.",
    "There is a {size} {side} {finding}.",
    "There are {size} {zone} {finding} in {side} lungs.",
    "{size} {zone} {finding} {doubt} {finding}.",
    "The {finding} in the {side} {part} has {trend} {compare}.",
    "{finding} at the {side} {part}, {trend} {compare}.",
    "The {device} is {place}.",
    "The tip of the {device} lies {number} {unit} {place}.",
    "{device} has been removed; {device} {place}.",
    "Stable postsurgical changes with {device}.",
    "{view} of the chest obtained for {symptom}.",
    "Technique: {view}. Comparison: none. Indication: {symptom}, history of {history}.",
    "FINDINGS: The lungs are {normal}. {denial} {finding}. IMPRESSION: {number}. {size} {finding}. {number}. {advice}.",
    "IMPRESSION: No acute cardiopulmonary abnormality.",
    "No acute disease. The lungs are clear bilaterally; heart size is {normal}.",
    "Low lung volumes with {size} {finding}, which {doubt} {finding}.",
    "A {number} {unit} {size} {finding} {certain} in the {side} {zone} {part} and {doubt} {finding}.",
    "{finding} {doubt} {finding}, although {finding} cannot be excluded.",
    "{advice}.",
    "If clinically indicated, {advice} within {number} {unit}.",
    "A {number}-year-old {person} with {history} and {history} presented with {symptom}, {symptom} and {symptom}.",
    "{person} with {symptom} for {number} days; {laboratory} was {number} {unit}.",
    "The {person} {course} on day {number} and received {therapy}.",
    "{laboratory} {number} {unit}, {laboratory} {number}, {laboratory} elevated.",
    "After {therapy} the {person} {course}; {view} showed {size} {finding}.",
    "{view} ({number} days later) shows that the {finding} {trend}.",
    "Reason for examination: {symptom}? {history}? Evaluate for {finding}.",
    "Exam limited by rotation, motion and poor inspiration; {structure} {normal}.",
    "Treatment: {therapy}, {therapy}; outcome: {course}.",
    "Calcified {finding} in the {side} {part} from prior granulomatous disease.",
    "Which {finding}, where, how large, how many, and whether it has {trend}: see above/below ({number}/{number}).",
    "In the {side} {core} lobe {size} {common} {certain}.",
    "{denial} {common} in the {core} or {core} zone of the {side} lung.",
    "{common} of the {side} {core} zone, {number} nodule, lobes otherwise clear.",
    "{structure} {normal}; {core} lobe {common} {trend}.",
    "Upper zones clear, lower lobes show {common}, the nodules are wide and bright.",
    "XXXX {finding} {certain}. XXXX, {structure} {normal}.",
)

_SEED = 2025


def sentences(count: int = 12000) -> Iterator[str]:
    """Sentences in a fixed order: the same ones on every machine.

    Parameters
    ----------
    count : how many.

    Yields
    ------
    str : one sentence or short report, sometimes wholly in small or in capital letters.
    """
    choices = {name: words.split("|") for name, words in _WORDS.items()}
    source = random.Random(_SEED)

    def pick(options: list[str] | tuple[str, ...]) -> str:
        # Only random() is promised to repeat across Python versions; choice() is not.
        return options[int(source.random() * len(options))]

    for number in range(count):
        # Every template in turn, so that none is rare by chance.
        pieces = _TEMPLATES[number % len(_TEMPLATES)].split("{")
        text = pieces[0]
        for piece in pieces[1:]:
            name, rest = piece.split("}")
            word = pick(choices[name])
            opens = not text or text.endswith((". ", ": "))
            text += (word[0].upper() + word[1:] if opens else word) + rest
        style = source.random()
        yield text.lower() if style < 0.15 else text.upper() if style < 0.2 else text
