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

/* An edge in one direction, as a number that sorts as edges do: by source, target, kind. */
static u64 pair(u64 source, u64 target, u32 kind) { return source << 32 | (target * KINDS + kind); }

/* Every edge in both directions, in no order. */
static u64 list_pairs(const study *s, u64 *pairs) {
    u64 kept = s->n[KEPT_PATCHES], n = 0;
    for (u64 i = 0; i < s->n[N_EDGES]; i++) {
        u32 a = number_of(s, EDGE, 2 * i), b = number_of(s, EDGE, 2 * i + 1);
        if (b >= kept) continue;
        pairs[n++] = pair(a, b, ADJACENT);
        pairs[n++] = pair(b, a, ADJACENT);
    }
    for (u64 i = 0; i < s->n[N_TRIPLES]; i++) {
        u32 kind = FIRST_RELATION + 2 * number_of(s, TRIPLE_RELATION, i);
        u64 head = kept + number_of(s, TRIPLE_HEAD, i), tail = kept + number_of(s, TRIPLE_TAIL, i);
        pairs[n++] = pair(head, tail, kind);
        pairs[n++] = pair(tail, head, kind + 1);
    }
    if (!s->n[FUSED]) return n;
    pairs[n++] = pair(s->fusion[0], kept + s->fusion[1], FUSES);
    pairs[n++] = pair(kept + s->fusion[1], s->fusion[0], FUSES);
    return n;
}

/* A stable counting sort by the 32 bits from `shift` on, which are below `keys`. */
static void sort(const u64 *from, u64 *to, u64 n, int shift, u32 *start, u64 keys) {
    memset(start, 0, 4 * keys);
    for (u64 i = 0; i < n; i++) start[(u32)(from[i] >> shift)]++;
    for (u64 key = 0, sum = 0; key < keys; key++) {
        u32 more = start[key];
        start[key] = (u32)sum;
        sum += more;
    }
    for (u64 i = 0; i < n; i++) to[start[(u32)(from[i] >> shift)]++] = from[i];
}

static reason fill_pairs(const study *s, const arrays *out, memory *work) {
    u64 n = 2 * ((u64)s->n[N_EDGES] + s->n[N_TRIPLES] + 1), nodes = (u64)s->n[KEPT_PATCHES] + s->n[N_CONCEPTS];
    u64 *pairs = reserve(work, 2 * n * sizeof *pairs + 4 * KINDS * nodes);
    if (!pairs) return NO_MEMORY;
    u64 *sorted = pairs + n;
    u32 *start = (u32 *)(sorted + n);
    n = list_pairs(s, pairs);
    sort(pairs, sorted, n, 0, start, KINDS * nodes);
    sort(sorted, pairs, n, 32, start, nodes);
    i64 *index = out->array[EDGE_INDEX], *type = out->array[EDGE_TYPE];
    for (u64 i = 0, at = out->first[PAIRS]; i < n; i++, at++) {
        if (index) index[at] = (i64)(out->first[NODES] + (pairs[i] >> 32));
        if (index) index[at + out->rows[PAIRS]] = (i64)(out->first[NODES] + (u32)pairs[i] / KINDS);
        if (type) type[at] = pairs[i] % KINDS;
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
    text label = text_of(s, first), here = {wanted->text, 0, 0};
    for (u64 k = 0; k < wanted->n && label.number < first + s->n[N_LABELS];) {
        here.size = wanted->names[k].bytes;
        u32 column = wanted->names[k].column;
        int order = compare_texts(label, here);
        if (order == 0) {
            float value = f32_of(s, LABEL_VALUE, label.number - first);
            int doubtful = value == -1;
            mask[column] = !(doubtful && wanted->uncertain == MASK);
            y[column] = !doubtful || wanted->uncertain == KEEP ? value : wanted->uncertain == ONES ? 1 : 0;
        }
        if (order >= 0) here.bytes += wanted->names[k++].bytes;
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
        if (!s->vectors[i].bytes) return VECTORS;
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
