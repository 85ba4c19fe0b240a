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
    [STREAM_TABLE] = "stream table", [STREAM_SIZE] = "size of a stream", [ENVELOPE] = "resource envelope",
    [PADDING] = "padding", [CHECKSUM] = "checksum of a stream", [FRAME] = "zstd frame", [MATRIX] = "embedding",
    [RANGE] = "a number outside its range", [VIEWS] = "views", [PATCHES] = "patches", [EDGES] = "edges",
    [CONCEPTS] = "concepts", [MENTIONS] = "mentions", [TRIPLES] = "triples", [FUSION] = "fusion edge",
    [STRINGS] = "strings", [LABELS] = "labels", [VECTORS] = "feature vectors", [UNSUPPORTED] = "unsupported",
    [OTHER_WIDTH] = "another width", [NO_MEMORY] = "memory",
};

void *reserve(memory *m, u64 bytes) {
    if (bytes <= m->size && m->bytes) return m->bytes;
    free(m->bytes);
    m->size = bytes + bytes / 4 + 4096;
    m->bytes = malloc(m->size);
    if (!m->bytes) m->size = 0;
    return m->bytes;
}

int batch_begin(batch *b, u64 n, int with_x) {
    b->n = b->n_frames = b->refused = 0;
    b->with_x = with_x;
    if (n > UINT32_MAX) return 0;
    b->studies = reserve(&b->room[OF_STUDIES], n * sizeof *b->studies);
    b->frames = reserve(&b->room[OF_FRAMES], n * (1 + MOST_PLANES) * sizeof *b->frames);
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
    u8 *free_from = reserve(&b->room[HEADS], b->n * READ_FIRST);
    if (!free_from) return NO_MEMORY;
#if defined(POSIX_FADV_WILLNEED)
    /* The system is told of all records first, so that what is not in memory is under way at the same time. */
    for (u64 i = 0; i < b->n; i++) {
        const place *p = &b->studies[i].place;
        off_t bytes = (off_t)(b->with_x ? p->length : head_bytes(&b->studies[i]));
        if (!p->bytes) posix_fadvise(p->descriptor, (off_t)p->offset, bytes, POSIX_FADV_WILLNEED);
    }
#endif
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
static u32 early_streams(const batch *b, study *s, stream *early[1 + MOST_PLANES]) {
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
    u64 size = 0;
    for (u64 i = 0; i < b->n; i++)
        for (u32 n = early_streams(b, &b->studies[i], early), k = 0; k < n; k++)
            size += at_hand(&b->studies[i], early[k]) ? 0 : padded(early[k]);
    u8 *free_from = reserve(&b->room[TAILS], size);
    if (!free_from) return NO_MEMORY;
    for (u64 i = 0; i < b->n; i++)
        for (u32 n = early_streams(b, &b->studies[i], early), k = 0; k < n; k++) {
            why = read_stream(&b->studies[i], early[k], &free_from);
            if (why) return about(b, i, why);
            if (early[k]->encoding == ZSTD) b->frames[b->n_frames++] = (frame){i, early[k]};
        }
    return FINE;
}

reason batch_graphs(batch *b) {
    u64 n = 0;
    for (u64 i = 0; i < b->n; i++) n += b->studies[i].n[N_CONCEPTS];
    vector *vectors = reserve(&b->room[OF_VECTORS], n * sizeof *vectors);
    if (!vectors) return NO_MEMORY;
    memset(vectors, 0, n * sizeof *vectors);
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        reason why = check_graph(s, &b->room[WORK]);
        if (why) return about(b, i, why);
        s->vectors = vectors;
        vectors += s->n[N_CONCEPTS];
        s->n[KEPT_PATCHES] = s->n[N_PATCHES];
        s->n[KEPT_EDGES] = s->n[N_EDGES];
        s->n[FUSED] = s->n[N_FUSION];
        if (!s->n[FUSED]) continue;
        s->fusion[0] = number_of(s, FUSION_PATCH, 0);
        s->fusion[1] = number_of(s, FUSION_CONCEPT, 0);
    }
    return FINE;
}

/* Fewer patches, and fusion edges chosen anew; studies that keep all are not changed. */
reason batch_keep(batch *b, const u32 *kept, const i64 *fusion) {
    for (u64 i = 0; i < b->n; i++, fusion += 2) {
        study *s = &b->studies[i];
        if (kept[i] > s->n[N_PATCHES]) return about(b, i, PATCHES);
        if (kept[i] == s->n[N_PATCHES]) continue;
        int fused = fusion[0] >= 0 && fusion[1] >= 0 && fusion[0] < kept[i] && fusion[1] < s->n[N_CONCEPTS];
        if (!fused && (fusion[0] != -1 || fusion[1] != -1)) return about(b, i, FUSION);
        s->n[KEPT_PATCHES] = kept[i];
        s->n[FUSED] = (u32)fused;
        s->fusion[0] = (u32)fusion[0];
        s->fusion[1] = (u32)fusion[1];
        s->n[KEPT_EDGES] = 0;
        for (u64 k = 0; k < s->n[N_EDGES]; k++) s->n[KEPT_EDGES] += number_of(s, EDGE, 2 * k + 1) < kept[i];
    }
    return FINE;
}

static void add_rows(const study *s, u64 rows[N_ROWS]) {
    rows[NODES] += (u64)s->n[KEPT_PATCHES] + s->n[N_CONCEPTS];
    rows[PAIRS] += 2 * ((u64)s->n[KEPT_EDGES] + s->n[N_TRIPLES] + s->n[FUSED]);
    rows[FUSIONS] += s->n[FUSED];
    rows[STUDIES]++;
}

void batch_rows(const batch *b, u64 rows[N_ROWS], i64 *starts) {
    memset(rows, 0, N_ROWS * sizeof *rows);
    for (u64 i = 0;; i++) {
        for (u64 k = 0; k < STUDIES && starts; k++) starts[k * (b->n + 1) + i] = (i64)rows[k];
        if (i == b->n) return;
        add_rows(&b->studies[i], rows);
    }
}

/* The planes that are stored are read with one request, from the first to the end of the last. */
static reason read_planes(const study *s, const u8 *plane[MOST_PLANES], memory *room) {
    const stream *first = NULL, *last = NULL;
    for (u32 i = 0; i < s->form->n_planes; i++) {
        if (s->plane[i].decoded) continue;
        last = &s->plane[i];
        if (!first) first = last;
    }
    u64 size = first ? last->at + padded(last) - first->at : 0;
    u8 *to = reserve(room, s->place.bytes ? 0 : size);
    const u8 *bytes = to && first ? record_bytes(s, first->at, size, to) : to;
    if (!bytes) return to ? UNREADABLE : NO_MEMORY;
    reason why = FINE;
    for (u32 i = 0; i < s->form->n_planes && !why; i++) {
        plane[i] = s->plane[i].decoded;
        if (plane[i]) continue;
        plane[i] = bytes + (s->plane[i].at - first->at);
        why = check_stored(&s->plane[i], plane[i]);
    }
    return why;
}

static reason fill_embedding(const study *s, const arrays *out, memory *room) {
    const u8 *plane[MOST_PLANES];
    if (!s->form) return FINE;
    if (s->n[EMBEDDING_DIM] != out->width) return OTHER_WIDTH;
    reason why = read_planes(s, plane, room);
    if (why) return why;
    float *x = (float *)out->array[X] + out->first[NODES] * out->width;
    return widen(s->form->offset, plane, s->n[KEPT_PATCHES], out->width, x, out->past_caches) ? FINE : MATRIX;
}

reason batch_fill(batch *b, arrays *out, const targets *labels) {
    reason why = FINE;
    memset(out->first, 0, sizeof out->first);
    out->past_caches = out->rows[NODES] * out->width > LARGE_X;
    for (u64 i = 0; i < b->n && !why; i++) {
        const study *s = &b->studies[i];
        why = fill_graph(s, out, labels, &b->room[WORK]);
        if (!why && out->array[X]) why = fill_embedding(s, out, &b->room[PLANES]);
        about(b, i, why);
        add_rows(s, out->first);
    }
    flush_past_caches();
    return why;
}

/* Gives memory back, all of it or what is too much to wait for the next batch. */
static void trim(batch *b, u64 most) {
    for (int i = 0; i < N_ROOMS; i++) {
        if (b->room[i].size <= most) continue;
        free(b->room[i].bytes);
        b->room[i] = (memory){0};
    }
    b->n = b->n_frames = 0;
}

void batch_end(batch *b) { trim(b, MOST_KEPT); }
void batch_free(batch *b) { trim(b, 0); }
