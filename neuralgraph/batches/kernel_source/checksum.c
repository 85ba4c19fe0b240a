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

#define WITH_128 __attribute__((target("sse2,pclmul")))

WITH_128 static inline __m128i onto(__m128i earlier, __m128i later, __m128i over) {
    __m128i low = _mm_clmulepi64_si128(earlier, over, 0x00), high = _mm_clmulepi64_si128(earlier, over, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), later);
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
    __m128i folded = part[0];
    for (int k = 1; k < 4; k++) folded = onto(folded, part[k], OVER_128_BITS);
    for (; size >= 16; data += 16, size -= 16)
        folded = onto(folded, _mm_loadu_si128((const __m128i *)data), OVER_128_BITS);
    u8 rest[16];
    _mm_storeu_si128((__m128i *)rest, folded);
    return by_table(by_table(0, rest, sizeof rest), data, size);
}

#endif

static u32 (*way)(u32 crc, const u8 *data, size_t size) = by_table;

const char *checksum_setup(void) {
    make_tables();
#if defined(__x86_64__)
    if (processor_at_hand().carry_less) {
        way = by_128_bits;
        return "carry-less multiplication";
    }
#endif
    return "tables";
}

u32 checksum(const u8 *data, size_t size) { return ~way(~0u, data, size); }
