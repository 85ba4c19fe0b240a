/* The steps of a batch; see batch.h. */
#include "batch.h"

#include <fcntl.h>
#include <stdlib.h>

enum {
    MOST_KEPT = 1 << 22, /* bytes of each kind of memory that wait for the next batch */
    LARGE_X = 1 << 18    /* values; what is smaller may still be in a cache when it is used */
};

const char *const REASON_NAMES[N_REASONS] = {
    [FINE] = "nothing", [UNREADABLE] = "it cannot be read", [HEADER] = "header", [COUNTS] = "counts",
    [OTHER_THAN_INDEXED] = "other counts than in the index", [STREAM_TABLE] = "stream table",
    [STREAM_SIZE] = "size of a stream", [ENVELOPE] = "resource envelope", [PADDING] = "padding",
    [CHECKSUM] = "checksum of a stream", [FRAME] = "zstd frame", [MATRIX] = "embedding", [VIEWS] = "views",
    [PATCHES] = "patches", [EDGES] = "edges", [CONCEPTS] = "concepts", [MENTIONS] = "mentions",
    [TRIPLES] = "triples", [FUSION] = "fusion edge", [STRINGS] = "strings", [LABELS] = "labels",
    [OTHER_WIDTH] = "width of the embedding", [UNSUPPORTED] = "unsupported", [NO_MEMORY] = "memory",
};

int reserve(memory *m, u64 bytes) {
    if (bytes <= m->room && m->bytes) return 1;
    free(m->bytes);
    m->room = bytes + bytes / 4 + 4096;
    m->bytes = malloc(m->room);
    if (!m->bytes) m->room = 0;
    return m->bytes != NULL;
}

/* An array of at least `n` items, what was in it lost; NULL when memory is full. */
static void *grown(void *items, u64 *room, u64 n, size_t size) {
    if (n <= *room && items) return items;
    free(items);
    *room = n + n / 4 + 64;
    items = malloc(*room * size);
    if (!items) *room = 0;
    return items;
}

int batch_begin(batch *b, u64 n, int with_x) {
    b->n = b->n_frames = b->refused = 0;
    b->with_x = with_x;
    if (n > UINT32_MAX) return 0;
    b->studies = grown(b->studies, &b->room, n, sizeof *b->studies);
    b->frames = grown(b->frames, &b->frame_room, n * (1 + MOST_PLANES), sizeof *b->frames);
    if (!b->studies || !b->frames) return 0;
    memset(b->studies, 0, n * sizeof *b->studies);
    b->n = n;
    return 1;
}

/* Says which study the reason is about. */
static reason about(batch *b, u64 number, reason why) {
    b->refused = number;
    return why;
}

static reason read_heads(batch *b) {
    u64 room = 0;
    for (u64 i = 0; i < b->n; i++) room += b->studies[i].place.bytes ? 0 : head_bytes(&b->studies[i]);
    if (!reserve(&b->heads, room)) return NO_MEMORY;
#if defined(POSIX_FADV_WILLNEED)
    /* The system is told of all records first, so that what is not in memory is under way at the same time. */
    for (u64 i = 0; i < b->n; i++) {
        const place *p = &b->studies[i].place;
        off_t bytes = (off_t)(b->with_x ? p->length : head_bytes(&b->studies[i]));
        if (!p->bytes) posix_fadvise(p->descriptor, (off_t)p->offset, bytes, POSIX_FADV_WILLNEED);
    }
#endif
    u8 *free_from = b->heads.bytes;
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        s->head_bytes = head_bytes(s);
        s->head = record_bytes(s, 0, s->head_bytes, free_from);
        reason why = s->head ? check_head(s, b->with_x) : UNREADABLE;
        if (why) return about(b, i, why);
        if (!s->place.bytes) free_from += s->head_bytes;
    }
    return FINE;
}

static u64 padded(const stream *stream) { return stream->stored_bytes + padding(stream->stored_bytes); }
static int at_hand(const study *s, const stream *stream) { return stream->at + padded(stream) <= s->head_bytes; }

/* The streams of a study that have to be in memory before the batch is filled: its graph, and planes to decompress. */
static u32 early_streams(batch *b, study *s, stream *early[1 + MOST_PLANES]) {
    u32 n = 0;
    early[n++] = &s->graph;
    for (u32 i = 0; b->with_x && s->form && i < s->form->n_planes; i++)
        if (s->plane[i].encoding == ZSTD) early[n++] = &s->plane[i];
    return n;
}

static reason read_stream(study *s, stream *stream, u8 **free_from) {
    if (at_hand(s, stream)) {
        stream->stored = s->head + stream->at;
    } else {
        stream->stored = record_bytes(s, stream->at, padded(stream), *free_from);
        if (!stream->stored) return UNREADABLE;
        *free_from += padded(stream);
    }
    if (stream->encoding == STORE) stream->decoded = stream->stored;
    return check_stored(stream, stream->stored);
}

reason batch_read(batch *b) {
    reason why = read_heads(b);
    if (why) return why;
    stream *early[1 + MOST_PLANES];
    u64 room = 0;
    for (u64 i = 0; i < b->n; i++)
        for (u32 n = early_streams(b, &b->studies[i], early), k = 0; k < n; k++)
            room += at_hand(&b->studies[i], early[k]) ? 0 : padded(early[k]);
    if (!reserve(&b->tails, room)) return NO_MEMORY;
    u8 *free_from = b->tails.bytes;
    for (u64 i = 0; i < b->n; i++)
        for (u32 n = early_streams(b, &b->studies[i], early), k = 0; k < n; k++) {
            why = read_stream(&b->studies[i], early[k], &free_from);
            if (why) return about(b, i, why);
            if (early[k]->encoding == ZSTD) b->frames[b->n_frames++] = (frame){i, early[k]};
        }
    return FINE;
}

reason batch_graphs(batch *b) {
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        reason why = check_graph(s, &b->work);
        if (why) return about(b, i, why);
        s->kept = s->n[N_PATCHES];
        s->kept_edges = s->n[N_EDGES];
        s->fusion[0] = s->fusion[1] = -1;
        if (s->n[N_FUSION]) {
            s->fusion[0] = index_of(s, FUSION_PATCH, N_PATCHES, 0);
            s->fusion[1] = index_of(s, FUSION_CONCEPT, N_CONCEPTS, 0);
        }
    }
    return FINE;
}

int next_concept(const study *s, concept *c) {
    enum { STUDY_ID, SOURCE_MAP, FIRST_CONCEPT }; /* order of the strings */
    if (c->number == s->n[N_CONCEPTS]) return 0;
    if (c->number) c->text += c->text_bytes;
    else
        c->text = column_of(s, TEXT) + index_of(s, STRING_BYTES, TEXT_BYTES, STUDY_ID)
                + index_of(s, STRING_BYTES, TEXT_BYTES, SOURCE_MAP);
    c->text_bytes = index_of(s, STRING_BYTES, TEXT_BYTES, FIRST_CONCEPT + (u64)c->number);
    c->label = column_of(s, CONCEPT_LABEL)[c->number++];
    return 1;
}

i64 batch_features(batch *b, const feature_table *table) {
    u64 n = 0, missing = 0;
    for (u64 i = 0; i < b->n; i++) n += b->studies[i].n[N_CONCEPTS];
    b->features = grown(b->features, &b->feature_room, n, sizeof *b->features);
    if (!b->features) return -1;
    const feature **found = b->features;
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        s->features = found;
        for (concept c = {0}; next_concept(s, &c);)
            missing += !(*found++ = features_find(table, c.label, c.text, c.text_bytes));
    }
    return (i64)missing;
}

/* Fewer patches, and fusion edges chosen anew; studies that keep all are not changed. */
reason batch_keep(batch *b, const u32 *kept, const i64 *fusion) {
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        if (kept[i] > s->n[N_PATCHES]) return about(b, i, PATCHES);
        if (kept[i] == s->n[N_PATCHES]) continue;
        i64 patch = fusion[2 * i], concept = fusion[2 * i + 1];
        int whole = patch >= 0 && concept >= 0 && patch < kept[i] && concept < s->n[N_CONCEPTS];
        if (!whole && (patch != -1 || concept != -1)) return about(b, i, FUSION);
        s->kept = kept[i];
        s->fusion[0] = patch;
        s->fusion[1] = concept;
        s->kept_edges = 0;
        for (u32 k = 0; k < s->n[N_EDGES]; k++)
            s->kept_edges += index_of(s, EDGE, N_PATCHES, 2 * (u64)k + 1) < s->kept;
    }
    return FINE;
}

enum { NODES, PAIRS, FUSIONS, N_STARTS };

/* Rows of a study in the arrays. */
static void rows_of(const study *s, i64 rows[N_STARTS]) {
    rows[FUSIONS] = s->fusion[0] >= 0;
    rows[NODES] = (i64)s->kept + s->n[N_CONCEPTS];
    rows[PAIRS] = 2 * ((i64)s->kept_edges + s->n[N_TRIPLES] + rows[FUSIONS]);
}

void batch_starts(const batch *b, i64 *start) {
    i64 rows[N_STARTS];
    for (int k = 0; k < N_STARTS; k++) start[k * (b->n + 1)] = 0;
    for (u64 i = 0; i < b->n; i++) {
        rows_of(&b->studies[i], rows);
        for (int k = 0; k < N_STARTS; k++) start[k * (b->n + 1) + i + 1] = start[k * (b->n + 1) + i] + rows[k];
    }
}

/* Whether the starts are those of the studies, so that every row is inside its array, and all widths are the same. */
static reason check_starts(batch *b, const arrays *out) {
    const i64 *start[N_STARTS] = {out->node_start, out->pair_start, out->fusion_start};
    i64 rows[N_STARTS];
    for (u64 i = 0; i < b->n; i++) {
        const study *s = &b->studies[i];
        rows_of(s, rows);
        for (int k = 0; k < N_STARTS; k++)
            if (start[k][0] || start[k][i + 1] - start[k][i] != rows[k]) return about(b, i, OTHER_THAN_INDEXED);
        if (out->x && s->n[N_PATCHES] && s->n[EMBEDDING_DIM] != out->width) return about(b, i, OTHER_WIDTH);
    }
    return FINE;
}

/* The planes that are stored, read with one request from the first to the end of the last. */
static reason read_planes(const study *s, const u8 *plane[MOST_PLANES], memory *room) {
    u64 begin = UINT64_MAX, end = 0;
    for (u32 i = 0; i < s->form->n_planes; i++) {
        plane[i] = s->plane[i].decoded;
        if (plane[i]) continue;
        if (s->plane[i].at < begin) begin = s->plane[i].at;
        end = s->plane[i].at + padded(&s->plane[i]);
    }
    if (!end) return FINE;
    if (!s->place.bytes && !reserve(room, end - begin)) return NO_MEMORY;
    const u8 *bytes = record_bytes(s, begin, end - begin, room->bytes);
    if (!bytes) return UNREADABLE;
    for (u32 i = 0; i < s->form->n_planes; i++) {
        if (plane[i]) continue;
        plane[i] = bytes + (s->plane[i].at - begin);
        reason why = check_stored(&s->plane[i], plane[i]);
        if (why) return why;
    }
    return FINE;
}

static reason fill_embedding(const study *s, float *x, int past_caches, memory *room) {
    const u8 *plane[MOST_PLANES];
    if (!s->form) return FINE;
    reason why = read_planes(s, plane, room);
    if (why) return why;
    return widen(s->form, plane, s->kept, s->n[EMBEDDING_DIM], x, past_caches) ? FINE : MATRIX;
}

reason batch_fill(batch *b, arrays *out, const targets *labels) {
    reason why = check_starts(b, out);
    out->past_caches = (u64)out->n_nodes * out->width > LARGE_X;
    for (u64 i = 0; i < b->n && !why; i++) {
        const study *s = &b->studies[i];
        why = about(b, i, fill_graph(s, i, out, labels, &b->work));
        if (why || !out->x) continue;
        why = fill_embedding(s, out->x + (u64)out->node_start[i] * out->width, out->past_caches, &b->planes);
    }
    flush_past_caches();
    return why;
}

static void trim(memory *m) {
    if (m->room <= MOST_KEPT) return;
    free(m->bytes);
    *m = (memory){0};
}

void batch_end(batch *b) {
    b->n = b->n_frames = 0;
    trim(&b->heads);
    trim(&b->tails);
    trim(&b->planes);
    trim(&b->work);
}

void batch_free(batch *b) {
    free(b->studies);
    free(b->frames);
    free(b->features);
    free(b->heads.bytes);
    free(b->tails.bytes);
    free(b->planes.bytes);
    free(b->work.bytes);
    memset(b, 0, sizeof *b);
}
