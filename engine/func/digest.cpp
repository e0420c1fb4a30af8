#include "func/digest.h"

#include <array>
#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "base/text.h"

namespace orrery {
namespace {

constexpr size_t kPiece = 64 * 1024;

// The last blocks of a message: what follows its whole blocks, a one bit, zeros, and the length in
// bits, little- or big-endian.
std::string padding(std::string_view bytes, size_t block, size_t length_bytes, bool big_endian) {
  std::string end(bytes.substr(bytes.size() / block * block));
  end.push_back(static_cast<char>(0x80));
  while (end.size() % block != block - length_bytes) end.push_back('\0');
  end.append(length_bytes - 8, '\0');
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  char length[8];
  if (big_endian) {
    store_be(length, bits);
  } else {
    store(length, bits);
  }
  end.append(length, sizeof length);
  return end;
}

// The constants of RFC 1321: floor(2^32 * |sin(i + 1)|).
constexpr std::array<uint32_t, 64> kMd5 = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr int kMd5Shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

// The constants of FIPS 180-4, fractions of the cube roots of the first primes: of SHA-512 these,
// of SHA-256 the upper halves of the first 64.
constexpr std::array<uint64_t, 80> kSha = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

// How the two kinds of SHA-2 differ.
struct Sha256Form {
  using Word = uint32_t;
  static constexpr size_t kBlock = 64, kRounds = 64, kLengthBytes = 8;
  static constexpr int kLarge0[3] = {2, 13, 22}, kLarge1[3] = {6, 11, 25};
  static constexpr int kSmall0[3] = {7, 18, 3}, kSmall1[3] = {17, 19, 10};  // the last is a shift
  static constexpr Word constant(size_t i) { return static_cast<Word>(kSha[i] >> 32); }
};
struct Sha512Form {
  using Word = uint64_t;
  static constexpr size_t kBlock = 128, kRounds = 80, kLengthBytes = 16;
  static constexpr int kLarge0[3] = {28, 34, 39}, kLarge1[3] = {14, 18, 41};
  static constexpr int kSmall0[3] = {1, 8, 7}, kSmall1[3] = {19, 61, 6};
  static constexpr Word constant(size_t i) { return kSha[i]; }
};

template <class Word>
Word turned(Word x, const int (&by)[3]) {
  return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ std::rotr(x, by[2]);
}
template <class Word>
Word spread(Word x, const int (&by)[3]) {
  return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ x >> by[2];
}

template <class Form>
void sha2_block(const char* block, std::array<typename Form::Word, 8>& state) {
  using Word = typename Form::Word;
  std::array<Word, Form::kRounds> w;
  for (size_t i = 0; i < 16; ++i) w[i] = load_be<Word>(block + i * sizeof(Word));
  for (size_t i = 16; i < Form::kRounds; ++i) {
    w[i] =
        w[i - 16] + spread(w[i - 15], Form::kSmall0) + w[i - 7] + spread(w[i - 2], Form::kSmall1);
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < Form::kRounds; ++i) {
    const Word t1 = h + turned(e, Form::kLarge1) + ((e & f) ^ (~e & g)) + Form::constant(i) + w[i];
    const Word t2 = turned(a, Form::kLarge0) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const Word add[] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i) state[i] += add[i];
}

template <class Form>
Result<std::string> sha2(std::string_view bytes, std::array<typename Form::Word, 8> state,
                         size_t result_bytes, Pause pause) {
  const size_t whole = bytes.size() / Form::kBlock * Form::kBlock;
  for (size_t at = 0; at < whole; at += Form::kBlock) {
    if (at % kPiece == kPiece - Form::kBlock) TRY(pause(kPiece));
    sha2_block<Form>(bytes.data() + at, state);
  }
  const std::string end = padding(bytes, Form::kBlock, Form::kLengthBytes, true);
  for (size_t at = 0; at < end.size(); at += Form::kBlock) sha2_block<Form>(end.data() + at, state);
  std::string out(8 * sizeof(state[0]), '\0');
  for (size_t i = 0; i < 8; ++i) store_be(out.data() + i * sizeof(state[0]), state[i]);
  out.resize(result_bytes);
  return out;
}

// One block of MD5.
void md5_block(const char* block, std::array<uint32_t, 4>& state) {
  auto [a, b, c, d] = state;
  for (uint32_t i = 0; i < 64; ++i) {
    uint32_t f = 0;
    uint32_t word = 0;
    switch (i / 16) {
      case 0:
        f = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        f = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        f = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default: f = c ^ (b | ~d); word = (7 * i) % 16;
    }
    const uint32_t sum = a + f + kMd5[i] + load<uint32_t>(block + word * 4);
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kMd5Shifts[i / 16][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

Result<std::string> md5_hex(std::string_view bytes, Pause pause) {
  constexpr size_t kBlock = 64;
  std::array<uint32_t, 4> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const size_t whole = bytes.size() / kBlock * kBlock;
  for (size_t at = 0; at < whole; at += kBlock) {
    if (at % kPiece == kPiece - kBlock) TRY(pause(kPiece));
    md5_block(bytes.data() + at, state);
  }
  const std::string end = padding(bytes, kBlock, 8, false);
  for (size_t at = 0; at < end.size(); at += kBlock) md5_block(end.data() + at, state);
  std::string out;
  for (const uint32_t word : state) {
    for (int shift = 0; shift < 32; shift += 8) append_hex(out, word >> shift & 0xff, 2);
  }
  return out;
}

Result<std::string> sha224(std::string_view bytes, Pause pause) {
  return sha2<Sha256Form>(bytes,
                          {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511,
                           0x64f98fa7, 0xbefa4fa4},
                          28, pause);
}
Result<std::string> sha256(std::string_view bytes, Pause pause) {
  return sha2<Sha256Form>(bytes,
                          {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                           0x1f83d9ab, 0x5be0cd19},
                          32, pause);
}
Result<std::string> sha384(std::string_view bytes, Pause pause) {
  return sha2<Sha512Form>(
      bytes,
      {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
       0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4},
      48, pause);
}
Result<std::string> sha512(std::string_view bytes, Pause pause) {
  return sha2<Sha512Form>(
      bytes,
      {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
       0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179},
      64, pause);
}

}  // namespace orrery
