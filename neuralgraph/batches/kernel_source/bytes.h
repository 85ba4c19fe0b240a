/* Numbers in bytes (FORMAT.md section 1). The kernel is built for little-endian machines only: others use Python. */
#ifndef NGR_BYTES_H
#define NGR_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers in .ngr files are little-endian, and the kernel takes them as they stand"
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

static inline u16 u16_at(const u8 *p) { u16 v; memcpy(&v, p, sizeof v); return v; }
static inline u32 u32_at(const u8 *p) { u32 v; memcpy(&v, p, sizeof v); return v; }
static inline u64 u64_at(const u8 *p) { u64 v; memcpy(&v, p, sizeof v); return v; }
static inline float f32_at(const u8 *p) { float v; memcpy(&v, p, sizeof v); return v; }

/* Zero bytes that bring `size` to a multiple of 8. */
static inline u64 padding(u64 size) { return -size & 7; }

/* Bytes of the narrowest of u8, u16, u32 that numbers `count` things: index(count) of FORMAT.md section 5.3. */
static inline u32 index_bytes(u64 count) { return count <= 1u << 8 ? 1 : count <= 1u << 16 ? 2 : 4; }

/* Number `i` of a column of such numbers. */
static inline u32 index_at(const u8 *column, u32 bytes, u64 i) {
    return bytes == 1 ? column[i] : bytes == 2 ? u16_at(column + 2 * i) : u32_at(column + 4 * i);
}

#endif
