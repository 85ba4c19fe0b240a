/* From the bytes of records to the arrays of a batch, in steps between which the caller decompresses and decides:
 *
 *   batch_begin     how many studies
 *                   then `place` of each of them: where its record is, and what the index says of it
 *   batch_read      headers and all compressed streams are read and checked; `frames` is what there is to decompress
 *   batch_graphs    graph streams, decompressed by now, are laid out and their rules checked
 *   batch_features  the feature vectors of concepts are looked up; what is missing, the caller adds
 *   batch_keep      patches to be left out, if any
 *   batch_starts    how large the arrays are, and where each study begins in them
 *   batch_fill      the arrays are written; stored planes of embeddings are read and checked on the way
 *
 * Nothing here knows of Python, and nothing outlives the batch but the memory it is done in. What is refused is named
 * by study and reason; whoever wants the exact rule asks `neuralgraph.storage.gate`.
 */
#ifndef NGR_BATCH_H
#define NGR_BATCH_H

#include "bytes.h"
#include "feature_table.h"
#include "planes.h"

/* The counts of a record, in the order of the header (FORMAT.md section 5.1). */
enum {
    N_VIEWS, N_CELLS, N_PATCHES, EMBEDDING_DIM, N_EDGES, N_CONCEPTS, N_CONCEPT_VECTORS, CONCEPT_DIM, N_MENTIONS,
    N_TRIPLES, N_FUSION, N_LABELS, TEXT_BYTES, N_COUNTS
};

/* The columns of the graph stream, in its order (section 5.3). */
enum {
    VIEW_ROWS, VIEW_COLS, VIEW_HEIGHT, VIEW_WIDTH, VIEW_PATCH_HEIGHT, VIEW_PATCH_WIDTH, VIEW_SCORE_STEP, VIEW_POSITION,
    CELL_SCORE, PATCH_CELL, PATCH_SCORE, EDGE, CONCEPT_LABEL, CONCEPT_START, CONCEPT_END, CONCEPT_SECTION,
    CONCEPT_VECTOR, MENTION_CONCEPT, MENTION_LABEL, MENTION_SECTION, MENTION_START, MENTION_END, TRIPLE_HEAD,
    TRIPLE_RELATION, TRIPLE_TAIL, FUSION_PATCH, FUSION_CONCEPT, LABEL_VALUE, STRING_BYTES, TEXT, N_COLUMNS
};

/* Why a study is refused. */
typedef enum {
    FINE, UNREADABLE, HEADER, COUNTS, OTHER_THAN_INDEXED, STREAM_TABLE, STREAM_SIZE, ENVELOPE, PADDING, CHECKSUM, FRAME,
    MATRIX, VIEWS, PATCHES, EDGES, CONCEPTS, MENTIONS, TRIPLES, FUSION, STRINGS, LABELS,
    OTHER_WIDTH, /* sound, but no batch has both widths */
    UNSUPPORTED, /* sound as far as was looked: a form or an encoding that is left to Python */
    NO_MEMORY, N_REASONS
} reason;

extern const char *const REASON_NAMES[N_REASONS];

/* What is accepted of a record (section 9), and what its file states of all of them. */
typedef struct {
    u64 record_bytes, decoded_bytes, streams;      /* limits of the reader, or the envelope where that is less */
    u64 only_decoded_bytes, only_streams;          /* of the only record of a file; 0 where there are several */
    u64 count[N_COUNTS];                           /* limits of the reader */
    const u32 *method_tags;                        /* of the methods that the file holds, ascending */
    u64 n_methods;
} rules;

/* Where a record is, and what the index says of it. */
typedef struct {
    const u8 *bytes;    /* all of it, in memory that nobody changes; NULL: read it from `descriptor` */
    int descriptor;
    u64 offset, length;
    u32 n_patches, n_edges, n_concepts, n_triples, n_fusion;
    const rules *rules; /* outlives the batch */
} place;

/* A stream of a record that is used. */
typedef struct {
    u64 at;                               /* from the start of the record */
    u32 encoding, stored_bytes, decoded_bytes, crc32;
    const u8 *stored;                     /* where it is in memory; NULL while it has not been read */
    const u8 *decoded;                    /* NULL while it has not been decompressed */
} stream;

enum { STORE = 0, ZSTD = 1, PRIVATE = 0x8000 };

typedef struct {
    place place;
    const u8 *head;                       /* as many bytes of the record as were read first */
    u64 head_bytes;
    u32 n[N_COUNTS];
    stream graph, plane[MOST_PLANES];
    const form *form;                     /* of the embedding; NULL without patches */
    int may_carry;                        /* no patches, no concepts, but an extension, which may be a plain graph */
    u64 column[N_COLUMNS + 1];            /* first byte of each in the graph stream, and the end of the last */
    u32 kept, kept_edges;                 /* patches, and edges between them */
    i64 fusion[2];                        /* patch and concept, -1 and -1 without a fusion edge */
    const feature **features;             /* of its concepts, when they are wanted */
} study;

/* Memory that grows and is used again. */
typedef struct { u8 *bytes; u64 room; } memory;

/* A compressed stream, and the study that it is of. */
typedef struct { u64 study; stream *stream; } frame;

typedef struct {
    study *studies;
    u64 n, room;
    int with_x;                           /* embeddings and concept features are wanted */
    memory heads, tails, planes, work;    /* work: cells, places and edges of the study at hand */
    frame *frames;                        /* what there is to decompress */
    u64 n_frames, frame_room;
    const feature **features;             /* of all concepts, study by study */
    u64 feature_room;
    u64 refused;                          /* the study that a refusal is about */
} batch;

/* Columns of `y`, with the names in ascending order. */
typedef struct {
    u64 n;
    const u8 *text;    /* the names, one after another */
    const u32 *end;    /* end of each name in `text` */
    const u32 *column; /* which column a name is */
    u32 uncertain;     /* position in neuralgraph.batches.targets.UNCERTAIN */
} targets;

/* Where the arrays go; NULL for what is not wanted, `y` and `y_mask` both or none. */
typedef struct {
    float *x, *pos, *attention, *y;
    i64 *edge_index, *edge_type, *node_type, *node_view, *fusion_edge_index, *graph;
    u8 *y_mask;
    const i64 *node_start, *pair_start, *fusion_start; /* [n + 1] each: the rows of a study begin at its starts */
    i64 n_nodes, n_pairs, n_fusion;                    /* rows of the arrays */
    u64 width;                                         /* of a row of `x` */
    int past_caches;                                   /* `x` is too large for them */
} arrays;

int batch_begin(batch *b, u64 n, int with_x); /* 0 when memory is full */
reason batch_read(batch *b);
reason batch_graphs(batch *b);
i64 batch_features(batch *b, const feature_table *table); /* how many are missing; -1 when memory is full */
reason batch_keep(batch *b, const u32 *kept, const i64 *fusion); /* [n], [n][2] */
reason batch_fill(batch *b, arrays *out, const targets *labels);
void batch_starts(const batch *b, i64 *start); /* [3][n + 1]: first nodes, pairs and fusion edges, and the ends */
void batch_end(batch *b);
void batch_free(batch *b);

/* Walks along the concepts of a study: begin with zeros; 0 behind the last. */
typedef struct { const u8 *text; u32 text_bytes, label, number; } concept;
int next_concept(const study *s, concept *c);

/* The parts of that work, each for one study. */

/* Bytes of a record to be read first: its header, and more. */
u64 head_bytes(const study *s);

/* Bytes of a record from `at` on: copied to `room` from its file, or where they are in memory. NULL: unreadable. */
const u8 *record_bytes(const study *s, u64 at, u64 size, u8 *room);

/* Where each column of the graph stream begins, and where the last ends, which is returned; counts within limits. */
u64 lay_out(const u32 n[N_COUNTS], u64 column[N_COLUMNS + 1]);

/* The header and the stream table, which `head` holds. */
reason check_head(study *s, int with_x);

/* A stream as it is stored, with its padding. */
reason check_stored(const stream *stream, const u8 *stored);

/* The rules for a zstd frame (F20) that is to hold `content` bytes. */
reason check_frame(const u8 *frame, u64 size, u64 content);

/* The rules of the graph (section 8.2) that speak of what a batch hands out. */
reason check_graph(const study *s, memory *work);

/* The arrays of one study, number `number` of the batch, but for its embedding. */
reason fill_graph(const study *s, u64 number, const arrays *out, const targets *labels, memory *work);

/* Where a patch lies. */
typedef struct { u32 view, row, col; } spot;
spot spot_of(const study *s, u32 cell);

/* Has at least `bytes`, those it had lost; 0 when memory is full. */
int reserve(memory *m, u64 bytes);

/* A column of the graph stream, and value `i` of one: u16, u32, f32, or the number of one of `count` things. */
static inline const u8 *column_of(const study *s, int column) { return s->graph.decoded + s->column[column]; }
static inline u32 u16_of(const study *s, int column, u64 i) { return u16_at(column_of(s, column) + 2 * i); }
static inline u32 u32_of(const study *s, int column, u64 i) { return u32_at(column_of(s, column) + 4 * i); }
static inline float f32_of(const study *s, int column, u64 i) { return f32_at(column_of(s, column) + 4 * i); }
static inline u32 index_of(const study *s, int column, int count, u64 i) {
    return index_at(column_of(s, column), index_bytes(s->n[count]), i);
}

#endif
