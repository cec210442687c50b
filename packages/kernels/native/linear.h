// A projection.
#pragma once

#include "kernels.h"
#include "panel.h"
#include "pool.h"

namespace levin {

void Linear(Pool& pool, const float* x, const float* weight, float* y, int rows, int in, int out) {
  std::vector<const float*> a(rows);
  for (int i = 0; i < rows; i++) a[i] = x + static_cast<size_t>(i) * in;
  pool.Run((out + kColumns - 1) / kColumns, [&](int p) {
    const int first = p * kColumns, columns = std::min(kColumns, out - first);
    const __mmask16 m0 = Mask(columns), m1 = Mask(columns - 16);
    Panel(a.data(), rows, weight + static_cast<size_t>(first) * in, in, columns, [&](int row, int count, const float* tile) {
      for (int i = 0; i < count; i++) {
        float* to = y + static_cast<size_t>(row + i) * out + first;
        _mm512_mask_storeu_ps(to, m0, _mm512_loadu_ps(tile + i * kColumns));
        _mm512_mask_storeu_ps(to + 16, m1, _mm512_loadu_ps(tile + i * kColumns + 16));
      }
    });
  });
}

}  // namespace levin
