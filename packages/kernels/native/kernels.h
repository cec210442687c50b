// What the addon knows of the kernels, which alone are compiled for AVX-512: a processor without it can
// then load the addon and say so.
#pragma once

#include <cstdint>
#include <vector>

namespace levin {

class Pool;

// Threads for the functions below; they live as long as the process.
Pool* StartPool(int threads);

// y [rows, out] = x [rows, in] · weightᵀ for a weight [out, in].
void Linear(Pool& pool, const float* x, const float* weight, float* y, int rows, int in, int out);

// A mixture of SwiGLU experts: y [tokens, hidden] from x [tokens, hidden] and chosen, weights [tokens, k].
struct Mixture {
  int tokens, k, count, hidden, intermediate;
  const float* x;
  const int32_t* chosen;
  const float* weights;
  float* y;
  std::vector<const float*> experts;  // gate, up, down of each
};

void ExpertMixture(Pool& pool, const Mixture& mixture);

}  // namespace levin
