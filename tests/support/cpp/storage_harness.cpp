// Slots over a flash memory in RAM, for tests/codegen/runtime/test_storage.py. The content is the
// caller's, so that it outlives a power cut.

#include "runtime/storage/ram_flash.hpp"
#include "runtime/storage/slots.hpp"

namespace {

constexpr std::uint32_t kDigest[2] = {0x12345678U, 0x9ABCDEF0U};

struct Outcome {
  std::int32_t done;
  std::uint32_t sequence;
  std::int32_t erasures;
  std::int32_t programs;
  std::int32_t misuses;
};

template <typename Flash>
Outcome run(std::uint8_t* content, int bytes, const std::uint8_t* block, std::uint8_t* out,
            std::uint32_t digest, int cut_at, int torn, std::uint32_t seed) {
  Flash flash(content);
  const auto cut = torn != 0 ? Flash::Cut::kTorn : Flash::Cut::kBefore;
  flash.cut_power(cut_at, cut, seed);
  const std::uint32_t words[2] = {kDigest[0] ^ digest, kDigest[1]};
  tinyml::SlotStore<Flash> store(flash, static_cast<std::size_t>(bytes), words);
  Outcome outcome = {};
  outcome.done =
      block != nullptr ? store.save(block, outcome.sequence) : store.load(out, outcome.sequence);
  outcome.erasures = flash.erasures;
  outcome.programs = flash.programs;
  outcome.misuses = flash.misuses;
  return outcome;
}

using tinyml::RamFlash;

}  // namespace

extern "C" {

/// Saves `block`, or loads into `out` when `block` is null. `digest` changes the model's.
/// `cut_at` is the operation at which the power fails, negative for never.
void slots_run(int geometry, std::uint8_t* content, int bytes, const std::uint8_t* block,
               std::uint8_t* out, std::uint32_t digest, int cut_at, int torn, std::uint32_t seed,
               Outcome* outcome) {
  // Units of programming and erasing as flash memories have them, sectors cut short.
  constexpr auto pick = [](int number) {
    using Run = decltype(&run<RamFlash<1, 64, 64>>);
    constexpr Run kRuns[] = {run<RamFlash<1, 64, 64>>, run<RamFlash<4, 32, 96>>,
                             run<RamFlash<8, 64, 128>>, run<RamFlash<16, 64, 128>>,
                             run<RamFlash<32, 256, 256>>};
    return kRuns[number];
  };
  *outcome = pick(geometry)(content, bytes, block, out, digest, cut_at, torn, seed);
}

}  // extern "C"
