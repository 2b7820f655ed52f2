#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Sixteen bytes, as two little-endian words in the order of memory.
struct fold64_words {
  uint64_t first;
  uint64_t second;
};

/// Whether this processor has the carry-less multiplication that `fold64` needs.
bool fold64_is_available(void);

/// Folds bytes into sixteen that have the same CRC-64 (Jones, reflected).
///
/// `checksum` is that of all bytes in front of these; `byte_count` is a multiple of 64 and not 0.
/// Must not be called where `fold64_is_available` says no.
struct fold64_words fold64(uint64_t checksum, const uint8_t *bytes, size_t byte_count);
