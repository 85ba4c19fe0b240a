/* A record: its header, the table of its streams, and the bytes of those that are used (FORMAT.md sections 5 and 7.1).
 *
 * The order of the checks is that of safety, not that of R12: a refusal only says where the gate should look.
 */
#include <errno.h>
#include <unistd.h>

#include "batch.h"

enum {
    HEADER_BYTES = 104, ENTRY_BYTES = 16, TAIL_BYTES = 8, /* header, row of the stream table, checksum behind it */
    AT_RECORD_BYTES = 8, AT_N_STREAMS = 12, AT_FLAGS = 14, AT_COUNTS = 16, AT_METHOD_TAG = 68
};

enum {
    GRAPH_STREAM = 0x01, REPORT_STREAM = 0x02, PIXELS_STREAM = 0x03, WORD_ATTENTION_STREAM = 0x10,
    LAST_OPTIONAL_STREAM = 0x1f, FIRST_EXTENSION_STREAM = 0x8000, LAST_EXTENSION_STREAM = 0xbfff
};

static const u8 SYNC[8] = {0x4e, 0x47, 0x52, 0x72, 0xb1, 0x9d, 0x5e, 0xc3};

/* Limits of section 9, what the index states, and F7. */
static reason check_counts(const u32 n[N_COUNTS], const place *place) {
    static const u8 indexed[N_INDEXED] = INDEXED;
    for (int i = 0; i < N_COUNTS; i++)
        if (n[i] > place->rules->count[i]) return COUNTS;
    for (int i = 0; i < N_INDEXED; i++)
        if (n[indexed[i]] != place->indexed[i]) return COUNTS;
    if (n[N_PATCHES] > n[N_CELLS] || n[N_VIEWS] > n[N_CELLS] || (n[N_CELLS] && !n[N_VIEWS])) return COUNTS;
    if (n[N_PATCHES] && !n[EMBEDDING_DIM]) return COUNTS;
    if (n[N_FUSION] > 1 || (n[N_FUSION] && !(n[N_PATCHES] && n[N_CONCEPTS]))) return COUNTS;
    if ((n[N_EDGES] && n[N_PATCHES] < 2) || (n[N_TRIPLES] && n[N_CONCEPTS] < 2)) return COUNTS;
    if ((n[N_MENTIONS] && !n[N_CONCEPTS]) || n[N_CONCEPT_VECTORS] > n[N_CONCEPTS]) return COUNTS;
    return !n[N_CONCEPT_VECTORS] == !n[CONCEPT_DIM] ? FINE : COUNTS;
}

/* The embedding and the vectors of concepts: their streams, and the counts of rows and of values in each. */
enum { EMBEDDING, CONCEPT_VECTORS, N_MATRICES };
static const struct { u8 streams, end, rows, width; } MATRICES[N_MATRICES] = {
    [EMBEDDING] = {0x20, 0x60, N_PATCHES, EMBEDDING_DIM},
    [CONCEPT_VECTORS] = {0x60, 0xa0, N_CONCEPT_VECTORS, CONCEPT_DIM},
};

/* A matrix as far as its streams have been met: its form, and how many planes. */
typedef struct { const form *form; u32 n; } met;

static reason check_plane(study *s, int matrix, met *met, u32 id, const stream *row) {
    u64 rows = s->n[MATRICES[matrix].rows], width = s->n[MATRICES[matrix].width];
    u32 offset = id - MATRICES[matrix].streams;
    if (!met->form) met->form = form_of_stream(offset);
    /* Ids ascend, so that plane number n must be next. */
    if (!rows || !met->form || met->n == met->form->n_planes || offset != met->form->offset + met->n)
        return STREAM_TABLE;
    if (matrix == EMBEDDING) s->plane[met->n] = *row;
    return row->decoded_bytes == plane_bytes(met->form, met->n++, rows, width) ? FINE : STREAM_SIZE;
}

/* One row of the stream table: whether the stream may be there, and whether its size is what the counts require. */
static reason check_row(study *s, u64 graph_bytes, met met[N_MATRICES], u32 id, const stream *row) {
    u64 decoded = row->decoded_bytes, word = 8 + (u64)s->n[N_CELLS];
    if (decoded > 65536 + 1024 * (u64)row->stored_bytes) return STREAM_SIZE;
    for (int k = 0; k < N_MATRICES; k++)
        if (id >= MATRICES[k].streams && id < MATRICES[k].end) return check_plane(s, k, &met[k], id, row);
    if (id == GRAPH_STREAM) {
        s->graph = *row;
        return decoded == graph_bytes ? FINE : STREAM_SIZE;
    }
    if (id == WORD_ATTENTION_STREAM)
        return s->n[N_CELLS] && decoded >= 4 + word && (decoded - 4) % word == 0 ? FINE : STREAM_SIZE;
    if (id >= FIRST_EXTENSION_STREAM && id <= LAST_EXTENSION_STREAM) {
        s->n[EXTENDED] = 1;
        return FINE;
    }
    int optional = id > WORD_ATTENTION_STREAM && id <= LAST_OPTIONAL_STREAM;
    return optional || id == REPORT_STREAM || id == PIXELS_STREAM ? FINE : STREAM_TABLE;
}

/* F8 to F12, and R2. */
static reason check_table(study *s, u32 n_streams) {
    const rules *rules = s->place.rules;
    met met[N_MATRICES] = {0};
    u64 graph_bytes = lay_out(s->n, s->column), decoded_bytes = 0;
    u64 at = HEADER_BYTES + ENTRY_BYTES * (u64)n_streams + TAIL_BYTES;
    for (u32 i = 0, previous = 0; i < n_streams; i++) {
        const u8 *entry = s->head + HEADER_BYTES + ENTRY_BYTES * (u64)i;
        u32 id = u16_at(entry);
        stream row = {at, u16_at(entry + 2), u32_at(entry + 4), u32_at(entry + 8), u32_at(entry + 12), NULL, NULL};
        if (id <= previous || row.stored_bytes > s->place.length - at) return STREAM_TABLE;
        previous = id;
        at += row.stored_bytes + padding(row.stored_bytes);
        if (at > s->place.length) return STREAM_TABLE;
        decoded_bytes += row.decoded_bytes;
        reason why = check_row(s, graph_bytes, met, id, &row);
        if (why) return why;
    }
    if (at != s->place.length || !s->graph.at) return STREAM_TABLE;
    for (int k = 0; k < N_MATRICES; k++)
        if (!s->n[MATRICES[k].rows] != !met[k].form || (met[k].form && met[k].n != met[k].form->n_planes))
            return STREAM_TABLE;
    s->form = met[EMBEDDING].form;
    if (decoded_bytes < rules->least_decoded_bytes || decoded_bytes > rules->most_decoded_bytes) return ENVELOPE;
    return n_streams < rules->least_streams || n_streams > rules->most_streams ? ENVELOPE : FINE;
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
    u64 length = s->place.length;
    if (length < HEADER_BYTES + TAIL_BYTES || length > s->place.rules->record_bytes || length % 8) return HEADER;
    u32 n_streams = u16_at(s->head + AT_N_STREAMS);
    u64 table_end = HEADER_BYTES + ENTRY_BYTES * (u64)n_streams;
    if (table_end + TAIL_BYTES > s->head_bytes) return HEADER;
    if (memcmp(s->head, SYNC, sizeof SYNC) || u32_at(s->head + AT_RECORD_BYTES) != length) return HEADER;
    if (u16_at(s->head + AT_FLAGS) || u32_at(s->head + table_end + 4)) return HEADER;
#ifndef NGR_WITHOUT_CHECKSUMS
    if (checksum(s->head, table_end) != u32_at(s->head + table_end)) return HEADER;
#endif
    memcpy(s->n, s->head + AT_COUNTS, N_COUNTS * sizeof *s->n);
    s->n[METHOD_TAG] = u32_at(s->head + AT_METHOD_TAG);
    reason why = check_counts(s->n, &s->place);
    if (!why) why = check_table(s, n_streams);
    if (!why) why = check_encoding(&s->graph);
    if (why || !with_x || !s->form) return why;
    for (u32 i = 0; i < s->form->n_planes && !why; i++) why = check_encoding(&s->plane[i]);
    return why ? why : s->form->offset == SVD ? UNSUPPORTED : FINE;
}

enum { MOST_WINDOW = 1 << 23, MOST_BLOCK = 1 << 17, RUN_BLOCK = 1, RESERVED_BLOCK = 3 };

/* Blocks of at most `largest` bytes from `at` on, the last of which ends the frame. */
static reason check_blocks(const u8 *frame, u64 size, u64 at, u64 largest) {
    for (int last = 0; !last;) {
        if (size - at < 3) return FRAME;
        u32 block = frame[at] | (u32)frame[at + 1] << 8 | (u32)frame[at + 2] << 16;
        u32 kind = block >> 1 & 3, bytes = block >> 3;
        u64 stored = kind == RUN_BLOCK ? 1 : bytes;
        last = block & 1;
        at += 3;
        if (kind == RESERVED_BLOCK || bytes > largest || stored > size - at) return FRAME;
        at += stored;
    }
    return at == size ? FINE : FRAME;
}

/* The rules for a zstd frame, F20, that is to hold `content` bytes: asked before memory is taken for these. */
static reason check_frame(const u8 *frame, u64 size, u64 content) {
    static const u8 magic[4] = {0x28, 0xb5, 0x2f, 0xfd}, size_bytes[4] = {0, 2, 4, 8};
    if (size < 6 || memcmp(frame, magic, sizeof magic)) return FRAME;
    u32 descriptor = frame[4], single_segment = descriptor >> 5 & 1;
    if (descriptor & 0x1f) return FRAME; /* dictionary id, checksum, reserved or unused bit */
    u64 field = size_bytes[descriptor >> 6], at = single_segment ? 5 : 6, stated = 0;
    if (!field) field = single_segment; /* one byte, or none: then the content size is not stated */
    if (!field || size - at < field) return FRAME;
    memcpy(&stated, frame + at, field);
    if (field == 2) stated += 256;
    if (stated != content) return STREAM_SIZE;
    u64 window = stated;
    if (!single_segment) {
        u64 base = (u64)1 << (10 + (frame[5] >> 3));
        window = base + base / 8 * (frame[5] & 7);
    }
    if (window > MOST_WINDOW) return FRAME;
    return check_blocks(frame, size, at + field, window < MOST_BLOCK ? window : MOST_BLOCK);
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
