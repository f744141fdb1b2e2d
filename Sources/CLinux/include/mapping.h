// Shared memory of the instance table.
#ifndef CLINUX_MAPPING_H
#define CLINUX_MAPPING_H

#include <stddef.h>
#include <stdint.h>

/// Maps `bytes` of `fd` shared, also beyond its end: only what lies within the file may be touched.
/// NULL with `*error` set to an errno.
void *clinux_map_shared(int fd, size_t bytes, int *error);
/// Reads and writes a 32-bit word that another process may change.
int32_t clinux_load_word(const volatile int32_t *word);
void clinux_store_word(volatile int32_t *word, int32_t value);
/// CRC-32 (IEEE) of `count` bytes.
uint32_t clinux_crc32(const void *bytes, size_t count);

/// One heap for all threads: the daemon's threads allocate little, and each heap of its own costs what it once needed.
void clinux_limit_arenas(void);
/// Gives free heap, and the pages of the program's code, back to the kernel. What is used again is mapped again, page by
/// page: this leaves what the daemon runs on, not what starting it or one large request touched.
void clinux_release_memory(void);

#endif
