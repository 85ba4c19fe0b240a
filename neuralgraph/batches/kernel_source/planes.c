/* Planes joined or widened to float32. The loops are plain C, compiled once for each kind of processor. */
#include "planes.h"

#include <math.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "processor.h"

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

#define INFINITE 0x7f800000u /* the bits of infinity; those of finite values are smaller, without their sign */

static inline float float_of(u32 bits) { float v; memcpy(&v, &bits, sizeof v); return v; }
static inline u32 bits_of(float v) { u32 bits; memcpy(&bits, &v, sizeof bits); return bits; }

/* A binary16 value, not infinite, as binary32; by way of normal numbers, for a processor that flushes others. */
static inline u32 widened_half(u32 half) {
    u32 magnitude = (half & 0x7fff) << 13, subnormal = (half & 0x7c00) == 0;
    u32 normal = magnitude + (112u << 23);
    u32 small = bits_of(float_of(magnitude + (113u << 23)) - float_of(113u << 23));
    return (subnormal ? small : normal) | (half & 0x8000) << 16;
}

/* Each loop returns 0 when a value is not finite. */
#define LOOPS(NAME, TARGET)                                                                                            \
    TARGET static int join_float32_##NAME(u32 *restrict out, const u8 *restrict a, const u8 *restrict b,               \
                                          const u8 *restrict c, const u8 *restrict d, u64 n) {                         \
        u32 largest = 0;                                                                                               \
        for (u64 i = 0; i < n; i++) {                                                                                  \
            u32 bits = a[i] | (u32)b[i] << 8 | (u32)c[i] << 16 | (u32)d[i] << 24, size = bits & 0x7fffffffu;           \
            out[i] = bits;                                                                                             \
            largest = largest > size ? largest : size;                                                                 \
        }                                                                                                              \
        return largest < INFINITE;                                                                                     \
    }                                                                                                                  \
    TARGET static int join_bfloat16_##NAME(u32 *restrict out, const u8 *restrict low, const u8 *restrict high, u64 n) {\
        u32 largest = 0;                                                                                               \
        for (u64 i = 0; i < n; i++) {                                                                                  \
            u32 bits = (u32)low[i] << 16 | (u32)high[i] << 24, size = bits & 0x7fffffffu;                              \
            out[i] = bits;                                                                                             \
            largest = largest > size ? largest : size;                                                                 \
        }                                                                                                              \
        return largest < INFINITE;                                                                                     \
    }                                                                                                                  \
    TARGET static int join_float16_##NAME(u32 *restrict out, const u8 *restrict low, const u8 *restrict high, u64 n) { \
        u32 largest = 0;                                                                                               \
        for (u64 i = 0; i < n; i++) {                                                                                  \
            u32 half = low[i] | (u32)high[i] << 8, exponent = half & 0x7c00;                                           \
            out[i] = widened_half(half);                                                                               \
            largest = largest > exponent ? largest : exponent;                                                         \
        }                                                                                                              \
        return largest < 0x7c00;                                                                                       \
    }                                                                                                                  \
    TARGET static int scale_int8_##NAME(float *restrict out, const int8_t *restrict code, float scale, u64 n) {        \
        int lowest = 0;                                                                                                \
        u32 largest = 0;                                                                                               \
        for (u64 i = 0; i < n; i++) {                                                                                  \
            float value = (float)code[i] * scale;                                                                      \
            u32 size = bits_of(value) & 0x7fffffffu;                                                                   \
            out[i] = value;                                                                                            \
            lowest = lowest < code[i] ? lowest : code[i];                                                              \
            largest = largest > size ? largest : size;                                                                 \
        }                                                                                                              \
        return lowest > -128 && largest < INFINITE;                                                                    \
    }

typedef struct {
    int (*join_float32)(u32 *, const u8 *, const u8 *, const u8 *, const u8 *, u64);
    int (*join_bfloat16)(u32 *, const u8 *, const u8 *, u64);
    int (*join_float16)(u32 *, const u8 *, const u8 *, u64);
    int (*scale_int8)(float *, const int8_t *, float, u64);
} loops;

#define SET_OF(NAME) (loops){join_float32_##NAME, join_bfloat16_##NAME, join_float16_##NAME, scale_int8_##NAME}

LOOPS(plain, )
#if defined(__x86_64__)
LOOPS(avx2, __attribute__((target("avx2"))))
LOOPS(avx512, __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))))
#endif

static loops best;

void planes_setup(void) {
    best = SET_OF(plain);
#if defined(__x86_64__)
    processor can = processor_at_hand();
    if (can.avx2) best = SET_OF(avx2);
    if (can.avx512) best = SET_OF(avx512);
#endif
}

#if defined(__SSE2__)
void copy_values(float *to, const float *from, u64 n, int past_caches) {
    if (past_caches) {
        for (; n && (uintptr_t)to % 16; n--) *to++ = *from++;
        for (; n >= 4; to += 4, from += 4, n -= 4) _mm_stream_ps(to, _mm_loadu_ps(from));
    }
    memcpy(to, from, 4 * n);
}
void flush_past_caches(void) { _mm_sfence(); }
#else
void copy_values(float *to, const float *from, u64 n, int past_caches) {
    (void)past_caches;
    memcpy(to, from, 4 * n);
}
void flush_past_caches(void) {}
#endif

enum { AT_ONCE = 2048 }; /* values that are made in the nearest cache before they go to their place */

static int widen_floats(const form *form, const u8 *const plane[MOST_PLANES], u64 n, float *out, int past_caches) {
    union { u32 bits[AT_ONCE]; float values[AT_ONCE]; } made;
    for (u64 i = 0, some; i < n; i += some) {
        const u8 *low = plane[0] + i, *next = plane[1] + i;
        int finite;
        some = n - i < AT_ONCE ? n - i : AT_ONCE;
        if (form->offset == FLOAT32) finite = best.join_float32(made.bits, low, next, plane[2] + i, plane[3] + i, some);
        else if (form->offset == BFLOAT16) finite = best.join_bfloat16(made.bits, low, next, some);
        else finite = best.join_float16(made.bits, low, next, some);
        if (!finite) return 0;
        copy_values(out + i, made.values, some, past_caches);
    }
    return 1;
}

static int widen_int8(const u8 *codes, const u8 *scales, u64 rows, u64 width, float *out, int past_caches) {
    float made[AT_ONCE];
    for (u64 row = 0; row < rows; row++) {
        float scale = f32_at(scales + 4 * row);
        if (!isfinite(scale) || signbit(scale)) return 0;
        for (u64 i = row * width, end = i + width, some; i < end; i += some) {
            some = end - i < AT_ONCE ? end - i : AT_ONCE;
            if (!best.scale_int8(made, (const int8_t *)codes + i, scale, some)) return 0;
            copy_values(out + i, made, some, past_caches);
        }
    }
    return 1;
}

int widen(const form *form, const u8 *const plane[MOST_PLANES], u64 rows, u64 width, float *out, int past_caches) {
    switch (form->offset) {
        case FLOAT32:
        case BFLOAT16:
        case FLOAT16: return widen_floats(form, plane, rows * width, out, past_caches);
        case INT8: return widen_int8(plane[0], plane[1], rows, width, out, past_caches);
        default: return 0;
    }
}
