/* The graph stream: where its columns are (FORMAT.md section 5.3), and its rules that speak of what a batch hands out
 * (section 8.2). Every number is proven to be in range before it is used. What is asked of texts beyond their sizes, is
 * asked where they are handed out. */
#include <math.h>

#include "batch.h"

enum { MOST_ID_BYTES = 128 };

/* From here on numbers round to infinity in float32. */
#define ROUNDS_TO_INFINITY (0x1p128 - 0x1p103)
#define CODE_TOLERANCE (0.5 + 1e-6)

/* Rows of a column: a count, or one of these. */
enum { STRINGS_OF_STUDY = N_COUNTS, VECTOR_REFERENCES };
/* Bytes of a value: 1, 2, 4, or INDEX + count for the fewest that number as many things. */
enum { INDEX = 16 };

/* Values of a column, in each of its rows one unless it says another number. Codes are below the size of their table,
 * numbers of things below the count of these. */
static const struct { u8 rows, bytes, below, in_a_row; } COLUMNS[N_COLUMNS] = {
    [VIEW_ROWS] = {N_VIEWS, 2}, [VIEW_COLS] = {N_VIEWS, 2}, [VIEW_HEIGHT] = {N_VIEWS, 4}, [VIEW_WIDTH] = {N_VIEWS, 4},
    [VIEW_PATCH_HEIGHT] = {N_VIEWS, 4}, [VIEW_PATCH_WIDTH] = {N_VIEWS, 4}, [VIEW_SCORE_STEP] = {N_VIEWS, 4},
    [VIEW_POSITION] = {N_VIEWS, 1, .below = 7}, [CELL_SCORE] = {N_CELLS, 1},
    [PATCH_CELL] = {N_PATCHES, INDEX + N_CELLS}, [PATCH_SCORE] = {N_PATCHES, 4},
    [EDGE] = {N_EDGES, INDEX + N_PATCHES, .in_a_row = 2}, [CONCEPT_LABEL] = {N_CONCEPTS, 1, .below = 12},
    [CONCEPT_START] = {N_CONCEPTS, 4}, [CONCEPT_END] = {N_CONCEPTS, 4}, [CONCEPT_SECTION] = {N_CONCEPTS, 1, .below = 4},
    [CONCEPT_VECTOR] = {VECTOR_REFERENCES, INDEX + N_CONCEPT_VECTORS},
    [MENTION_CONCEPT] = {N_MENTIONS, INDEX + N_CONCEPTS}, [MENTION_LABEL] = {N_MENTIONS, 1, .below = 12},
    [MENTION_SECTION] = {N_MENTIONS, 1, .below = 4}, [MENTION_START] = {N_MENTIONS, 4}, [MENTION_END] = {N_MENTIONS, 4},
    [TRIPLE_HEAD] = {N_TRIPLES, INDEX + N_CONCEPTS}, [TRIPLE_RELATION] = {N_TRIPLES, 1, .below = 3},
    [TRIPLE_TAIL] = {N_TRIPLES, INDEX + N_CONCEPTS}, [FUSION_PATCH] = {N_FUSION, INDEX + N_PATCHES},
    [FUSION_CONCEPT] = {N_FUSION, INDEX + N_CONCEPTS}, [LABEL_VALUE] = {N_LABELS, 4},
    [STRING_BYTES] = {STRINGS_OF_STUDY, INDEX + TEXT_BYTES}, [TEXT] = {TEXT_BYTES, 1},
};

u64 lay_out(const u32 n[N_COUNTS], column columns[N_COLUMNS]) {
    u64 at = 0;
    for (int i = 0; i < N_COLUMNS; i++) {
        u32 rows = COLUMNS[i].rows, bytes = COLUMNS[i].bytes, count = bytes < INDEX ? 0 : n[bytes - INDEX];
        u64 values = rows == STRINGS_OF_STUDY  ? FIRST_CONCEPT + (u64)n[N_CONCEPTS] + n[N_LABELS]
                   : rows == VECTOR_REFERENCES ? (n[N_CONCEPT_VECTORS] ? n[N_CONCEPTS] : 0)
                                               : (u64)n[rows] * (COLUMNS[i].in_a_row ? COLUMNS[i].in_a_row : 1);
        if (bytes >= INDEX) bytes = count <= 1u << 8 ? 1 : count <= 1u << 16 ? 2 : 4;
        columns[i] = (column){at, values, bytes};
        at += values * bytes;
    }
    return at;
}

/* The largest of some integers of one, two or four bytes. */
static u32 largest(const u8 *at, u64 n, u32 bytes) {
    u32 most = 0;
    if (bytes == 1)
        for (u64 i = 0; i < n; i++) most = most > at[i] ? most : at[i];
    else if (bytes == 2)
        for (u64 i = 0; i < n; i++) most = most > u16_at(at + 2 * i) ? most : u16_at(at + 2 * i);
    else
        for (u64 i = 0; i < n; i++) most = most > u32_at(at + 4 * i) ? most : u32_at(at + 4 * i);
    return most;
}

/* F22 and F26, of single numbers. */
static reason check_ranges(const study *s) {
    for (int i = 0; i < N_COLUMNS; i++) {
        u32 bytes = COLUMNS[i].bytes, below = bytes < INDEX ? COLUMNS[i].below : s->n[bytes - INDEX];
        const column *c = &s->column[i];
        if (i == STRING_BYTES || !c->values || (bytes < INDEX && !below)) continue;
        if (largest(column_of(s, i), c->values, c->bytes) >= below) return RANGE;
    }
    return FINE;
}

static int not_negative(float v) { return isfinite(v) && !signbit(v); }

/* Cells of a view; its last row and column begin inside the film and reach its end. */
static u64 cells_of_view(const study *s, u32 view) {
    static const u8 cells[2] = {VIEW_ROWS, VIEW_COLS}, films[2] = {VIEW_HEIGHT, VIEW_WIDTH};
    static const u8 sizes[2] = {VIEW_PATCH_HEIGHT, VIEW_PATCH_WIDTH};
    for (int axis = 0; axis < 2; axis++) {
        double n = number_of(s, cells[axis], view), film = number_of(s, films[axis], view);
        float size = f32_of(s, sizes[axis], view);
        if (n == 0 || !isfinite(size) || size <= 0) return 0;
        if ((n - 1) * size >= film || n * size < film * (1 - 1e-6)) return 0;
    }
    return (u64)number_of(s, VIEW_ROWS, view) * number_of(s, VIEW_COLS, view);
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
        cells += more;
    }
    return cells == s->n[N_CELLS] ? FINE : VIEWS;
}

spot spot_of(const study *s, u32 cell) {
    for (u32 view = 0;; view++) {
        u32 cols = number_of(s, VIEW_COLS, view), cells = number_of(s, VIEW_ROWS, view) * cols;
        if (cell < cells) return (spot){view, cell / cols, cell % cols};
        cell -= cells;
    }
}

/* F24. */
static int is_code_of(u32 code, float score, float step) {
    if (step == 0) return score == 0 && code == 0;
    return fabs(sqrt((double)score / step) - code) <= CODE_TOLERANCE;
}

/* F23 and F24. `spots`, one for each patch, and `taken`, one for each cell, learn where patches are. */
static reason check_patches(const study *s, spot *spots, u8 *taken) {
    u32 before = 0;
    float last = INFINITY;
    memset(taken, 0, s->n[N_CELLS]);
    for (u32 i = 0; i < s->n[N_PATCHES]; i++) {
        u32 cell = number_of(s, PATCH_CELL, i);
        float score = f32_of(s, PATCH_SCORE, i);
        if (taken[cell] || !not_negative(score)) return PATCHES;
        if (score > last || (score == last && cell < before)) return PATCHES;
        spots[i] = spot_of(s, cell);
        float step = f32_of(s, VIEW_SCORE_STEP, spots[i].view);
        if (!is_code_of(column_of(s, CELL_SCORE)[cell], score, step)) return PATCHES;
        taken[cell] = 1;
        last = score;
        before = cell;
    }
    return FINE;
}

/* F25: every edge joins neighbours, they ascend, and there are as many as patches have neighbours behind them. */
static reason check_edges(const study *s, const spot *spots, const u8 *taken) {
    u64 before = 0, neighbours = 0;
    for (u64 i = 0; i < s->n[N_EDGES]; i++) {
        u64 a = number_of(s, EDGE, 2 * i), b = number_of(s, EDGE, 2 * i + 1);
        if (a >= b || (i && (a << 32 | b) <= before)) return EDGES;
        before = a << 32 | b;
        spot p = spots[a], q = spots[b];
        u32 apart = (p.row > q.row ? p.row - q.row : q.row - p.row) + (p.col > q.col ? p.col - q.col : q.col - p.col);
        if (p.view != q.view || apart != 1) return EDGES;
    }
    for (u64 i = 0; i < s->n[N_PATCHES]; i++) {
        u32 cell = number_of(s, PATCH_CELL, i), view = spots[i].view;
        u32 rows = number_of(s, VIEW_ROWS, view), cols = number_of(s, VIEW_COLS, view);
        neighbours += (spots[i].col + 1 < cols && taken[cell + 1]) + (spots[i].row + 1 < rows && taken[cell + cols]);
    }
    return neighbours == s->n[N_EDGES] ? FINE : EDGES;
}

/* Whether the rows of three columns ascend. */
static int ascend(const study *s, u32 rows, int first, int second, int third, int may_repeat) {
    const int columns[3] = {first, second, third};
    for (u32 i = 1; i < rows; i++) {
        int order = 0;
        for (int k = 0; k < 3 && !order; k++) {
            u32 before = number_of(s, columns[k], i - 1), here = number_of(s, columns[k], i);
            order = (here > before) - (here < before);
        }
        if (order < 0 || (!order && !may_repeat)) return 0;
    }
    return 1;
}

/* F26, of concepts, mentions and triples. */
static reason check_report(const study *s) {
    for (u32 i = 0; i < s->n[N_CONCEPTS]; i++)
        if (number_of(s, CONCEPT_START, i) > number_of(s, CONCEPT_END, i)) return CONCEPTS;
    if (!ascend(s, s->n[N_CONCEPTS], CONCEPT_START, CONCEPT_END, CONCEPT_END, 1)) return CONCEPTS;
    for (u32 i = 0; i < s->n[N_MENTIONS]; i++)
        if (number_of(s, MENTION_START, i) > number_of(s, MENTION_END, i)) return MENTIONS;
    if (!ascend(s, s->n[N_MENTIONS], MENTION_CONCEPT, MENTION_START, MENTION_END, 0)) return MENTIONS;
    for (u32 i = 0; i < s->n[N_TRIPLES]; i++)
        if (number_of(s, TRIPLE_HEAD, i) == number_of(s, TRIPLE_TAIL, i)) return TRIPLES;
    return ascend(s, s->n[N_TRIPLES], TRIPLE_HEAD, TRIPLE_RELATION, TRIPLE_TAIL, 0) ? FINE : TRIPLES;
}

text next_text(const study *s, text last) {
    u64 number = last.number + 1;
    u32 size = number < s->column[STRING_BYTES].values ? number_of(s, STRING_BYTES, number) : 0;
    return (text){last.bytes + last.size, size, number};
}

text text_of(const study *s, u64 number) {
    text t = {column_of(s, TEXT), number_of(s, STRING_BYTES, STUDY_ID), STUDY_ID};
    while (t.number < number) t = next_text(s, t);
    return t;
}

int compare_texts(text a, text b) {
    int order = memcmp(a.bytes, b.bytes, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* F27, as far as sizes and the order of labels go, and F28 of labels. */
static reason check_strings(const study *s) {
    u64 first_label = FIRST_CONCEPT + (u64)s->n[N_CONCEPTS], left = s->n[TEXT_BYTES];
    text t = text_of(s, STUDY_ID), last = t;
    if (t.size > MOST_ID_BYTES) return STRINGS;
    for (; t.number < s->column[STRING_BYTES].values; last = t, t = next_text(s, t)) {
        if (t.size > left || (!t.size && t.number != SOURCE_MAP)) return STRINGS;
        left -= t.size;
        if (t.number < first_label) continue;
        if (!isfinite(f32_of(s, LABEL_VALUE, t.number - first_label))) return LABELS;
        if (t.number > first_label && compare_texts(last, t) >= 0) return LABELS;
    }
    return left ? STRINGS : FINE;
}

reason check_graph(const study *s, memory *work) {
    spot *spots = reserve(work, s->n[N_PATCHES] * sizeof *spots + s->n[N_CELLS]);
    if (!spots) return NO_MEMORY;
    u8 *taken = (u8 *)(spots + s->n[N_PATCHES]);
    reason why = check_ranges(s);
    if (!why) why = check_views(s);
    if (!why) why = check_patches(s, spots, taken);
    if (!why) why = check_edges(s, spots, taken);
    if (!why) why = check_report(s);
    return why ? why : check_strings(s);
}
