/* Matrices from their planes (FORMAT.md section 7.2). */
#ifndef NGR_PLANES_H
#define NGR_PLANES_H

#include "bytes.h"

enum { MOST_PLANES = 4 };

/* A form: the offset of its first stream, and its number of planes. */
typedef struct {
    u8 offset, n_planes;
} form;

enum { FLOAT32 = 0x00, BFLOAT16 = 0x08, FLOAT16 = 0x0a, INT8 = 0x10, SVD = 0x14 };

/* The form one of whose planes has this offset, or NULL. */
const form *form_of_stream(u32 offset);

u64 plane_bytes(const form *form, u32 plane, u64 rows, u64 width);

/* Chooses the fastest loops for this machine; called once, before `widen`. */
void planes_setup(void);

/* Writes the matrix as float32 [rows][width]. 0 when a value is not finite or a parameter breaks F21. */
int widen(const form *form, const u8 *const plane[MOST_PLANES], u64 rows, u64 width, float *out, int past_caches);

/* Copies `n` values. What is larger than the caches is better written past them: a line that is written whole need not
 * be read first, and does not push out what is read next. `flush_past_caches` comes before anyone else reads it. */
void copy_values(float *to, const float *from, u64 n, int past_caches);
void flush_past_caches(void);

#endif
