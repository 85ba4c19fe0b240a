/* A table with open addressing that never moves or forgets: readers need no lock, and vectors stay where they are until
 * the table goes. Whoever fills it beyond a budget makes a new one. */
#include "feature_table.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SLOTS = 1 << 16, MOST = SLOTS / 4 * 3 };

struct feature_table {
    u64 width, n, bytes;
    _Atomic(const feature *) slot[SLOTS];
};

feature_table *features_new(u64 width) {
    feature_table *table = calloc(1, sizeof *table);
    if (table) table->width = width;
    return table;
}

void features_free(feature_table *table) {
    if (!table) return;
    for (u32 i = 0; i < SLOTS; i++) free((void *)atomic_load_explicit(&table->slot[i], memory_order_relaxed));
    free(table);
}

u64 features_width(const feature_table *table) { return table->width; }
u64 features_bytes(const feature_table *table) { return table->bytes; }

/* FNV-1a, eight bytes a step. */
static u64 hash_of(u32 label, const u8 *text, u32 size) {
    u64 hash = 0xcbf29ce484222325u ^ label ^ (u64)size << 32, last = 0;
    for (; size >= 8; text += 8, size -= 8) hash = (hash ^ u64_at(text)) * 0x100000001b3u, hash ^= hash >> 29;
    memcpy(&last, text, size);
    hash = (hash ^ last) * 0x100000001b3u;
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
}

/* The slot of a vector, or the empty one where it belongs. */
static u32 slot_of(const feature_table *table, u64 hash, u32 label, const u8 *text, u32 size) {
    for (u32 i = (u32)(hash >> 48) % SLOTS;; i = (i + 1) % SLOTS) {
        const feature *f = atomic_load_explicit(&table->slot[i], memory_order_acquire);
        if (!f) return i;
        if (f->hash == hash && f->label == label && f->text_bytes == size && !memcmp(f->text, text, size)) return i;
    }
}

const feature *features_find(const feature_table *table, u32 label, const u8 *text, u32 size) {
    u32 slot = slot_of(table, hash_of(label, text, size), label, text, size);
    return atomic_load_explicit(&table->slot[slot], memory_order_acquire);
}

int features_add(feature_table *table, u32 label, const u8 *text, u32 size, const u16 *place, const float *value,
                 u32 n) {
    u64 hash = hash_of(label, text, size), bytes = sizeof(feature) + ((u64)size + 3) / 4 * 4 + 6 * (u64)n;
    u32 slot = slot_of(table, hash, label, text, size);
    if (atomic_load_explicit(&table->slot[slot], memory_order_relaxed)) return 1;
    feature *made = table->n < MOST ? malloc(bytes) : NULL;
    if (!made) return 0;
    /* The text first: what a search looks at lies together. */
    u8 *copy = (u8 *)(made + 1);
    float *values = (float *)(copy + ((u64)size + 3) / 4 * 4);
    u16 *places = (u16 *)(values + n);
    memcpy(values, value, 4 * (u64)n);
    memcpy(places, place, 2 * (u64)n);
    memcpy(copy, text, size);
    *made = (feature){hash, size, n, label, places, values, copy};
    table->n++;
    table->bytes += bytes;
    /* Whoever sees the pointer sees what it points to. */
    atomic_store_explicit(&table->slot[slot], made, memory_order_release);
    return 1;
}
