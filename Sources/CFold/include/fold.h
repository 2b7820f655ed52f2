#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Sixteen bytes, as two little-endian words in the order of memory.
struct fold_words {
  uint64_t first;
  uint64_t second;
};

/// Whether this processor has the carry-less multiplication that folding needs.
bool fold_is_available(void);

/// Folds bytes into sixteen that have the same CRC-64 (Jones, reflected).
///
/// `checksum` is that of all bytes in front of these; `byte_count` is a multiple of 64 and not 0.
/// Must not be called where `fold_is_available` says no.
struct fold_words fold64(uint64_t checksum, const uint8_t *bytes, size_t byte_count);

/// The same for the CRC-32 of gzip (RFC 1952, section 8); `checksum` is its register, that is the value
/// before the last exclusive-or.
struct fold_words fold32(uint32_t checksum, const uint8_t *bytes, size_t byte_count);
