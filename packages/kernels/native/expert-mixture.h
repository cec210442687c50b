// Experts, each with the rows that chose it.
#pragma once

#include <vector>

#include "kernels.h"
#include "panel.h"
#include "pool.h"
#include "silu.h"

namespace levin {

void ExpertMixture(Pool& pool, const Mixture& m) {
  const int choices = m.tokens * m.k;
  std::vector<int> start(m.count + 1), rows(choices);
  for (int c = 0; c < choices; c++) start[m.chosen[c] + 1]++;
  for (int e = 0; e < m.count; e++) start[e + 1] += start[e];
  std::vector<int> next(start.begin(), start.end() - 1);
  for (int c = 0; c < choices; c++) rows[next[m.chosen[c]]++] = c;
  static std::vector<float> inner;
  const size_t width = m.intermediate;
  if (inner.size() < choices * width) inner.resize(choices * width);
  std::vector<const float*> input(choices), middle(choices);
  for (int r = 0; r < choices; r++) {
    input[r] = m.x + static_cast<size_t>(rows[r] / m.k) * m.hidden;
    middle[r] = inner.data() + r * width;
  }
  const int innerPanels = (m.intermediate + kColumns - 1) / kColumns;
  pool.Run(m.count * innerPanels, [&](int task) {
    const int e = task / innerPanels, first = task % innerPanels * kColumns;
    const int count = start[e + 1] - start[e];
    if (count == 0) return;
    const int columns = std::min(kColumns, m.intermediate - first);
    const __mmask16 masks[2] = {Mask(columns), Mask(columns - 16)};
    const size_t offset = static_cast<size_t>(first) * m.hidden;
    auto to = [&](int row) { return inner.data() + (start[e] + row) * width + first; };
    Panel(&input[start[e]], count, m.experts[3 * e] + offset, m.hidden, columns, [&](int row, int n, const float* tile) {
      for (int i = 0; i < n; i++)
        for (int h = 0; h < 2; h++)
          _mm512_mask_storeu_ps(to(row + i) + 16 * h, masks[h], Silu(_mm512_loadu_ps(tile + i * kColumns + 16 * h)));
    });
    Panel(&input[start[e]], count, m.experts[3 * e + 1] + offset, m.hidden, columns, [&](int row, int n, const float* tile) {
      for (int i = 0; i < n; i++)
        for (int h = 0; h < 2; h++) {
          float* at = to(row + i) + 16 * h;
          const __m512 gate = _mm512_maskz_loadu_ps(masks[h], at);
          _mm512_mask_storeu_ps(at, masks[h], _mm512_mul_ps(gate, _mm512_loadu_ps(tile + i * kColumns + 16 * h)));
        }
    });
  });
  // A thread has columns of its own, so that results of several experts add up in one order.
  pool.Run((m.hidden + kColumns - 1) / kColumns, [&](int p) {
    const int first = p * kColumns, columns = std::min(kColumns, m.hidden - first);
    const __mmask16 masks[2] = {Mask(columns), Mask(columns - 16)};
    for (int t = 0; t < m.tokens; t++)
      for (int h = 0; h < 2; h++)
        _mm512_mask_storeu_ps(m.y + static_cast<size_t>(t) * m.hidden + first + 16 * h, masks[h], _mm512_setzero_ps());
    for (int e = 0; e < m.count; e++) {
      const int count = start[e + 1] - start[e];
      if (count == 0) continue;
      Panel(&middle[start[e]], count, m.experts[3 * e + 2] + static_cast<size_t>(first) * width, width, columns, [&](int row, int n, const float* tile) {
        for (int i = 0; i < n; i++) {
          const int choice = rows[start[e] + row + i];
          const __m512 w = _mm512_set1_ps(m.weights[choice]);
          for (int h = 0; h < 2; h++) {
            float* at = m.y + static_cast<size_t>(choice / m.k) * m.hidden + first + 16 * h;
            const __m512 sum = _mm512_fmadd_ps(w, _mm512_loadu_ps(tile + i * kColumns + 16 * h), _mm512_maskz_loadu_ps(masks[h], at));
            _mm512_mask_storeu_ps(at, masks[h], sum);
          }
        }
      });
    }
  });
}

}  // namespace levin
