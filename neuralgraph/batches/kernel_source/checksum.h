/* CRC-32 of FORMAT.md section 4.1. */
#ifndef NGR_CHECKSUM_H
#define NGR_CHECKSUM_H

#include "bytes.h"

/* Chooses the fastest way this machine knows; called once, before anything else here. */
void checksum_setup(void);

/* The name of that way: "portable", "carry-less multiplication", ... */
const char *checksum_way(void);

u32 checksum(const u8 *data, size_t size);

#endif
