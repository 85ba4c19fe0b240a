/* Planes joined or widened to float32 (FORMAT.md section 7.2). One loop in plain C, which becomes one for each form and
 * each kind of processor. */
#include <math.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "batch.h"

#define INLINE static inline __attribute__((always_inline))
#define INFINITE 0x7f800000u /* the bits of infinity; those of finite values are smaller, without their sign */

enum { AT_ONCE = 2048 }; /* values that are made in the nearest cache before they go to their place */

static const form FORMS[] = {{FLOAT32, 4}, {BFLOAT16, 2}, {FLOAT16, 2}, {INT8, 2}, {SVD, 4}};

const form *form_of_stream(u32 offset) {
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++)
        if (offset >= FORMS[i].offset && offset < (u32)FORMS[i].offset + FORMS[i].n_planes) return &FORMS[i];
    return NULL;
}

u64 plane_bytes(const form *form, u32 plane, u64 rows, u64 width) {
    if (form->offset == INT8 && plane == 1) return 4 * rows;
    if (form->offset == SVD && plane == 0) {
        u64 groups = rows / 32, rest = rows % 32;
        return 4 + groups * (32 + 32 * 32) + rest + rest * rest;
    }
    if (form->offset == SVD && plane == 1) return width;
    return rows * width;
}

void copy_values(float *to, const float *from, u64 n, int past_caches) {
#if defined(__SSE2__)
    if (past_caches) {
        for (; n && (uintptr_t)to % 16; n--) *to++ = *from++;
        for (; n >= 4; to += 4, from += 4, n -= 4) _mm_stream_ps(to, _mm_loadu_ps(from));
    }
#else
    (void)past_caches;
#endif
    memcpy(to, from, 4 * n);
}

void flush_past_caches(void) {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

INLINE float float_of(u32 bits) { float v; memcpy(&v, &bits, sizeof v); return v; }
INLINE u32 bits_of(float v) { u32 bits; memcpy(&bits, &v, sizeof bits); return bits; }

/* A binary16 value as binary32; by way of normal numbers, for a processor that flushes others. */
INLINE u32 widened_half(u32 half) {
    u32 exponent = half & 0x7c00, magnitude = (half & 0x7fff) << 13;
    u32 normal = magnitude + (112u << 23);
    u32 small = bits_of(float_of(magnitude + (113u << 23)) - float_of(113u << 23));
    return (exponent == 0 ? small : exponent == 0x7c00 ? INFINITE : normal) | (half & 0x8000) << 16;
}

/* The bits of a value, from its byte in each plane; infinite where it breaks a rule. */
INLINE u32 value_of(u32 form, u32 a, u32 b, u32 c, u32 d, float scale) {
    switch (form) {
        case FLOAT32: return a | b << 8 | c << 16 | d << 24;
        case BFLOAT16: return a << 16 | b << 24;
        case FLOAT16: return widened_half(a | b << 8);
        default: return bits_of((float)(int8_t)a * scale) | (a == 0x80 ? INFINITE : 0);
    }
}

/* Row by row where each has its scale, otherwise all as one row; not more than `AT_ONCE` values at a time. */
INLINE int widen_form(u32 form, const u8 *const plane[MOST_PLANES], u64 rows, u64 width, float *out, int past_caches) {
    float made[AT_ONCE], scale = 1;
    if (form != INT8) width *= rows, rows = 1;
    for (u64 row = 0; row < rows; row++) {
        if (form == INT8) scale = f32_at(plane[1] + 4 * row);
        if (!isfinite(scale) || signbit(scale)) return 0;
        for (u64 first = row * width, end = first + width, n; first < end; first += n) {
            const u8 *a = plane[0] + first, *b = form == INT8 ? a : plane[1] + first;
            const u8 *c = form == FLOAT32 ? plane[2] + first : a, *d = form == FLOAT32 ? plane[3] + first : a;
            u32 largest = 0;
            n = end - first < AT_ONCE ? end - first : AT_ONCE;
            for (u64 i = 0; i < n; i++) {
                u32 bits = value_of(form, a[i], b[i], c[i], d[i], scale), size = bits & 0x7fffffffu;
                made[i] = float_of(bits);
                largest = largest > size ? largest : size;
            }
            if (largest >= INFINITE) return 0;
            copy_values(out + first, made, n, past_caches);
        }
    }
    return 1;
}

#define WIDEN(NAME, TARGET)                                                                                            \
    TARGET static int NAME(u32 form, const u8 *const plane[MOST_PLANES], u64 rows, u64 width, float *out, int past) {  \
        switch (form) {                                                                                                \
            case FLOAT32: return widen_form(FLOAT32, plane, rows, width, out, past);                                   \
            case BFLOAT16: return widen_form(BFLOAT16, plane, rows, width, out, past);                                 \
            case FLOAT16: return widen_form(FLOAT16, plane, rows, width, out, past);                                   \
            case INT8: return widen_form(INT8, plane, rows, width, out, past);                                         \
            default: return 0;                                                                                         \
        }                                                                                                              \
    }

WIDEN(widen_plain, )
int (*widen)(u32, const u8 *const[MOST_PLANES], u64, u64, float *, int) = widen_plain;

#if defined(__x86_64__)
#include "processor.h"

WIDEN(widen_avx2, __attribute__((target("avx2"))))
WIDEN(widen_avx512, __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))))

void planes_setup(void) {
    processor can = processor_at_hand();
    if (can.avx2) widen = widen_avx2;
    if (can.avx512) widen = widen_avx512;
}
#else
void planes_setup(void) {}
#endif
