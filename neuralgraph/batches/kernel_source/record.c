/* A record: its header, the table of its streams, and the bytes of those that are used (FORMAT.md sections 5 and 7.1).
 *
 * The order of the checks is that of safety, not that of R12: a refusal only says where the gate should look.
 */
#include <errno.h>
#include <unistd.h>

#include "batch.h"
#include "checksum.h"

enum {
    HEADER_BYTES = 104, ENTRY_BYTES = 16, TAIL_BYTES = 8, /* header, row of the stream table, checksum behind it */
    AT_RECORD_BYTES = 8, AT_N_STREAMS = 12, AT_FLAGS = 14, AT_COUNTS = 16, AT_METHOD_TAG = 68,
    READ_FIRST = 4608 /* the longest header, of 256 streams; mostly a short one and the graph stream */
};

enum {
    GRAPH_STREAM = 0x01, REPORT_STREAM = 0x02, PIXELS_STREAM = 0x03, WORD_ATTENTION_STREAM = 0x10,
    LAST_OPTIONAL_STREAM = 0x1f, EMBEDDING_STREAMS = 0x20, CONCEPT_VECTOR_STREAMS = 0x60, MATRIX_STREAMS = 0x40,
    FIRST_EXTENSION_STREAM = 0x8000, LAST_EXTENSION_STREAM = 0xbfff
};

static const u8 SYNC[8] = {0x4e, 0x47, 0x52, 0x72, 0xb1, 0x9d, 0x5e, 0xc3};

/* Rows of a column: a count, or one of these. */
enum { STRINGS_OF_STUDY = N_COUNTS, VECTOR_REFERENCES };
/* Bytes of a value: 1, 2, 4, or INDEX + count for those of index(count). */
enum { INDEX = 16 };

static const struct { u8 rows, bytes, values; } COLUMNS[N_COLUMNS] = {
    [VIEW_ROWS] = {N_VIEWS, 2, 1}, [VIEW_COLS] = {N_VIEWS, 2, 1}, [VIEW_HEIGHT] = {N_VIEWS, 4, 1},
    [VIEW_WIDTH] = {N_VIEWS, 4, 1}, [VIEW_PATCH_HEIGHT] = {N_VIEWS, 4, 1}, [VIEW_PATCH_WIDTH] = {N_VIEWS, 4, 1},
    [VIEW_SCORE_STEP] = {N_VIEWS, 4, 1}, [VIEW_POSITION] = {N_VIEWS, 1, 1}, [CELL_SCORE] = {N_CELLS, 1, 1},
    [PATCH_CELL] = {N_PATCHES, INDEX + N_CELLS, 1}, [PATCH_SCORE] = {N_PATCHES, 4, 1},
    [EDGE] = {N_EDGES, INDEX + N_PATCHES, 2}, [CONCEPT_LABEL] = {N_CONCEPTS, 1, 1},
    [CONCEPT_START] = {N_CONCEPTS, 4, 1}, [CONCEPT_END] = {N_CONCEPTS, 4, 1}, [CONCEPT_SECTION] = {N_CONCEPTS, 1, 1},
    [CONCEPT_VECTOR] = {VECTOR_REFERENCES, INDEX + N_CONCEPT_VECTORS, 1},
    [MENTION_CONCEPT] = {N_MENTIONS, INDEX + N_CONCEPTS, 1}, [MENTION_LABEL] = {N_MENTIONS, 1, 1},
    [MENTION_SECTION] = {N_MENTIONS, 1, 1}, [MENTION_START] = {N_MENTIONS, 4, 1}, [MENTION_END] = {N_MENTIONS, 4, 1},
    [TRIPLE_HEAD] = {N_TRIPLES, INDEX + N_CONCEPTS, 1}, [TRIPLE_RELATION] = {N_TRIPLES, 1, 1},
    [TRIPLE_TAIL] = {N_TRIPLES, INDEX + N_CONCEPTS, 1}, [FUSION_PATCH] = {N_FUSION, INDEX + N_PATCHES, 1},
    [FUSION_CONCEPT] = {N_FUSION, INDEX + N_CONCEPTS, 1}, [LABEL_VALUE] = {N_LABELS, 4, 1},
    [STRING_BYTES] = {STRINGS_OF_STUDY, INDEX + TEXT_BYTES, 1}, [TEXT] = {TEXT_BYTES, 1, 1},
};

u64 lay_out(const u32 n[N_COUNTS], u64 column[N_COLUMNS + 1]) {
    u64 at = 0;
    for (int i = 0; i < N_COLUMNS; i++) {
        u32 rows = COLUMNS[i].rows, bytes = COLUMNS[i].bytes;
        u64 values = rows == STRINGS_OF_STUDY  ? 2 + (u64)n[N_CONCEPTS] + n[N_LABELS]
                   : rows == VECTOR_REFERENCES ? (n[N_CONCEPT_VECTORS] ? n[N_CONCEPTS] : 0)
                                               : (u64)n[rows] * COLUMNS[i].values;
        column[i] = at;
        at += values * (bytes >= INDEX ? index_bytes(n[bytes - INDEX]) : bytes);
    }
    return column[N_COLUMNS] = at;
}

/* Limits of section 9, F7, and R8. */
static reason check_counts(const study *s) {
    const u32 *n = s->n;
    const place *p = &s->place;
    for (int i = 0; i < N_COUNTS; i++)
        if (n[i] > p->rules->count[i]) return COUNTS;
    if (n[N_PATCHES] > n[N_CELLS] || n[N_VIEWS] > n[N_CELLS] || (n[N_CELLS] && !n[N_VIEWS])) return COUNTS;
    if (n[N_PATCHES] && !n[EMBEDDING_DIM]) return COUNTS;
    if (n[N_FUSION] > 1 || (n[N_FUSION] && !(n[N_PATCHES] && n[N_CONCEPTS]))) return COUNTS;
    if ((n[N_EDGES] && n[N_PATCHES] < 2) || (n[N_TRIPLES] && n[N_CONCEPTS] < 2)) return COUNTS;
    if ((n[N_MENTIONS] && !n[N_CONCEPTS]) || n[N_CONCEPT_VECTORS] > n[N_CONCEPTS]) return COUNTS;
    if (!n[N_CONCEPT_VECTORS] != !n[CONCEPT_DIM]) return COUNTS;
    if (n[N_PATCHES] != p->n_patches || n[N_EDGES] != p->n_edges || n[N_CONCEPTS] != p->n_concepts
        || n[N_TRIPLES] != p->n_triples || n[N_FUSION] != p->n_fusion)
        return OTHER_THAN_INDEXED;
    return FINE;
}

/* One row of the stream table: whether the stream may be there, and whether its size is what the counts require. */
typedef struct {
    const form *embedding, *vectors;
    u32 n_embedding, n_vectors; /* planes met so far */
    u64 decoded_bytes;
} met;

static reason check_plane(const form **form, u32 *n, u32 offset, u32 decoded, u64 rows, u64 width) {
    if (!*form) *form = form_of_stream(offset);
    /* Ids ascend, so that plane number n must be next. */
    if (!rows || !*form || offset != (u32)(*form)->offset + *n || *n == (*form)->n_planes) return STREAM_TABLE;
    return decoded == plane_bytes(*form, (*n)++, rows, width) ? FINE : STREAM_SIZE;
}

static reason check_row(study *s, met *met, u32 id, const stream *row) {
    const u32 *n = s->n;
    u64 decoded = row->decoded_bytes;
    if (decoded > 65536 + 1024 * (u64)row->stored_bytes) return STREAM_SIZE;
    met->decoded_bytes += decoded;
    if (id == GRAPH_STREAM) {
        s->graph = *row;
        return decoded == s->column[N_COLUMNS] ? FINE : STREAM_SIZE;
    }
    if (id == WORD_ATTENTION_STREAM) {
        u64 word = 8 + (u64)n[N_CELLS];
        return n[N_CELLS] && decoded >= 4 + word && (decoded - 4) % word == 0 ? FINE : STREAM_SIZE;
    }
    if (id == REPORT_STREAM || id == PIXELS_STREAM) return FINE;
    if (id > WORD_ATTENTION_STREAM && id <= LAST_OPTIONAL_STREAM) return FINE;
    if (id >= FIRST_EXTENSION_STREAM && id <= LAST_EXTENSION_STREAM) {
        s->may_carry = !n[N_PATCHES] && !n[N_CONCEPTS];
        return FINE;
    }
    if (id >= EMBEDDING_STREAMS && id < EMBEDDING_STREAMS + MATRIX_STREAMS) {
        u32 plane = met->n_embedding, offset = id - EMBEDDING_STREAMS;
        reason why = check_plane(&met->embedding, &met->n_embedding, offset, row->decoded_bytes, n[N_PATCHES],
                                 n[EMBEDDING_DIM]);
        if (!why) s->plane[plane] = *row;
        return why;
    }
    if (id >= CONCEPT_VECTOR_STREAMS && id < CONCEPT_VECTOR_STREAMS + MATRIX_STREAMS)
        return check_plane(&met->vectors, &met->n_vectors, id - CONCEPT_VECTOR_STREAMS, row->decoded_bytes,
                           n[N_CONCEPT_VECTORS], n[CONCEPT_DIM]);
    return STREAM_TABLE;
}

/* F8 to F12, and R2. */
static reason check_table(study *s, u32 n_streams) {
    const rules *rules = s->place.rules;
    met met = {0};
    u64 at = HEADER_BYTES + ENTRY_BYTES * (u64)n_streams + TAIL_BYTES;
    s->graph.at = 0;
    for (u32 i = 0, previous = 0; i < n_streams; i++) {
        const u8 *entry = s->head + HEADER_BYTES + ENTRY_BYTES * (u64)i;
        u32 id = u16_at(entry);
        stream row = {at, u16_at(entry + 2), u32_at(entry + 4), u32_at(entry + 8), u32_at(entry + 12), NULL, NULL};
        if (id <= previous || row.stored_bytes > s->place.length - at) return STREAM_TABLE;
        previous = id;
        at += row.stored_bytes;
        at += padding(at);
        if (at > s->place.length) return STREAM_TABLE;
        reason why = check_row(s, &met, id, &row);
        if (why) return why;
    }
    if (at != s->place.length || !s->graph.at) return STREAM_TABLE;
    if ((s->n[N_PATCHES] > 0) != (met.embedding != NULL)) return STREAM_TABLE;
    if ((s->n[N_CONCEPT_VECTORS] > 0) != (met.vectors != NULL)) return STREAM_TABLE;
    if (met.embedding && met.n_embedding != met.embedding->n_planes) return STREAM_TABLE;
    if (met.vectors && met.n_vectors != met.vectors->n_planes) return STREAM_TABLE;
    s->form = met.embedding;
    if (met.decoded_bytes > rules->decoded_bytes || n_streams > rules->streams) return ENVELOPE;
    if (rules->only_streams && (met.decoded_bytes != rules->only_decoded_bytes || n_streams != rules->only_streams))
        return ENVELOPE;
    return FINE;
}

static int knows_method(const rules *rules, u32 tag) {
    u64 low = 0, high = rules->n_methods;
    while (low < high) {
        u64 middle = (low + high) / 2;
        if (rules->method_tags[middle] == tag) return 1;
        if (rules->method_tags[middle] < tag) low = middle + 1;
        else high = middle;
    }
    return 0;
}

const u8 *record_bytes(const study *s, u64 at, u64 size, u8 *room) {
    if (s->place.bytes) return s->place.bytes + at;
    for (u64 done = 0; done < size;) {
        ssize_t got = pread(s->place.descriptor, room + done, size - done, (off_t)(s->place.offset + at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return NULL;
        done += (u64)got;
    }
    return room;
}

u64 head_bytes(const study *s) {
    return s->place.bytes || s->place.length < READ_FIRST ? s->place.length : READ_FIRST;
}

static reason check_encoding(const stream *stream) {
    if (stream->encoding == STORE) return stream->stored_bytes == stream->decoded_bytes ? FINE : STREAM_SIZE;
    return stream->encoding == ZSTD ? FINE : stream->encoding >= PRIVATE ? UNSUPPORTED : STREAM_TABLE;
}

reason check_head(study *s, int with_x) {
    const rules *rules = s->place.rules;
    u64 length = s->place.length;
    if (length < HEADER_BYTES + TAIL_BYTES || length > rules->record_bytes || length % 8) return HEADER;
    u32 n_streams = u16_at(s->head + AT_N_STREAMS);
    u64 table_end = HEADER_BYTES + ENTRY_BYTES * (u64)n_streams;
    if (table_end + TAIL_BYTES > s->head_bytes) return HEADER;
    if (memcmp(s->head, SYNC, sizeof SYNC) || u32_at(s->head + AT_RECORD_BYTES) != length) return HEADER;
    if (u16_at(s->head + AT_FLAGS) || u32_at(s->head + table_end + 4)) return HEADER;
#ifndef NGR_WITHOUT_CHECKSUMS
    if (checksum(s->head, table_end) != u32_at(s->head + table_end)) return HEADER;
#endif
    if (!knows_method(rules, u32_at(s->head + AT_METHOD_TAG))) return HEADER;
    for (int i = 0; i < N_COUNTS; i++) s->n[i] = u32_at(s->head + AT_COUNTS + 4 * i);
    reason why = check_counts(s);
    if (why) return why;
    lay_out(s->n, s->column);
    why = check_table(s, n_streams);
    if (!why) why = check_encoding(&s->graph);
    if (why || !with_x || !s->form) return why;
    for (u32 i = 0; i < s->form->n_planes && !why; i++) why = check_encoding(&s->plane[i]);
    return why ? why : s->form->offset == SVD ? UNSUPPORTED : FINE;
}

/* What a stream must be before it is used: its bytes those of the checksum, the padding behind them zero, its frame one
 * that decompresses to what is stated. */
reason check_stored(const stream *stream, const u8 *stored) {
    u64 size = stream->stored_bytes;
    for (u64 i = 0; i < padding(size); i++)
        if (stored[size + i]) return PADDING;
#ifndef NGR_WITHOUT_CHECKSUMS
    if (checksum(stored, size) != stream->crc32) return CHECKSUM;
#endif
    return stream->encoding == ZSTD ? check_frame(stored, size, stream->decoded_bytes) : FINE;
}
