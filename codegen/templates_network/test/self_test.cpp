// Runs on a computer and on a board: does this build compute what it should?

#include "test/golden.hpp"
#include "test/io.hpp"
#include "tinyml/network.hpp"

namespace {

using tinyml::Network;

[[gnu::section(".test_bss")]] Network::Output output[Network::kOutputs];

/// int8 outputs must be the oracle's own bytes; float sums may be taken in another order.
[[maybe_unused]] bool same(std::int8_t a, std::int8_t b) { return a == b; }
[[maybe_unused]] bool same(float a, float b) {
  const float distance = a > b ? a - b : b - a;
  const float size = b > 0.0F ? b : -b;
  return distance <= 1e-4F + 1e-4F * size;
}

}  // namespace

int main() {
  io::paint_stack();
  long different = 0;
  for (int i = 0; i < golden::kCases; ++i) {
    Network::run(golden::kInputs + i * Network::kInputs, output);
    for (int k = 0; k < Network::kOutputs; ++k) {
      if (!same(output[k], golden::kOutputs[i * Network::kOutputs + k])) ++different;
    }
  }
  io::print("outputs that differ from the golden ones: ");
  io::print(different);
  io::print("\n");
  if (io::stack_size() > 0) {
    io::print("stack bytes used: ");
    io::print(static_cast<long>(io::stack_used()));
    io::print(" of ");
    io::print(static_cast<long>(io::stack_size()));
    io::print("\n");
    if (io::stack_used() >= io::stack_size()) ++different;
  }
  io::print(different == 0 ? "PASS\n" : "FAIL\n");
  return different == 0 ? 0 : 1;
}
