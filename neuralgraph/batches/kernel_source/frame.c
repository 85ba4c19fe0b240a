/* The rules for a zstd frame, F20: asked before memory is taken for what it holds. */
#include "batch.h"

enum { MOST_WINDOW = 1 << 23, MOST_BLOCK = 1 << 17, RUN_BLOCK = 1, RESERVED_BLOCK = 3 };

/* Blocks of at most `largest` bytes from `at` on, the last of which ends the frame. */
static reason check_blocks(const u8 *frame, u64 size, u64 at, u64 largest) {
    for (int last = 0; !last;) {
        if (size - at < 3) return FRAME;
        u32 block = frame[at] | (u32)frame[at + 1] << 8 | (u32)frame[at + 2] << 16;
        u32 kind = block >> 1 & 3, bytes = block >> 3;
        u64 stored = kind == RUN_BLOCK ? 1 : bytes;
        last = block & 1;
        at += 3;
        if (kind == RESERVED_BLOCK || bytes > largest || stored > size - at) return FRAME;
        at += stored;
    }
    return at == size ? FINE : FRAME;
}

reason check_frame(const u8 *frame, u64 size, u64 content) {
    static const u8 magic[4] = {0x28, 0xb5, 0x2f, 0xfd}, size_bytes[4] = {0, 2, 4, 8};
    if (size < 6 || memcmp(frame, magic, sizeof magic)) return FRAME;
    u32 descriptor = frame[4], single_segment = descriptor >> 5 & 1;
    if (descriptor & 0x1f) return FRAME; /* dictionary id, checksum, reserved or unused bit */
    u64 field = size_bytes[descriptor >> 6], at = single_segment ? 5 : 6, stated = 0;
    if (!field) field = single_segment; /* one byte, or none: then the content size is not stated */
    if (!field || size - at < field) return FRAME;
    memcpy(&stated, frame + at, field);
    if (field == 2) stated += 256;
    if (stated != content) return STREAM_SIZE;
    u64 window = stated;
    if (!single_segment) {
        u64 base = (u64)1 << (10 + (frame[5] >> 3));
        window = base + base / 8 * (frame[5] & 7);
    }
    if (window > MOST_WINDOW) return FRAME;
    return check_blocks(frame, size, at + field, window < MOST_BLOCK ? window : MOST_BLOCK);
}
