#pragma once

// Sizes of the model, how it learns, and what it takes of the board. Generated.

#include <cstddef>
#include <cstdint>

#include "../runtime/learners/learner.hpp"
#include "../runtime/learners/softmax.hpp"

namespace tinyml {
inline namespace mobile {

struct Config {
  using Pixel = std::int8_t;
  using Feature = std::int8_t;

  static constexpr int kImageHeight = 32;
  static constexpr int kImageWidth = 32;
  static constexpr int kImageChannels = 3;
  static constexpr int kImageElements = kImageHeight * kImageWidth * kImageChannels;
  static constexpr int kFeatures = 46;
  // Labels are below kClasses; the first head knows those below kFactoryClasses.
  static constexpr int kClasses = 10;
  static constexpr int kFactoryClasses = 10;

  // real input = kInputScale * (code - kInputZeroPoint); inputs that are real have 1 and 0
  static constexpr float kInputScale = 0.0078125F;
  static constexpr int kInputZeroPoint = 0;

  // real feature = kFeatureScale * (code - kFeatureZeroPoint)
  static constexpr float kFeatureScale = 8.209576F;
  static constexpr int kFeatureZeroPoint = -14;

  // How it learns: runtime/learners/tybox.hpp.
  static constexpr int kBufferSamples = 7;
  static constexpr int kPasses = 1;
  static constexpr int kReplayed = 0;
  static constexpr Loss kLoss = Loss::kCrossEntropy;
  static constexpr int kKnobs = 1;
  static constexpr Knob knob(int number) {
    // name, first value, least, most
    constexpr Knob kAll[] = {
        {"learning_rate", 0.002F, 1.1754944e-38F, 1e+06F},
    };
    return kAll[number];
  }
};

/// RAM as planned by codegen.memory.map, in bytes. Each part is checked where it is defined.
struct MemoryPlan {
  /// The extractor's tensors.
  static constexpr std::size_t kArenaBytes = 4608;
  /// Weights and bias, trained in place.
  static constexpr std::size_t kHeadBytes = 1880;
  /// The samples that the learner keeps.
  static constexpr std::size_t kBufferBytes = 329;
  /// What else the learner has: knobs, counters, statistics, padding.
  static constexpr std::size_t kLearnerBytes = 23;
  /// Of these three, what is saved across a loss of power: the head and what belongs to it.
  static constexpr std::size_t kStateBytes = 1880;
  /// State of the program around the model, see platform/application.hpp.
  static constexpr std::size_t kFirmwareBytes = 528;
  /// Whatever else is static.
  static constexpr std::size_t kDataBytes = 192;
  /// Reserved by the linker script.
  static constexpr std::size_t kStackBytes = 8192;
  static constexpr std::size_t kRamBytes = kArenaBytes + kHeadBytes + kBufferBytes + kLearnerBytes +
                                           kFirmwareBytes + kDataBytes + kStackBytes;
  static constexpr std::size_t kFlashBytes = 33177;

  static constexpr std::size_t kBoardRamBytes = 532480;
  static constexpr std::size_t kBoardFlashBytes = 4161536;
};

/// What one image takes, estimated by codegen.memory.work; the README says how well that is known.
struct WorkPlan {
  /// Of the core while the program runs.
  static constexpr std::uint32_t kClockHz = 11000000;
  static constexpr std::uint64_t kClassifyInstructions = 918172;
  static constexpr std::uint64_t kLearnInstructions = 24794;
  static constexpr std::uint32_t kClassifyMs = 84;
  static constexpr std::uint32_t kLearnMs = 3;
};

#if defined(__arm__)  // a computer has room for every model
static_assert(MemoryPlan::kRamBytes <= MemoryPlan::kBoardRamBytes, "the model fits the RAM");
static_assert(MemoryPlan::kFlashBytes <= MemoryPlan::kBoardFlashBytes, "the model fits the flash");
#endif
static_assert(MemoryPlan::kHeadBytes == sizeof(float) * (Config::kFeatures + 1) * Config::kClasses,
              "the head is one float32 layer");
// Model::classify keeps the features of one image on the stack, beside the calls of the extractor.
static_assert(Config::kFeatures * sizeof(Config::Feature) + 2048 <= MemoryPlan::kStackBytes,
              "the stack holds a feature vector");

}  // namespace mobile
}  // namespace tinyml
