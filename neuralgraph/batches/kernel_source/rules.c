/* The rules of the graph that speak of what a batch hands out (FORMAT.md section 8.2). Every number is proven to be in
 * range before it is used. What is asked of texts beyond their sizes, is asked where they are handed out. */
#include <math.h>

#include "batch.h"

enum { N_POSITIONS = 7, N_CONCEPT_LABELS = 12, N_RELATIONS = 3, N_REPORT_SECTIONS = 4, MOST_ID_BYTES = 128 };

/* From here on numbers round to infinity in float32. */
#define ROUNDS_TO_INFINITY (0x1p128 - 0x1p103)
#define CODE_TOLERANCE (0.5 + 1e-6)

static int positive(float v) { return v > 0 && isfinite(v); }
static int not_negative(float v) { return isfinite(v) && !signbit(v); }

/* Cells of a view; its last row and column begin inside the film and reach its end. */
static u64 cells_of_view(const study *s, u32 view) {
    u64 rows = u16_of(s, VIEW_ROWS, view), cols = u16_of(s, VIEW_COLS, view);
    const u64 n[2] = {rows, cols};
    for (int axis = 0; axis < 2; axis++) {
        double film = u32_of(s, axis ? VIEW_WIDTH : VIEW_HEIGHT, view);
        float size = f32_of(s, axis ? VIEW_PATCH_WIDTH : VIEW_PATCH_HEIGHT, view);
        if (!n[axis] || !positive(size)) return 0;
        if ((double)(n[axis] - 1) * size >= film || (double)n[axis] * size < film * (1 - 1e-6)) return 0;
    }
    return rows * cols;
}

/* F22. */
static reason check_views(const study *s) {
    u64 cells = 0;
    for (u32 view = 0; view < s->n[N_VIEWS]; view++) {
        u64 more = cells_of_view(s, view);
        if (!more || more > s->n[N_CELLS] - cells) return VIEWS;
        float step = f32_of(s, VIEW_SCORE_STEP, view);
        const u8 *code = column_of(s, CELL_SCORE) + cells;
        u32 largest = 0;
        for (u64 i = 0; i < more; i++) largest = code[i] > largest ? code[i] : largest;
        if (!not_negative(step) || (double)(largest * largest) * step >= ROUNDS_TO_INFINITY) return VIEWS;
        if (column_of(s, VIEW_POSITION)[view] >= N_POSITIONS) return VIEWS;
        cells += more;
    }
    return cells == s->n[N_CELLS] ? FINE : VIEWS;
}

spot spot_of(const study *s, u32 cell) {
    for (u32 view = 0;; view++) {
        u32 cols = u16_of(s, VIEW_COLS, view);
        u32 cells = u16_of(s, VIEW_ROWS, view) * cols;
        if (cell < cells) return (spot){view, cell / cols, cell % cols};
        cell -= cells;
    }
}

/* F24. */
static int is_code_of(u32 code, float score, float step) {
    if (step == 0) return score == 0 && code == 0;
    return fabs(sqrt((double)score / step) - code) <= CODE_TOLERANCE;
}

/* F23 and F24. `patch_in`, one for each cell, learns the patch that is there, counted from 1. */
static reason check_patches(const study *s, u32 *patch_in) {
    u32 n = s->n[N_PATCHES], before = 0;
    float last = INFINITY;
    memset(patch_in, 0, 4 * (u64)s->n[N_CELLS]);
    for (u32 i = 0; i < n; i++) {
        u32 cell = index_of(s, PATCH_CELL, N_CELLS, i);
        float score = f32_of(s, PATCH_SCORE, i);
        if (cell >= s->n[N_CELLS] || patch_in[cell] || !not_negative(score)) return PATCHES;
        if (score > last || (score == last && cell < before)) return PATCHES;
        float step = f32_of(s, VIEW_SCORE_STEP, spot_of(s, cell).view);
        if (!is_code_of(column_of(s, CELL_SCORE)[cell], score, step)) return PATCHES;
        patch_in[cell] = i + 1;
        last = score;
        before = cell;
    }
    return FINE;
}

/* Pairs of kept patches of one view that touch along a side. */
static u64 touching(const study *s, const u32 *patch_in) {
    u64 pairs = 0, first = 0;
    for (u32 view = 0; view < s->n[N_VIEWS]; view++) {
        u64 rows = u16_of(s, VIEW_ROWS, view), cols = u16_of(s, VIEW_COLS, view);
        const u32 *there = patch_in + first;
        for (u64 i = 0; i < rows * cols; i++) {
            if (!there[i]) continue;
            if ((i + 1) % cols && there[i + 1]) pairs++;
            if (i + cols < rows * cols && there[i + cols]) pairs++;
        }
        first += rows * cols;
    }
    return pairs;
}

/* F25: every edge joins neighbours, they ascend, and there are as many as there are neighbours. */
static reason check_edges(const study *s, const u32 *patch_in) {
    u64 before = 0;
    for (u32 i = 0; i < s->n[N_EDGES]; i++) {
        u64 a = index_of(s, EDGE, N_PATCHES, 2 * (u64)i), b = index_of(s, EDGE, N_PATCHES, 2 * (u64)i + 1);
        if (a >= b || b >= s->n[N_PATCHES] || (i && (a << 32 | b) <= before)) return EDGES;
        before = a << 32 | b;
        spot p = spot_of(s, index_of(s, PATCH_CELL, N_CELLS, a));
        spot q = spot_of(s, index_of(s, PATCH_CELL, N_CELLS, b));
        u32 apart = (p.row > q.row ? p.row - q.row : q.row - p.row) + (p.col > q.col ? p.col - q.col : q.col - p.col);
        if (p.view != q.view || apart != 1) return EDGES;
    }
    return touching(s, patch_in) == s->n[N_EDGES] ? FINE : EDGES;
}

/* F26, of concepts. */
static reason check_concepts(const study *s) {
    u64 before = 0;
    for (u32 i = 0; i < s->n[N_CONCEPTS]; i++) {
        u64 start = u32_of(s, CONCEPT_START, i), end = u32_of(s, CONCEPT_END, i);
        if (column_of(s, CONCEPT_LABEL)[i] >= N_CONCEPT_LABELS) return CONCEPTS;
        if (column_of(s, CONCEPT_SECTION)[i] >= N_REPORT_SECTIONS) return CONCEPTS;
        if (start > end || (start << 32 | end) < before) return CONCEPTS;
        before = start << 32 | end;
        u32 vectors = s->n[N_CONCEPT_VECTORS];
        if (vectors && index_of(s, CONCEPT_VECTOR, N_CONCEPT_VECTORS, i) >= vectors) return CONCEPTS;
    }
    return FINE;
}

/* F26, of mentions. */
static reason check_mentions(const study *s) {
    u32 last = 0;
    u64 before = 0;
    for (u32 i = 0; i < s->n[N_MENTIONS]; i++) {
        u32 concept = index_of(s, MENTION_CONCEPT, N_CONCEPTS, i);
        u64 start = u32_of(s, MENTION_START, i), end = u32_of(s, MENTION_END, i);
        if (concept >= s->n[N_CONCEPTS] || column_of(s, MENTION_LABEL)[i] >= N_CONCEPT_LABELS) return MENTIONS;
        if (column_of(s, MENTION_SECTION)[i] >= N_REPORT_SECTIONS || start > end) return MENTIONS;
        if (i && (concept < last || (concept == last && (start << 32 | end) <= before))) return MENTIONS;
        last = concept;
        before = start << 32 | end;
    }
    return FINE;
}

/* F26, of triples and the fusion edge. */
static reason check_triples(const study *s) {
    u64 before = 0;
    for (u32 i = 0; i < s->n[N_TRIPLES]; i++) {
        u64 head = index_of(s, TRIPLE_HEAD, N_CONCEPTS, i), tail = index_of(s, TRIPLE_TAIL, N_CONCEPTS, i);
        u64 relation = column_of(s, TRIPLE_RELATION)[i], here = head << 34 | relation << 32 | tail;
        if (head >= s->n[N_CONCEPTS] || tail >= s->n[N_CONCEPTS] || relation >= N_RELATIONS) return TRIPLES;
        if (head == tail || (i && here <= before)) return TRIPLES;
        before = here;
    }
    if (!s->n[N_FUSION]) return FINE;
    u32 patch = index_of(s, FUSION_PATCH, N_PATCHES, 0);
    u32 concept = index_of(s, FUSION_CONCEPT, N_CONCEPTS, 0);
    return patch < s->n[N_PATCHES] && concept < s->n[N_CONCEPTS] ? FINE : FUSION;
}

/* F27, as far as sizes and the order of labels go, and F28 of labels. */
static reason check_strings(const study *s) {
    u32 before_labels = 2 + s->n[N_CONCEPTS];
    u64 n = before_labels + (u64)s->n[N_LABELS], end = 0, last_size = 0;
    const u8 *last = NULL;
    for (u64 i = 0; i < n; i++) {
        const u8 *here = column_of(s, TEXT) + end;
        u64 size = index_of(s, STRING_BYTES, TEXT_BYTES, i);
        if (size > s->n[TEXT_BYTES] - end) return STRINGS;
        if (i == 0 && size > MOST_ID_BYTES) return STRINGS;
        if (i != 1 && !size) return STRINGS;
        end += size;
        if (i < before_labels) continue;
        if (!isfinite(f32_of(s, LABEL_VALUE, i - before_labels))) return LABELS;
        if (last) {
            int order = memcmp(last, here, last_size < size ? last_size : size);
            if (order > 0 || (order == 0 && last_size >= size)) return LABELS;
        }
        last = here;
        last_size = size;
    }
    return end == s->n[TEXT_BYTES] ? FINE : STRINGS;
}

reason check_graph(const study *s, memory *work) {
    if (!reserve(work, 4 * (u64)s->n[N_CELLS])) return NO_MEMORY;
    u32 *patch_in = (u32 *)work->bytes;
    reason why = check_views(s);
    if (!why) why = check_patches(s, patch_in);
    if (!why) why = check_edges(s, patch_in);
    if (!why) why = check_concepts(s);
    if (!why) why = check_mentions(s);
    if (!why) why = check_triples(s);
    return why ? why : check_strings(s);
}
