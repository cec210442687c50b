// Products of rows with up to 32 rows of a weight [out, in], the unit of work of a thread.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace levin {

constexpr int kRows = 12;      // of a register tile
constexpr int kColumns = 32;   // of a register tile: two vectors
constexpr int kDepth = 1024;   // of a packed panel, which then fits the second-level cache

inline float* Scratch() {
  static thread_local float* memory =
      static_cast<float*>(aligned_alloc(64, sizeof(float) * kDepth * kColumns));
  return memory;
}

// Columns of 16 weights each, from rows: out[k * kColumns + j] = rows[j][k] for 16 k and 16 j.
inline void Transpose16(const float* in, size_t stride, int rows, float* out) {
  __m512 r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = i < rows ? _mm512_loadu_ps(in + i * stride) : _mm512_setzero_ps();
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; i++) {
    auto lo = [&](int a, int b) { return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[a]), _mm512_castps_pd(t[b]))); };
    auto hi = [&](int a, int b) { return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[a]), _mm512_castps_pd(t[b]))); };
    r[4 * i] = lo(4 * i, 4 * i + 2);
    r[4 * i + 1] = hi(4 * i, 4 * i + 2);
    r[4 * i + 2] = lo(4 * i + 1, 4 * i + 3);
    r[4 * i + 3] = hi(4 * i + 1, 4 * i + 3);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
  }
  for (int i = 0; i < 16; i++) _mm512_store_ps(out + i * kColumns, r[i]);
}

// A panel of `columns` rows of a weight [out, in] from `depth` columns on; absent rows are 0.
inline void Pack(const float* weight, size_t stride, int columns, int depth, float* panel) {
  int k = 0;
  for (; k + 16 <= depth; k += 16)
    for (int half = 0; half < 2; half++)
      Transpose16(weight + half * 16 * stride + k, stride, std::clamp(columns - half * 16, 0, 16),
                  panel + k * kColumns + half * 16);
  for (; k < depth; k++)
    for (int j = 0; j < kColumns; j++) panel[k * kColumns + j] = j < columns ? weight[j * stride + k] : 0;
}

// tile[R, 32] (+)= rows of A times a panel.
template <int R>
void Tile(const float* const* a, int from, const float* panel, int depth, float* tile, bool add) {
  __m512 c[R][2];
  for (int i = 0; i < R; i++)
    for (int j = 0; j < 2; j++)
      c[i][j] = add ? _mm512_loadu_ps(tile + i * kColumns + 16 * j) : _mm512_setzero_ps();
  const float* row[R];
  for (int i = 0; i < R; i++) row[i] = a[i] + from;
  for (int k = 0; k < depth; k++) {
    const __m512 b0 = _mm512_load_ps(panel + k * kColumns);
    const __m512 b1 = _mm512_load_ps(panel + k * kColumns + 16);
#pragma GCC unroll 12
    for (int i = 0; i < R; i++) {
      const __m512 x = _mm512_set1_ps(row[i][k]);
      c[i][0] = _mm512_fmadd_ps(x, b0, c[i][0]);
      c[i][1] = _mm512_fmadd_ps(x, b1, c[i][1]);
    }
  }
  for (int i = 0; i < R; i++)
    for (int j = 0; j < 2; j++) _mm512_storeu_ps(tile + i * kColumns + 16 * j, c[i][j]);
}

using TileFunction = void (*)(const float* const*, int, const float*, int, float*, bool);
inline const TileFunction tiles[kRows + 1] = {nullptr,  Tile<1>, Tile<2>, Tile<3>, Tile<4>,  Tile<5>, Tile<6>,
                                       Tile<7>, Tile<8>, Tile<9>, Tile<10>, Tile<11>, Tile<12>};

// Products of rows with up to 32 rows of a weight; done(row, rows, tile) takes tiles of up to 12 rows.
template <typename Done>
void Panel(const float* const* a, int rows, const float* weight, size_t depth, int columns, Done done) {
  alignas(64) float tile[kRows * kColumns];
  float* panel = Scratch();
  if (depth <= kDepth) {
    Pack(weight, depth, columns, depth, panel);
    for (int i = 0; i < rows; i += kRows) {
      const int count = std::min(kRows, rows - i);
      tiles[count](a + i, 0, panel, depth, tile, false);
      done(i, count, tile);
    }
    return;
  }
  std::vector<float> sums(static_cast<size_t>(rows + kRows) * kColumns);
  for (size_t k = 0; k < depth; k += kDepth) {
    const int size = std::min<size_t>(kDepth, depth - k);
    Pack(weight + k, depth, columns, size, panel);
    for (int i = 0; i < rows; i += kRows)
      tiles[std::min(kRows, rows - i)](a + i, k, panel, size, &sums[static_cast<size_t>(i) * kColumns], k > 0);
  }
  for (int i = 0; i < rows; i += kRows) done(i, std::min(kRows, rows - i), &sums[static_cast<size_t>(i) * kColumns]);
}

inline __mmask16 Mask(int columns) {
  return columns >= 16 ? 0xffff : columns <= 0 ? 0 : static_cast<__mmask16>((1u << columns) - 1);
}

}  // namespace levin
