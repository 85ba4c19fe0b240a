/** Words and their codes (FORMAT.md 8.1): the code is the position. */
export const VIEW_POSITIONS = ["unknown", "PA", "AP", "LATERAL", "LL", "RL", "OTHER"];

const ASSERTIONS = ["definitely present", "uncertain", "definitely absent"];
const KINDS = ["Anatomy", "Observation", "Anatomy::measurement", "Observation::measurement"];
export const CONCEPT_LABELS = KINDS.flatMap((kind) => ASSERTIONS.map((assertion) => `${kind}::${assertion}`));

export const REPORT_SECTIONS = ["unknown", "findings", "impression", "addendum"];

export const RELATIONS = ["modify", "located_at", "suggestive_of"];
