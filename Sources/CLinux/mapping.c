#include "mapping.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

void *clinux_map_shared(int fd, size_t bytes, int *error) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        *error = errno;
        return NULL;
    }
    return memory;
}

int32_t clinux_load_word(const volatile int32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

void clinux_store_word(volatile int32_t *word, int32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

uint32_t clinux_crc32(const void *bytes, size_t count) {
    const uint8_t *byte = bytes;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < count; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

void clinux_limit_arenas(void) {
    mallopt(M_ARENA_MAX, 1);
}

void clinux_release_memory(void) {
    malloc_trim(0);
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) return;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end, inode;
        char permissions[5];
        if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &start, &end, permissions, &inode) != 4) continue;
        // Executable mappings of files only: they are never written, so what is dropped is read again from the file.
        // A read-only data mapping may hold relocated pointers, which exist nowhere else.
        if (inode != 0 && strcmp(permissions, "r-xp") == 0) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    fclose(maps);
}
