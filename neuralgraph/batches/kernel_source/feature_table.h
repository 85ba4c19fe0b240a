/* Feature vectors of concepts by label and text: a memory of `neuralgraph.batches.features`, which makes them. */
#ifndef NGR_FEATURE_TABLE_H
#define NGR_FEATURE_TABLE_H

#include "bytes.h"

/* A vector, of which only the places that are not zero are kept. */
typedef struct {
    u64 hash;
    u32 text_bytes, n;
    u32 label;
    const u16 *place;   /* [n], ascending, each below the width of the table */
    const float *value; /* [n] */
    const u8 *text;
} feature;

typedef struct feature_table feature_table;

feature_table *features_new(u64 width);
void features_free(feature_table *table);

/* Width of the vectors. */
u64 features_width(const feature_table *table);

/* Bytes that the vectors take. */
u64 features_bytes(const feature_table *table);

/* The vector, or NULL. May be called by several threads at once, also while one adds. */
const feature *features_find(const feature_table *table, u32 label, const u8 *text, u32 text_bytes);

/* Adds a copy of a vector, unless there is one; one thread at a time. 0 when the table or the memory is full. */
int features_add(feature_table *table, u32 label, const u8 *text, u32 text_bytes, const u16 *place, const float *value,
                 u32 n);

#endif
