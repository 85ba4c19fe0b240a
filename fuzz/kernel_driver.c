/* Mutants of records through all steps of the batch kernel, built by `fuzz.kernel` with the sanitizers and without the
 * comparison of checksums. Each execution depends on the seed and its number alone, so that any can be run again.
 *
 * usage: driver SEEDS SEED FIRST SECONDS COUNT; SEEDS holds records, each behind its length as u32.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"

void __sanitizer_set_death_callback(void (*callback)(void));

enum { MOST_SEEDS = 4096, MOST_STUDIES = 3, MOST_X = 1 << 24, MOST_RECORD = 1 << 20, N_LABEL_NAMES = 3 };
enum { HEADER_BYTES = 104, ENTRY_BYTES = 16, TAIL_BYTES = 8, AT_COUNTS = 16 };

typedef struct { u8 *bytes; u64 size; } blob;

static blob seeds[MOST_SEEDS];
static u64 n_seeds, seed, execution, reasons[N_REASONS];

/* ---------------------------------------------------------------------------------------------- chance */

static u64 state;
static u64 chance(u64 below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return below ? (state >> 11) % below : 0;
}

static u32 interesting(u32 old) {
    static const u32 known[] = {0,   1,   2,   3,     4,     7,          8,          16,
                                255, 256, 257, 65535, 65536, 0x7f800000, 0x80000000, 0xffffffff};
    switch (chance(4)) {
        case 0: return known[chance(sizeof known / sizeof *known)];
        case 1: return old + (u32)chance(7) - 3;
        case 2: return old ^ 1u << chance(32);
        default: return (u32)chance(1u << 20);
    }
}

static void put(u8 *at, u32 value, u32 bytes) { memcpy(at, &value, bytes); }

/* ------------------------------------------------------------------------------------------- mutations */

static u32 n_streams(const blob *r) { return u16_at(r->bytes + 12); }
static u64 body(const blob *r) { return HEADER_BYTES + ENTRY_BYTES * (u64)n_streams(r) + TAIL_BYTES; }

/* What the counts require of a stream, or its size as it is. */
static u64 required(const blob *r, u32 id, u64 size) {
    u32 n[N_COUNTS];
    column columns[N_COLUMNS];
    memcpy(n, r->bytes + AT_COUNTS, sizeof n);
    for (int i = 0; i < N_COUNTS; i++)
        if (n[i] > 1u << 16) return size;
    if (id == 1) return lay_out(n, columns);
    u32 base = id >= 0x60 ? 0x60 : 0x20;
    const form *form = id < base || id >= base + 0x40 ? NULL : form_of_stream(id - base);
    if (!form) return size;
    u64 rows = n[base == 0x20 ? N_PATCHES : N_CONCEPT_VECTORS], width = n[base == 0x20 ? EMBEDDING_DIM : CONCEPT_DIM];
    return plane_bytes(form, id - base - form->offset, rows, width);
}

/* The record with each stored stream as long as the counts require, so that a changed count reaches the rules. */
static blob resized(const blob *r) {
    static u8 made[MOST_RECORD];
    blob out = {made, body(r)};
    u64 at = body(r);
    memcpy(out.bytes, r->bytes, at);
    for (u32 i = 0; i < n_streams(r); i++) {
        u8 *entry = out.bytes + HEADER_BYTES + ENTRY_BYTES * i;
        u64 old = u32_at(entry + 4), size = u16_at(entry + 2) == STORE ? required(r, u16_at(entry), old) : old;
        if (at + old > r->size || out.size + size + 8 > MOST_RECORD) break;
        for (u64 k = 0; k < size; k++) out.bytes[out.size + k] = k < old ? r->bytes[at + k] : (u8)chance(4);
        memset(out.bytes + out.size + size, 0, padding(size));
        put(entry + 4, (u32)size, 4);
        if (u16_at(entry + 2) == STORE) put(entry + 8, (u32)size, 4);
        out.size += size + padding(size);
        at += old + padding(old);
    }
    put(out.bytes + 8, (u32)out.size, 4);
    out.bytes = memcpy(malloc(out.size), made, out.size);
    return out;
}

static void mutate(blob *r) {
    u64 streams = n_streams(r), begin = body(r);
    switch (chance(12)) {
        case 0: { /* a count */
            u8 *at = r->bytes + AT_COUNTS + 4 * chance(N_COUNTS);
            put(at, interesting(u32_at(at)), 4);
            break;
        }
        case 1: /* a field of the stream table */
            if (streams && begin <= r->size) {
                u8 *at = r->bytes + HEADER_BYTES + ENTRY_BYTES * chance(streams) + 2 * chance(6);
                put(at, interesting(u16_at(at)), chance(2) ? 2 : 4);
            }
            break;
        case 2: r->bytes[chance(r->size)] ^= (u8)(1u << chance(8)); break;
        default: /* a number of the graph, which is the first stream, or of what follows */
            if (begin + 8 < r->size) {
                u64 most = r->size - begin < 1500 ? r->size - begin : 1500;
                u32 bytes = 1u << chance(3);
                u8 *at = r->bytes + begin + chance(most - bytes + 1);
                u32 old = 0;
                memcpy(&old, at, bytes);
                put(at, interesting(old), bytes);
            }
    }
}

/* A record of its own memory, so that a byte behind it is found. */
static blob mutant(void) {
    const blob *from = &seeds[chance(n_seeds)];
    blob r = {malloc(from->size), from->size};
    memcpy(r.bytes, from->bytes, r.size);
    for (u64 k = chance(5); k; k--) mutate(&r);
    if (chance(2) && body(&r) <= r.size) {
        blob fitted = resized(&r);
        free(r.bytes);
        r = fitted;
    }
    if (chance(20) == 0) r.size = chance(r.size + 1);
    r.bytes = realloc(r.bytes, r.size ? r.size : 1);
    return r;
}

/* ------------------------------------------------------------------------------------------- one batch */

static const rules ANY = {.record_bytes = 1 << 24, .most_decoded_bytes = 1 << 26, .most_streams = 32,
                          .count = {16, 1 << 20, 1 << 16, 8192, 1 << 18, 65535, 65535, 8192, 65535, 1 << 18, 1, 1024,
                                    1 << 22}};

/* What a frame is said to hold: memory of its own again, of bytes that may be anything. */
static void decompress(batch *b, u8 **held) {
    for (u64 i = 0; i < b->n_frames; i++) {
        stream *s = b->frames[i].stream;
        u64 size = s->decoded_bytes;
        held[i] = malloc(size ? size : 1);
        for (u64 k = 0; k < size; k++) held[i][k] = s->stored_bytes ? s->stored[k % s->stored_bytes] : 0;
        s->decoded = held[i];
    }
}

/* The vectors of all concepts, of their own memory too; one in a while has a place outside, or is not there. The texts
 * are read to their ends. */
static volatile u8 last_read;
static u8 *add_vectors(batch *b, u64 width) {
    const struct { float value[2]; u16 place[2]; } made = {{1, 2}, {0, (u16)(width - 1 + !chance(30))}};
    u8 *vectors = memcpy(malloc(12), &made, 12);
    for (u64 i = 0; i < b->n; i++) {
        study *s = &b->studies[i];
        text t = text_of(s, FIRST_CONCEPT);
        for (u32 k = 0; k < s->n[N_CONCEPTS]; k++, t = next_text(s, t)) {
            for (u32 at = 0; at < t.size; at++) last_read = t.bytes[at];
            s->vectors[k] = (vector){chance(500) ? vectors : NULL, 2};
        }
    }
    return vectors;
}

static reason fill(batch *b, u64 width) {
    static const name names[N_LABEL_NAMES] = {{1, 2}, {5, 0}, {8, 1}};
    targets labels = {N_LABEL_NAMES, (const u8 *)"aedemaeffusion", names, (u32)chance(4)};
    arrays out = {.width = width};
    reason why = FINE;
    batch_rows(b, out.rows, NULL);
    if (out.rows[NODES] * width <= MOST_X) {
        u64 nodes = out.rows[NODES], pairs = out.rows[PAIRS], targets = b->n * labels.n;
        const u64 bytes[N_ARRAYS] = {
            [X] = 4 * nodes * width, [EDGE_INDEX] = 16 * pairs, [EDGE_TYPE] = 8 * pairs, [NODE_TYPE] = 8 * nodes,
            [NODE_VIEW] = 8 * nodes, [POS] = 8 * nodes, [ATTENTION] = 4 * nodes,
            [FUSION_EDGE_INDEX] = 16 * out.rows[FUSIONS], [Y] = 4 * targets, [Y_MASK] = targets, [GRAPH] = 8 * nodes,
        };
        for (int i = 0; i < N_ARRAYS; i++)
            if (i != X || b->with_x) out.array[i] = malloc(bytes[i] ? bytes[i] : 1);
        why = batch_fill(b, &out, &labels);
    }
    for (int i = 0; i < N_ARRAYS; i++) free(out.array[i]);
    return why;
}

static reason keep(batch *b) {
    u32 kept[MOST_STUDIES];
    i64 fusion[2 * MOST_STUDIES];
    for (u64 i = 0; i < b->n; i++) {
        const u32 *n = b->studies[i].n;
        int whole = chance(2) || !n[N_PATCHES];
        kept[i] = whole ? n[N_PATCHES] : 1 + (u32)chance(n[N_PATCHES] + chance(2));
        int fused = n[N_CONCEPTS] && kept[i] && chance(2);
        fusion[2 * i] = fused ? (i64)chance(kept[i]) : -1;
        fusion[2 * i + 1] = fused ? (i64)chance(n[N_CONCEPTS]) : -1;
    }
    return batch_keep(b, kept, fusion);
}

/* The index states the counts of the record, but for one in a while. */
static void state_counts(place *p) {
    static const u8 indexed[N_INDEXED] = INDEXED;
    for (int k = 0; k < N_INDEXED && p->length >= HEADER_BYTES; k++)
        p->indexed[k] = u32_at(p->bytes + AT_COUNTS + 4 * indexed[k]) + !chance(500);
}

static reason one_batch(batch *b, blob *records, int descriptor) {
    u64 n = 1 + chance(MOST_STUDIES) * !chance(4), offset = 0;
    if (!batch_begin(b, n, (int)chance(2))) return NO_MEMORY;
    for (u64 i = 0; i < n; i++) {
        blob *r = &records[i];
        *r = mutant();
        place *p = &b->studies[i].place;
        *p = (place){r->bytes, descriptor, offset, r->size, &ANY, {0}};
        state_counts(p);
        if (descriptor < 0) continue;
        p->bytes = NULL;
        if (pwrite(descriptor, r->bytes, r->size, (off_t)offset) != (ssize_t)r->size) abort();
        offset += r->size;
    }
    reason why = batch_read(b);
    if (why) return why;
    u8 *held[MOST_STUDIES * (1 + MOST_PLANES)] = {0};
    decompress(b, held);
    why = batch_graphs(b);
    u64 width = b->studies[chance(n)].n[EMBEDDING_DIM];
    if (!width) width = 16;
    u8 *vectors = why ? NULL : add_vectors(b, width);
    if (!why && chance(2)) why = keep(b);
    if (!why) why = fill(b, width);
    free(vectors);
    for (u64 i = 0; i < sizeof held / sizeof *held; i++) free(held[i]);
    return why;
}

static void run_one(batch *b, int file) {
    blob records[MOST_STUDIES] = {0};
    state = (seed + 1) * 0x9e3779b97f4a7c15u ^ (execution + 1) * 0xd1342543de82ef95u;
    chance(0), chance(0);
    int from_file = chance(4) == 0;
    if (from_file && ftruncate(file, 0)) abort();
    reasons[one_batch(b, records, from_file ? file : -1)]++;
    for (int i = 0; i < MOST_STUDIES; i++) free(records[i].bytes);
    batch_end(b);
}

/* ------------------------------------------------------------------------------------------------ main */

static void say_which(void) {
    fprintf(stderr, "seed %llu, execution %llu\n", (unsigned long long)seed, (unsigned long long)execution);
}

static void read_seeds(const char *path) {
    FILE *file = fopen(path, "rb");
    u32 size;
    if (!file) exit(2);
    while (n_seeds < MOST_SEEDS && fread(&size, 4, 1, file) == 1) {
        seeds[n_seeds] = (blob){malloc(size), size};
        if (fread(seeds[n_seeds++].bytes, 1, size, file) != size) exit(2);
    }
    fclose(file);
}

int main(int count, char **argument) {
    if (count != 6) return 2;
    batch b = {0};
    checksum_setup();
    planes_setup();
    read_seeds(argument[1]);
    seed = strtoull(argument[2], NULL, 10);
    u64 first = strtoull(argument[3], NULL, 10), most = strtoull(argument[5], NULL, 10);
    time_t end = time(NULL) + (time_t)strtoull(argument[4], NULL, 10);
    int file = memfd_create("records", 0);
    __sanitizer_set_death_callback(say_which);
    for (execution = first; execution - first < most && (execution % 256 || time(NULL) < end); execution++)
        run_one(&b, file);
    batch_free(&b);
    for (u64 i = 0; i < n_seeds; i++) free(seeds[i].bytes);
    printf("{\"executions\": %llu", (unsigned long long)(execution - first));
    for (int i = 0; i < N_REASONS; i++) printf(", \"%s\": %llu", REASON_NAMES[i], (unsigned long long)reasons[i]);
    printf("}\n");
    return 0;
}
