/* The arrays of one study, in their places in those of the batch: what `neuralgraph.adapters.pyg.to_data` makes of it.
 * Nodes are patches, then concepts; the numbers of edge types are those of `neuralgraph.batches.joined.EDGE_TYPES`. */
#include <math.h>

#include "batch.h"

enum { PATCH, CONCEPT };                             /* node types */
enum { ADJACENT, FUSES, FIRST_RELATION, KINDS = 8 }; /* edge types; a relation backwards is one more than forwards */
enum { MASK, ZEROS, ONES, KEEP };                    /* what an uncertain label becomes */

/* Centre of the visible part of a patch, as a share of the film's height or width. */
static float centre(u32 place, float size, u32 film) {
    double end = fmin(((double)place + 1) * size, film);
    return (float)(((double)place * size + end) / (2 * (double)film));
}

static void fill_nodes(const study *s, const arrays *out) {
    float *pos = out->array[POS], *attention = out->array[ATTENTION];
    i64 *graph = out->array[GRAPH], *type = out->array[NODE_TYPE], *view = out->array[NODE_VIEW];
    u64 first = out->first[NODES], n_patches = s->n[KEPT_PATCHES], n = n_patches + s->n[N_CONCEPTS];
    for (u64 i = 0; i < n; i++) {
        int patch = i < n_patches;
        spot at = patch ? spot_of(s, number_of(s, PATCH_CELL, i)) : (spot){0, 0, 0};
        if (graph) graph[first + i] = (i64)out->first[STUDIES];
        if (type) type[first + i] = patch ? PATCH : CONCEPT;
        if (view) view[first + i] = patch ? (i64)at.view : -1;
        if (attention) attention[first + i] = patch ? f32_of(s, PATCH_SCORE, i) : 0;
        if (!pos) continue;
        float *here = pos + 2 * (first + i);
        here[0] = here[1] = -1;
        if (!patch) continue;
        here[0] = centre(at.row, f32_of(s, VIEW_PATCH_HEIGHT, at.view), number_of(s, VIEW_HEIGHT, at.view));
        here[1] = centre(at.col, f32_of(s, VIEW_PATCH_WIDTH, at.view), number_of(s, VIEW_WIDTH, at.view));
    }
}

typedef struct { u32 source, target, kind; } pair;

static u64 both(pair *pairs, u64 n, u32 a, u32 b, u32 forth, u32 back) {
    pairs[n] = (pair){a, b, forth};
    pairs[n + 1] = (pair){b, a, back};
    return n + 2;
}

/* Every edge in both directions, in no order. */
static u64 list_pairs(const study *s, pair *pairs) {
    u32 kept = s->n[KEPT_PATCHES];
    u64 n = 0;
    for (u64 i = 0; i < s->n[N_EDGES]; i++) {
        u32 a = number_of(s, EDGE, 2 * i), b = number_of(s, EDGE, 2 * i + 1);
        if (b < kept) n = both(pairs, n, a, b, ADJACENT, ADJACENT);
    }
    for (u64 i = 0; i < s->n[N_TRIPLES]; i++) {
        u32 kind = FIRST_RELATION + 2 * number_of(s, TRIPLE_RELATION, i);
        u32 head = kept + number_of(s, TRIPLE_HEAD, i), tail = kept + number_of(s, TRIPLE_TAIL, i);
        n = both(pairs, n, head, tail, kind, kind + 1);
    }
    return s->n[FUSED] ? both(pairs, n, s->fusion[0], kept + s->fusion[1], FUSES, FUSES) : n;
}

/* Turns counts into the place where each key begins. */
static void accumulate(u32 *count, u64 keys) {
    for (u64 key = 0, sum = 0; key < keys; key++) {
        u32 more = count[key];
        count[key] = (u32)sum;
        sum += more;
    }
}

/* Pairs sorted by source, target, kind: two stable counting sorts, the more significant key last. */
static reason fill_pairs(const study *s, const arrays *out, memory *work) {
    u64 n = 2 * ((u64)s->n[N_EDGES] + s->n[N_TRIPLES] + 1), nodes = (u64)s->n[KEPT_PATCHES] + s->n[N_CONCEPTS];
    pair *pairs = reserve(work, 2 * n * sizeof *pairs + 4 * (KINDS + 1) * nodes);
    if (!pairs) return NO_MEMORY;
    pair *sorted = pairs + n;
    u32 *by_target = (u32 *)(sorted + n), *by_source = by_target + KINDS * nodes;
    n = list_pairs(s, pairs);
    memset(by_target, 0, 4 * (KINDS + 1) * nodes);
    for (u64 i = 0; i < n; i++) {
        by_target[(u64)pairs[i].target * KINDS + pairs[i].kind]++;
        by_source[pairs[i].source]++;
    }
    accumulate(by_target, KINDS * nodes);
    accumulate(by_source, nodes);
    for (u64 i = 0; i < n; i++) sorted[by_target[(u64)pairs[i].target * KINDS + pairs[i].kind]++] = pairs[i];
    i64 *index = out->array[EDGE_INDEX], *type = out->array[EDGE_TYPE];
    for (u64 i = 0; i < n; i++) {
        u64 at = out->first[PAIRS] + by_source[sorted[i].source]++;
        if (index) index[at] = (i64)(out->first[NODES] + sorted[i].source);
        if (index) index[at + out->rows[PAIRS]] = (i64)(out->first[NODES] + sorted[i].target);
        if (type) type[at] = sorted[i].kind;
    }
    return FINE;
}

static void fill_fusion(const study *s, const arrays *out) {
    i64 *at = (i64 *)out->array[FUSION_EDGE_INDEX] + out->first[FUSIONS];
    if (!s->n[FUSED]) return;
    at[0] = (i64)(out->first[NODES] + s->fusion[0]);
    at[out->rows[FUSIONS]] = (i64)(out->first[NODES] + s->n[KEPT_PATCHES] + s->fusion[1]);
}

/* The names of a study ascend and so do those wanted: one walk along both. */
static void fill_targets(const study *s, const arrays *out, const targets *wanted) {
    float *y = (float *)out->array[Y] + out->first[STUDIES] * wanted->n;
    u8 *mask = (u8 *)out->array[Y_MASK] + out->first[STUDIES] * wanted->n;
    u64 first = FIRST_CONCEPT + (u64)s->n[N_CONCEPTS];
    memset(y, 0, 4 * wanted->n);
    memset(mask, 0, wanted->n);
    text label = text_of(s, first), name = {wanted->text, 0, 0};
    for (u64 k = 0; k < wanted->n && label.number < first + s->n[N_LABELS];) {
        name.size = wanted->names[k].bytes;
        u32 column = wanted->names[k].column;
        int order = compare_texts(label, name);
        if (order == 0) {
            float value = f32_of(s, LABEL_VALUE, label.number - first);
            int doubtful = value == -1;
            mask[column] = !(doubtful && wanted->uncertain == MASK);
            y[column] = !doubtful || wanted->uncertain == KEEP ? value : wanted->uncertain == ONES ? 1 : 0;
        }
        if (order >= 0) name.bytes += wanted->names[k++].bytes;
        if (order <= 0) label = next_text(s, label);
    }
}

/* Rows of zeros but for the places of their features. */
static reason fill_concepts(const study *s, const arrays *out, memory *work) {
    float *row = reserve(work, 4 * out->width);
    if (!row) return NO_MEMORY;
    float *to = (float *)out->array[X] + (out->first[NODES] + s->n[KEPT_PATCHES]) * out->width;
    memset(row, 0, 4 * out->width);
    for (u32 i = 0; i < s->n[N_CONCEPTS]; i++, to += out->width) {
        if (!s->vectors || !s->vectors[i].bytes) return VECTORS;
        const u8 *values = s->vectors[i].bytes, *places = values + 4 * (u64)s->vectors[i].n;
        for (u32 k = 0; k < s->vectors[i].n; k++) {
            if (u16_at(places + 2 * k) >= out->width) return VECTORS;
            row[u16_at(places + 2 * k)] = f32_at(values + 4 * k);
        }
        copy_values(to, row, out->width, out->past_caches);
        for (u32 k = 0; k < s->vectors[i].n; k++) row[u16_at(places + 2 * k)] = 0;
    }
    return FINE;
}

reason fill_graph(const study *s, const arrays *out, const targets *labels, memory *work) {
    fill_nodes(s, out);
    if (out->array[FUSION_EDGE_INDEX]) fill_fusion(s, out);
    if (out->array[Y]) fill_targets(s, out, labels);
    reason why = out->array[EDGE_INDEX] || out->array[EDGE_TYPE] ? fill_pairs(s, out, work) : FINE;
    return why || !out->array[X] ? why : fill_concepts(s, out, work);
}
