// MAXIMUM and MINIMUM: the larger or the smaller of two codes or reals.
#pragma once

#include "runtime/kernels/broadcast.hpp"
#include "runtime/kernels/common.hpp"

namespace tinyml {

struct Extreme {
  Broadcast broadcast;
};

template <typename Element>
TINYML_KERNEL void maximum(const Extreme& op, const Element* a, const Element* b, Element* output) {
  for_each_pair(op.broadcast, a, b, output, [](Element x, Element y) { return x > y ? x : y; });
}

template <typename Element>
TINYML_KERNEL void minimum(const Extreme& op, const Element* a, const Element* b, Element* output) {
  for_each_pair(op.broadcast, a, b, output, [](Element x, Element y) { return x < y ? x : y; });
}

}  // namespace tinyml
