#include "fold.h"

#if defined(__x86_64__)

#include <immintrin.h>

// A block moves over D bits by multiplying its two words with x^(D+63) and x^(D-1) modulo the
// polynomial, bits reflected. Source: Gopal et al., "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction", Intel, 2009.
#define JONES_OVER_512_BITS _mm_set_epi64x(0xf49784a634f014e4, 0xaf86efb16d9ab4fb)
#define JONES_OVER_128_BITS _mm_set_epi64x(0x381d0015c96f4444, 0xd9d7be7d505da32c)
#define GZIP_OVER_512_BITS _mm_set_epi64x(0xcad38e8f00000000, 0x653d982200000000)
#define GZIP_OVER_128_BITS _mm_set_epi64x(0x9ba54c6f00000000, 0x65673b4600000000)

bool fold_is_available(void) { return __builtin_cpu_supports("pclmul"); }

__attribute__((target("pclmul"), always_inline))
static inline __m128i move(__m128i block, __m128i distance) {
  return _mm_xor_si128(
      _mm_clmulepi64_si128(block, distance, 0x00), _mm_clmulepi64_si128(block, distance, 0x11));
}

static inline __m128i block_at(const uint8_t *bytes) {
  return _mm_loadu_si128((const __m128i *)bytes);
}

__attribute__((target("pclmul"), always_inline))
static inline struct fold_words fold(
    uint64_t checksum, const uint8_t *bytes, size_t byte_count, __m128i over_512_bits,
    __m128i over_128_bits) {
  const uint8_t *end = bytes + byte_count;
  // Four blocks at once, as each multiplication takes longer than it keeps the next one waiting.
  __m128i a = _mm_xor_si128(block_at(bytes), _mm_cvtsi64_si128((long long)checksum));
  __m128i b = block_at(bytes + 16), c = block_at(bytes + 32), d = block_at(bytes + 48);
  for (bytes += 64; bytes < end; bytes += 64) {
    a = _mm_xor_si128(move(a, over_512_bits), block_at(bytes));
    b = _mm_xor_si128(move(b, over_512_bits), block_at(bytes + 16));
    c = _mm_xor_si128(move(c, over_512_bits), block_at(bytes + 32));
    d = _mm_xor_si128(move(d, over_512_bits), block_at(bytes + 48));
  }
  b = _mm_xor_si128(b, move(a, over_128_bits));
  c = _mm_xor_si128(c, move(b, over_128_bits));
  d = _mm_xor_si128(d, move(c, over_128_bits));
  return (struct fold_words){
      (uint64_t)_mm_cvtsi128_si64(d), (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(d, 8))};
}

__attribute__((target("pclmul")))
struct fold_words fold64(uint64_t checksum, const uint8_t *bytes, size_t byte_count) {
  return fold(checksum, bytes, byte_count, JONES_OVER_512_BITS, JONES_OVER_128_BITS);
}

__attribute__((target("pclmul")))
struct fold_words fold32(uint32_t checksum, const uint8_t *bytes, size_t byte_count) {
  return fold(checksum, bytes, byte_count, GZIP_OVER_512_BITS, GZIP_OVER_128_BITS);
}

#else

bool fold_is_available(void) { return false; }

struct fold_words fold64(uint64_t checksum, const uint8_t *bytes, size_t byte_count) {
  (void)checksum, (void)bytes, (void)byte_count;
  return (struct fold_words){0, 0};
}

struct fold_words fold32(uint32_t checksum, const uint8_t *bytes, size_t byte_count) {
  (void)checksum, (void)bytes, (void)byte_count;
  return (struct fold_words){0, 0};
}

#endif
