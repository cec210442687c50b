#include "kernels.h"

#include "expert-mixture.h"
#include "linear.h"

namespace levin {

Pool* StartPool(int threads) { return new Pool(threads); }

}  // namespace levin
