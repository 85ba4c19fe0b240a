/* The arrays of one study, in their places in those of the batch: what `neuralgraph.adapters.pyg.to_data` makes of it.
 * Nodes are patches, then concepts; the numbers of edge types are those of `neuralgraph.batches.joined.EDGE_TYPES`. */
#include <math.h>

#include "batch.h"

enum { PATCH, CONCEPT };                             /* node types */
enum { ADJACENT, FUSED, FIRST_RELATION, KINDS = 8 }; /* edge types; a relation backwards is one more than forwards */
enum { MASK, ZEROS, ONES, KEEP };                    /* what an uncertain label becomes */

/* Centre of the visible part of a patch, as a share of the film's height or width. */
static float centre(u32 place, float size, u32 film) {
    double end = fmin(((double)place + 1) * size, film);
    return (float)(((double)place * size + end) / (2 * (double)film));
}

static void fill_patches(const study *s, i64 first, const arrays *out) {
    for (u32 i = 0; i < s->kept; i++) {
        spot at = spot_of(s, index_of(s, PATCH_CELL, N_CELLS, i));
        if (out->node_view) out->node_view[first + i] = at.view;
        if (!out->pos) continue;
        float *pos = out->pos + 2 * (first + i);
        pos[0] = centre(at.row, f32_of(s, VIEW_PATCH_HEIGHT, at.view), u32_of(s, VIEW_HEIGHT, at.view));
        pos[1] = centre(at.col, f32_of(s, VIEW_PATCH_WIDTH, at.view), u32_of(s, VIEW_WIDTH, at.view));
    }
    if (out->attention) memcpy(out->attention + first, column_of(s, PATCH_SCORE), 4 * (u64)s->kept);
}

/* What every node has, and what concepts have instead of a place. */
static void fill_nodes(const study *s, u64 number, i64 first, const arrays *out) {
    i64 patches_end = first + s->kept, end = patches_end + s->n[N_CONCEPTS];
    for (i64 node = first; node < end; node++) {
        out->graph[node] = (i64)number;
        if (out->node_type) out->node_type[node] = node < patches_end ? PATCH : CONCEPT;
    }
    for (i64 node = patches_end; node < end; node++) {
        if (out->node_view) out->node_view[node] = -1;
        if (out->pos) out->pos[2 * node] = out->pos[2 * node + 1] = -1;
        if (out->attention) out->attention[node] = 0;
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
    u32 kept = s->kept;
    u64 n = 0;
    for (u32 i = 0; i < s->n[N_EDGES]; i++) {
        u32 a = index_of(s, EDGE, N_PATCHES, 2 * (u64)i), b = index_of(s, EDGE, N_PATCHES, 2 * (u64)i + 1);
        if (b < kept) n = both(pairs, n, a, b, ADJACENT, ADJACENT);
    }
    for (u32 i = 0; i < s->n[N_TRIPLES]; i++) {
        u32 head = index_of(s, TRIPLE_HEAD, N_CONCEPTS, i);
        u32 tail = index_of(s, TRIPLE_TAIL, N_CONCEPTS, i);
        u32 kind = FIRST_RELATION + 2 * column_of(s, TRIPLE_RELATION)[i];
        n = both(pairs, n, kept + head, kept + tail, kind, kind + 1);
    }
    if (s->fusion[0] >= 0) n = both(pairs, n, (u32)s->fusion[0], kept + (u32)s->fusion[1], FUSED, FUSED);
    return n;
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
static reason fill_pairs(const study *s, u64 number, i64 first, const arrays *out, memory *work) {
    u64 n = 2 * ((u64)s->n[N_EDGES] + s->n[N_TRIPLES] + 1), nodes = (u64)s->kept + s->n[N_CONCEPTS];
    if (!reserve(work, 2 * n * sizeof(pair) + 4 * (KINDS + 1) * nodes)) return NO_MEMORY;
    pair *pairs = (pair *)work->bytes, *sorted = pairs + n;
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
    i64 begin = out->pair_start[number];
    for (u64 i = 0; i < n; i++) {
        i64 at = begin + by_source[sorted[i].source]++;
        if (out->edge_index) {
            out->edge_index[at] = first + sorted[i].source;
            out->edge_index[at + out->n_pairs] = first + sorted[i].target;
        }
        if (out->edge_type) out->edge_type[at] = sorted[i].kind;
    }
    return FINE;
}

static void fill_fusion(const study *s, u64 number, i64 first, const arrays *out) {
    if (s->fusion[0] < 0) return;
    i64 *at = out->fusion_edge_index + out->fusion_start[number];
    at[0] = first + s->fusion[0];
    at[out->n_fusion] = first + s->kept + s->fusion[1];
}

static void set_target(float value, u32 uncertain, float *y, u8 *mask) {
    int doubtful = value == -1;
    *mask = !(doubtful && uncertain == MASK);
    *y = !doubtful || uncertain == KEEP ? value : uncertain == ONES ? 1 : 0;
}

static int compare(const u8 *a, u64 a_size, const u8 *b, u64 b_size) {
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : a_size < b_size ? -1 : a_size > b_size;
}

/* The names of a study ascend and so do those wanted: one walk along both. */
static void fill_targets(const study *s, u64 number, const arrays *out, const targets *wanted) {
    u32 before = 2 + s->n[N_CONCEPTS];
    float *y = out->y + number * wanted->n;
    u8 *mask = out->y_mask + number * wanted->n;
    memset(y, 0, 4 * wanted->n);
    memset(mask, 0, wanted->n);
    const u8 *name = column_of(s, TEXT);
    for (u32 i = 0; i < before; i++) name += index_of(s, STRING_BYTES, TEXT_BYTES, i);
    for (u64 i = 0, k = 0; i < s->n[N_LABELS] && k < wanted->n;) {
        u64 size = index_of(s, STRING_BYTES, TEXT_BYTES, before + i), begin = k ? wanted->end[k - 1] : 0;
        int order = compare(name, size, wanted->text + begin, wanted->end[k] - begin);
        if (order == 0) {
            float value = f32_of(s, LABEL_VALUE, i);
            set_target(value, wanted->uncertain, y + wanted->column[k], mask + wanted->column[k]);
        }
        if (order >= 0) k++;
        if (order <= 0) name += size, i++;
    }
}

/* Rows of zeros but for the places of their features. */
static reason fill_concepts(const study *s, i64 first, const arrays *out, memory *work) {
    if (!reserve(work, 4 * out->width)) return NO_MEMORY;
    float *row = (float *)work->bytes, *to = out->x + (u64)(first + s->kept) * out->width;
    memset(row, 0, 4 * out->width);
    for (u32 i = 0; i < s->n[N_CONCEPTS]; i++, to += out->width) {
        const feature *f = s->features[i];
        for (u32 k = 0; k < f->n; k++) row[f->place[k]] = f->value[k];
        copy_values(to, row, out->width, out->past_caches);
        for (u32 k = 0; k < f->n; k++) row[f->place[k]] = 0;
    }
    return FINE;
}

reason fill_graph(const study *s, u64 number, const arrays *out, const targets *labels, memory *work) {
    i64 first = out->node_start[number];
    fill_nodes(s, number, first, out);
    fill_patches(s, first, out);
    if (out->fusion_edge_index) fill_fusion(s, number, first, out);
    if (out->y) fill_targets(s, number, out, labels);
    reason why = out->edge_index || out->edge_type ? fill_pairs(s, number, first, out, work) : FINE;
    return why || !out->x ? why : fill_concepts(s, first, out, work);
}
