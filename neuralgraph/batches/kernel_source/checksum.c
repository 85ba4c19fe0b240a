/* CRC-32, by tables everywhere and by carry-less multiplication where the processor has it.
 *
 * Folding after Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel 2009):
 * a register of 128 bits that lies d bits before another is multiplied by x^d modulo the polynomial, in two halves, and
 * added to it. What is left at the end, 16 bytes that are congruent to all that was read, goes through the tables.
 */
#include "batch.h"

#define POLYNOMIAL 0xEDB88320u /* reflected */

static u32 table[8][256];

/* Eight bytes a step: table[k] advances a byte over k bytes of zeros. */
static u32 by_table(u32 crc, const u8 *data, size_t size) {
    for (; size >= 8; data += 8, size -= 8) {
        u32 low = u32_at(data) ^ crc, high = u32_at(data + 4);
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24]
            ^ table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
    }
    for (; size; data++, size--) crc = table[0][(crc ^ *data) & 255] ^ crc >> 8;
    return crc;
}

static void make_tables(void) {
    for (u32 byte = 0; byte < 256; byte++) {
        u32 crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? POLYNOMIAL ^ crc >> 1 : crc >> 1;
        table[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (u32 byte = 0; byte < 256; byte++)
            table[k][byte] = table[0][table[k - 1][byte] & 255] ^ table[k - 1][byte] >> 8;
}

#if defined(__x86_64__)
#include <immintrin.h>

#include "processor.h"

/* x^(d+32) and x^(d-32) modulo the polynomial, reflected and moved by one bit, as the multiplication wants them. */
#define OVER_128_BITS _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
#define OVER_512_BITS _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define OVER_2048_BITS _mm_set_epi64x(0x1322d1430, 0x11542778a)

#define WITH_128 __attribute__((target("sse2,pclmul")))
#define WITH_512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,vpclmulqdq,pclmul")))
enum { LONG = 4096 }; /* bytes from which the wider registers are quicker: there are more of them to fold at the end */

WITH_128 static inline __m128i onto(__m128i earlier, __m128i later, __m128i over) {
    __m128i low = _mm_clmulepi64_si128(earlier, over, 0x00), high = _mm_clmulepi64_si128(earlier, over, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), later);
}

/* What some registers amount to, and the data behind them. */
WITH_128 static u32 finished(const __m128i *part, int n, const u8 *data, size_t size) {
    __m128i folded = part[0];
    for (int k = 1; k < n; k++) folded = onto(folded, part[k], OVER_128_BITS);
    for (; size >= 16; data += 16, size -= 16)
        folded = onto(folded, _mm_loadu_si128((const __m128i *)data), OVER_128_BITS);
    u8 rest[16];
    _mm_storeu_si128((__m128i *)rest, folded);
    return by_table(by_table(0, rest, sizeof rest), data, size);
}

/* Four registers, 64 bytes a step. */
WITH_128 static u32 by_128_bits(u32 crc, const u8 *data, size_t size) {
    if (size < 64) return by_table(crc, data, size);
    __m128i part[4];
    for (int k = 0; k < 4; k++) part[k] = _mm_loadu_si128((const __m128i *)(data + 16 * k));
    part[0] = _mm_xor_si128(part[0], _mm_cvtsi32_si128((int)crc));
    for (data += 64, size -= 64; size >= 64; data += 64, size -= 64)
        for (int k = 0; k < 4; k++)
            part[k] = onto(part[k], _mm_loadu_si128((const __m128i *)(data + 16 * k)), OVER_512_BITS);
    return finished(part, 4, data, size);
}

/* Four registers of 512 bits, 256 bytes a step. */
WITH_512 static u32 by_512_bits(u32 crc, const u8 *data, size_t size) {
    if (size < LONG) return by_128_bits(crc, data, size);
    const __m512i over = _mm512_broadcast_i32x4(OVER_2048_BITS);
    union { __m512i wide[4]; __m128i narrow[16]; } part;
    for (int k = 0; k < 4; k++) part.wide[k] = _mm512_loadu_si512(data + 64 * k);
    part.narrow[0] = _mm_xor_si128(part.narrow[0], _mm_cvtsi32_si128((int)crc));
    for (data += 256, size -= 256; size >= 256; data += 256, size -= 256)
        for (int k = 0; k < 4; k++) {
            __m512i low = _mm512_clmulepi64_epi128(part.wide[k], over, 0x00);
            __m512i high = _mm512_clmulepi64_epi128(part.wide[k], over, 0x11);
            part.wide[k] = _mm512_xor_si512(_mm512_xor_si512(low, high), _mm512_loadu_si512(data + 64 * k));
        }
    return finished(part.narrow, 16, data, size);
}

#endif

static u32 (*way)(u32 crc, const u8 *data, size_t size) = by_table;

const char *checksum_setup(void) {
    make_tables();
#if defined(__x86_64__)
    processor can = processor_at_hand();
    if (can.carry_less) way = can.carry_less_512 ? by_512_bits : by_128_bits;
    if (can.carry_less) return can.carry_less_512 ? "carry-less multiplication, 512 bits" : "carry-less multiplication";
#endif
    return "tables";
}

u32 checksum(const u8 *data, size_t size) { return ~way(~0u, data, size); }
