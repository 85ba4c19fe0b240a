/* From the bytes of records to the arrays of a batch, in steps between which the caller decompresses and decides:
 *
 *   batch_begin     how many studies
 *                   then `place` of each of them: where its record is, and what is accepted of it
 *   batch_read      headers and all compressed streams are read and checked; `frames` is what there is to decompress
 *   batch_graphs    graph streams, decompressed by now, are laid out and their rules checked
 *                   then `vectors` of each study, if there is to be an `x`
 *   batch_keep      patches to be left out, if any
 *   batch_rows      how large the arrays are
 *   batch_fill      the arrays are written; stored planes of embeddings are read and checked on the way
 *
 * Nothing here knows of Python, and nothing outlives the batch but the memory it is done in. What is refused is named
 * by study and reason; whoever wants the exact rule asks `neuralgraph.storage.gate`.
 */
#ifndef NGR_BATCH_H
#define NGR_BATCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers in .ngr files are little-endian, and the kernel takes them as they stand; other machines use Python"
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

static inline u16 u16_at(const u8 *p) { u16 v; memcpy(&v, p, sizeof v); return v; }
static inline u32 u32_at(const u8 *p) { u32 v; memcpy(&v, p, sizeof v); return v; }
static inline float f32_at(const u8 *p) { float v; memcpy(&v, p, sizeof v); return v; }

/* Zero bytes that bring `size` to a multiple of 8. */
static inline u64 padding(u64 size) { return -size & 7; }

/* What is known of a study: the counts of its record, in the order of the header (FORMAT.md section 5.1), the tag of
 * its method, whether it has a stream of an extension, patches and edges that are kept, and whether an edge fuses. */
enum {
    N_VIEWS, N_CELLS, N_PATCHES, EMBEDDING_DIM, N_EDGES, N_CONCEPTS, N_CONCEPT_VECTORS, CONCEPT_DIM, N_MENTIONS,
    N_TRIPLES, N_FUSION, N_LABELS, TEXT_BYTES, N_COUNTS,
    METHOD_TAG = N_COUNTS, EXTENDED, KEPT_PATCHES, KEPT_EDGES, FUSED, N_FACTS
};

/* Counts that the index has too. */
#define INDEXED {N_PATCHES, N_EDGES, N_CONCEPTS, N_TRIPLES, N_FUSION}
enum { N_INDEXED = 5 };

/* The columns of the graph stream, in its order (section 5.3). */
enum {
    VIEW_ROWS, VIEW_COLS, VIEW_HEIGHT, VIEW_WIDTH, VIEW_PATCH_HEIGHT, VIEW_PATCH_WIDTH, VIEW_SCORE_STEP, VIEW_POSITION,
    CELL_SCORE, PATCH_CELL, PATCH_SCORE, EDGE, CONCEPT_LABEL, CONCEPT_START, CONCEPT_END, CONCEPT_SECTION,
    CONCEPT_VECTOR, MENTION_CONCEPT, MENTION_LABEL, MENTION_SECTION, MENTION_START, MENTION_END, TRIPLE_HEAD,
    TRIPLE_RELATION, TRIPLE_TAIL, FUSION_PATCH, FUSION_CONCEPT, LABEL_VALUE, STRING_BYTES, TEXT, N_COLUMNS
};

/* Why a study is refused. */
typedef enum {
    FINE, UNREADABLE, HEADER, COUNTS, STREAM_TABLE, STREAM_SIZE, ENVELOPE, PADDING, CHECKSUM, FRAME, MATRIX, RANGE,
    VIEWS, PATCHES, EDGES, CONCEPTS, MENTIONS, TRIPLES, FUSION, STRINGS, LABELS, VECTORS,
    UNSUPPORTED, /* sound as far as was looked: a form or an encoding that is left to Python */
    OTHER_WIDTH, /* sound too, and its embedding fits no batch of the others */
    NO_MEMORY, N_REASONS
} reason;

extern const char *const REASON_NAMES[N_REASONS];

/* What is accepted of a record (section 9): limits of the reader, or what its file states where that is less. The
 * streams of the only record of a file, and what they hold, are what the file states of all. */
typedef struct rules {
    u64 record_bytes, least_decoded_bytes, most_decoded_bytes, least_streams, most_streams, count[N_COUNTS];
} rules;

/* Where a record is. */
typedef struct {
    const u8 *bytes;    /* all of it, in memory that nobody changes; NULL: read it from `descriptor` */
    int descriptor;
    u64 offset, length;
    const rules *rules; /* outlives the batch */
    u32 indexed[N_INDEXED]; /* what the index states of its counts */
} place;

/* A stream of a record that is used. */
typedef struct {
    u64 at;                               /* from the start of the record */
    u32 encoding, stored_bytes, decoded_bytes, crc32;
    const u8 *stored;                     /* where it is in memory; NULL while it has not been read */
    const u8 *decoded;                    /* NULL while it has not been decompressed */
} stream;

enum { STORE = 0, ZSTD = 1, PRIVATE = 0x8000 };

/* The form of a matrix (section 7.2): the offset of its first stream, and its number of planes. */
typedef struct { u8 offset, n_planes; } form;
enum { FLOAT32 = 0x00, BFLOAT16 = 0x08, FLOAT16 = 0x0a, INT8 = 0x10, SVD = 0x14, MOST_PLANES = 4 };

/* A column of the graph stream: first byte, number of values, and bytes of each. */
typedef struct { u64 at, values; u32 bytes; } column;

/* Values of a feature vector that are not zero: f32 [n], and then their places, u16 [n]. */
typedef struct { const u8 *bytes; u32 n; } vector;

typedef struct {
    place place;
    const u8 *head;                       /* as many bytes of the record as were read first */
    u64 head_bytes;
    u32 n[N_FACTS];
    stream graph, plane[MOST_PLANES];
    const form *form;                     /* of the embedding; NULL without patches */
    column column[N_COLUMNS];
    u32 fusion[2];                        /* patch and concept, where there is a fusion edge */
    vector *vectors;                      /* of its concepts; `bytes` is NULL where there is none yet */
} study;

/* A compressed stream, and the study that it is of. */
typedef struct { u64 study; stream *stream; } frame;

/* Memory that grows and is used again. */
typedef struct { void *bytes; u64 size; } memory;
enum { OF_STUDIES, OF_FRAMES, OF_VECTORS, HEADS, TAILS, PLANES, WORK, N_ROOMS }; /* work: of the study at hand */

typedef struct {
    study *studies;
    u64 n;
    int with_x;                           /* embeddings and concept features are wanted */
    frame *frames;                        /* what there is to decompress */
    u64 n_frames;
    u64 refused;                          /* the study that a refusal is about */
    memory room[N_ROOMS];
} batch;

/* Columns of `y`, with the names in ascending order. */
typedef struct { u32 bytes, column; } name; /* bytes of a name, and which column it is, below `n` */
typedef struct {
    u64 n;
    const u8 *text;    /* the names, one after another */
    const name *names;
    u32 uncertain;     /* position in neuralgraph.batches.targets.UNCERTAIN */
} targets;

/* The arrays, and what they have rows for; see neuralgraph.adapters.pyg.to_data, and GraphBatch for `graph`. */
enum { X, EDGE_INDEX, EDGE_TYPE, NODE_TYPE, NODE_VIEW, POS, ATTENTION, FUSION_EDGE_INDEX, Y, Y_MASK, GRAPH, N_ARRAYS };
enum { NODES, PAIRS, FUSIONS, STUDIES, N_ROWS };

typedef struct {
    void *array[N_ARRAYS];                /* NULL for what is not wanted */
    u64 rows[N_ROWS];                     /* what `batch_rows` says */
    u64 first[N_ROWS];                    /* where those of the study at hand begin */
    u64 width;                            /* of a row of `x` */
    int past_caches;                      /* `x` is too large for them */
} arrays;

int batch_begin(batch *b, u64 n, int with_x); /* 0 when memory is full */
reason batch_read(batch *b);
reason batch_graphs(batch *b);
reason batch_keep(batch *b, const u32 *kept, const i64 *fusion); /* [n], [n][2] */
void batch_rows(const batch *b, u64 rows[N_ROWS], i64 *starts); /* starts: [3][n + 1], of nodes, pairs and fusions */
reason batch_fill(batch *b, arrays *out, const targets *labels); /* `x` only of a batch with it */
void batch_end(batch *b);
void batch_free(batch *b);

/* The parts of that work, each for one study. */

/* At least so many bytes, what was in them lost; NULL when memory is full. */
void *reserve(memory *m, u64 bytes);

/* Bytes of a record to be read first, from a file at most enough for the longest header, of 256 streams: mostly a short
 * header and the graph stream. */
enum { READ_FIRST = 4608 };
u64 head_bytes(const study *s);

/* Bytes of a record from `at` on: copied to `room` from its file, or where they are in memory. NULL: unreadable. */
const u8 *record_bytes(const study *s, u64 at, u64 size, u8 *room);

/* The header and the stream table, which `head` holds. */
reason check_head(study *s, int with_x);

/* A stream as it is stored, with its padding. */
reason check_stored(const stream *stream, const u8 *stored);

/* CRC-32 of section 4.1, in the fastest way this machine knows, which is chosen once, before all; its name. */
const char *checksum_setup(void);
u32 checksum(const u8 *data, size_t size);

/* Where each column of the graph stream is; the bytes of all, with counts within limits. */
u64 lay_out(const u32 n[N_COUNTS], column columns[N_COLUMNS]);

/* The rules of the graph (section 8.2) that speak of what a batch hands out. */
reason check_graph(const study *s, memory *work);

/* Where a patch lies. */
typedef struct { u32 view, row, col; } spot;
spot spot_of(const study *s, u32 cell);

/* A string of the graph stream: the study id, the source map, texts of concepts, names of labels, in this order. */
typedef struct { const u8 *bytes; u32 size; u64 number; } text;
enum { STUDY_ID, SOURCE_MAP, FIRST_CONCEPT };
text text_of(const study *s, u64 number);
text next_text(const study *s, text last);
int compare_texts(text a, text b);

/* The form one of whose planes has this offset, or NULL; and the bytes of a plane. */
const form *form_of_stream(u32 offset);
u64 plane_bytes(const form *form, u32 plane, u64 rows, u64 width);

/* Writes the matrix as float32 [rows][width]. 0 when a value is not finite or a parameter breaks F21. `planes_setup`,
 * called once, chooses the fastest loops for this machine. */
void planes_setup(void);
extern int (*widen)(u32 form, const u8 *const plane[MOST_PLANES], u64 rows, u64 width, float *out, int past_caches);

/* Copies `n` values. What is larger than the caches is better written past them: a line that is written whole need not
 * be read first, and does not push out what is read next. `flush_past_caches` comes before anyone else reads it. */
void copy_values(float *to, const float *from, u64 n, int past_caches);
void flush_past_caches(void);

/* The arrays of one study, but for its embedding. */
reason fill_graph(const study *s, const arrays *out, const targets *labels, memory *work);

/* A column of the graph stream, and value `i` of one: an integer of one, two or four bytes, or f32. */
static inline const u8 *column_of(const study *s, int column) { return s->graph.decoded + s->column[column].at; }
static inline float f32_of(const study *s, int column, u64 i) { return f32_at(column_of(s, column) + 4 * i); }
static inline u32 number_of(const study *s, int column, u64 i) {
    const u8 *first = column_of(s, column);
    u32 bytes = s->column[column].bytes;
    return bytes == 1 ? first[i] : bytes == 2 ? u16_at(first + 2 * i) : u32_at(first + 4 * i);
}

#endif
