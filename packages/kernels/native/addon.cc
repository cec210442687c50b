// The functions that JavaScript calls, with numbers in typed arrays; sizes are checked there.
#include <node_api.h>

#include "kernels.h"

namespace levin {

Pool* pool = nullptr;

template <typename T>
T* Data(napi_env env, napi_value array) {
  void* data = nullptr;
  napi_get_typedarray_info(env, array, nullptr, nullptr, &data, nullptr, nullptr);
  return static_cast<T*>(data);
}

template <size_t count>
void Arguments(napi_env env, napi_callback_info info, napi_value (&values)[count]) {
  size_t found = count;
  napi_get_cb_info(env, info, &found, values, nullptr, nullptr);
}

// start(threads)
napi_value Start(napi_env env, napi_callback_info info) {
  napi_value values[1];
  Arguments(env, info, values);
  int32_t threads = 1;
  napi_get_value_int32(env, values[0], &threads);
  if (pool == nullptr) pool = StartPool(threads);
  return nullptr;
}

// linear([rows, in, out], x, weight, y)
napi_value CallLinear(napi_env env, napi_callback_info info) {
  napi_value values[4];
  Arguments(env, info, values);
  const int32_t* sizes = Data<int32_t>(env, values[0]);
  Linear(*pool, Data<float>(env, values[1]), Data<float>(env, values[2]), Data<float>(env, values[3]),
         sizes[0], sizes[1], sizes[2]);
  return nullptr;
}

// expertMixture([tokens, k, experts, hidden, intermediate], x, chosen, weights, y, [gate, up, down, …])
napi_value CallExpertMixture(napi_env env, napi_callback_info info) {
  napi_value values[6];
  Arguments(env, info, values);
  const int32_t* sizes = Data<int32_t>(env, values[0]);
  Mixture mixture{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], Data<float>(env, values[1]),
                  Data<int32_t>(env, values[2]), Data<float>(env, values[3]), Data<float>(env, values[4]), {}};
  for (int i = 0; i < 3 * mixture.count; i++) {
    napi_value weight;
    napi_get_element(env, values[5], i, &weight);
    mixture.experts.push_back(Data<float>(env, weight));
  }
  for (int i = 0; i < mixture.tokens * mixture.k; i++) {
    if (mixture.chosen[i] >= 0 && mixture.chosen[i] < mixture.count) continue;
    napi_throw_range_error(env, nullptr, "an expert that is none");
    return nullptr;
  }
  ExpertMixture(*pool, mixture);
  return nullptr;
}

napi_value Initialise(napi_env env, napi_value exports) {
  auto add = [&](const char* name, napi_callback call) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("start", Start);
  add("linear", CallLinear);
  add("expertMixture", CallExpertMixture);
  napi_value supported, source;
  napi_get_boolean(env, __builtin_cpu_supports("avx512f"), &supported);
  napi_set_named_property(env, exports, "isSupported", supported);
  napi_create_string_utf8(env, LEVIN_SOURCE, NAPI_AUTO_LENGTH, &source);
  napi_set_named_property(env, exports, "source", source);
  return exports;
}

}  // namespace levin

NAPI_MODULE(levin, levin::Initialise)
