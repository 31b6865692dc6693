// The network behind a C interface, for codegen.toolchain.network: `count` inputs, one after the
// other.

#include "tinyml/network.hpp"

extern "C" void tinyml_run(const void* inputs, int count, void* outputs) {
  using tinyml::Network;
  const auto* input = static_cast<const Network::Input*>(inputs);
  auto* output = static_cast<Network::Output*>(outputs);
  for (int i = 0; i < count; ++i) {
    Network::run(input + i * Network::kInputs, output + i * Network::kOutputs);
  }
}
