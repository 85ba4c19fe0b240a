/* What the processor at hand can do, and the system saves for us. Asked of it directly: not every compiler that may
 * build the kernel brings the answers of `__builtin_cpu_supports`. */
#ifndef NGR_PROCESSOR_H
#define NGR_PROCESSOR_H

#include <cpuid.h>

typedef struct { int carry_less, avx2, avx512, carry_less_512; } processor;

static inline processor processor_at_hand(void) {
    enum { YMM_SAVED = 0x06, ZMM_SAVED = 0xe6 };
    unsigned a, b = 0, c, d, saved = 0, high;
    processor can = {0};
    if (!__get_cpuid(1, &a, &b, &c, &d)) return can;
    can.carry_less = c >> 1 & 1;
    if (c >> 27 & 1) __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return can;
    can.avx2 = (saved & YMM_SAVED) == YMM_SAVED && (b >> 5 & 1);
    /* Foundation, and the instructions for double words, bytes and words, and shorter vectors. */
    can.avx512 = (saved & ZMM_SAVED) == ZMM_SAVED && (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);
    can.carry_less_512 = can.avx512 && can.carry_less && (c >> 10 & 1);
    return can;
}

#endif
