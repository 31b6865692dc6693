#pragma once

// Sizes of the model, how it learns, and what it takes of the board. Generated.

#include <cstddef>
#include <cstdint>

#include "runtime/learner/softmax.hpp"

namespace tinyml {

struct Config {
  using Pixel = std::int8_t;
  using Feature = std::int8_t;

  static constexpr int kImageHeight = 32;
  static constexpr int kImageWidth = 32;
  static constexpr int kImageChannels = 3;
  static constexpr int kImageElements = kImageHeight * kImageWidth * kImageChannels;
  static constexpr int kFeatures = 46;
  static constexpr int kClasses = 10;

  // real feature = kFeatureScale * (code - kFeatureZeroPoint)
  static constexpr float kFeatureScale = 8.209576F;
  static constexpr int kFeatureZeroPoint = -14;

  // On every labelled sample: push, then kPasses passes of SGD over the buffer.
  static constexpr int kBufferSamples = 7;
  static constexpr int kPasses = 1;
  static constexpr float kLearningRate = 0.002F;
  static constexpr Loss kLoss = Loss::kCrossEntropy;
};

/// RAM as planned by codegen.memory.map, in bytes. Each part is checked where it is defined.
struct MemoryPlan {
  /// The extractor's tensors.
  static constexpr std::size_t kArenaBytes = 4608;
  /// Weights and bias, trained in place.
  static constexpr std::size_t kHeadBytes = 1880;
  /// Features and labels of the buffer.
  static constexpr std::size_t kBufferBytes = 329;
  /// The buffer's position, the learning rate, padding.
  static constexpr std::size_t kLearnerBytes = 15;
  /// State of the program around the model, see platform/application.hpp.
  static constexpr std::size_t kFirmwareBytes = 528;
  /// Whatever else is static.
  static constexpr std::size_t kDataBytes = 192;
  /// Reserved by the linker script.
  static constexpr std::size_t kStackBytes = 8192;
  static constexpr std::size_t kRamBytes = kArenaBytes + kHeadBytes + kBufferBytes + kLearnerBytes +
                                           kFirmwareBytes + kDataBytes + kStackBytes;
  static constexpr std::size_t kFlashBytes = 25945;

  static constexpr std::size_t kBoardRamBytes = 532480;
  static constexpr std::size_t kBoardFlashBytes = 4161536;
};

#if defined(__arm__)  // a computer has room for every model
static_assert(MemoryPlan::kRamBytes <= MemoryPlan::kBoardRamBytes, "the model fits the RAM");
static_assert(MemoryPlan::kFlashBytes <= MemoryPlan::kBoardFlashBytes, "the model fits the flash");
#endif
static_assert(MemoryPlan::kHeadBytes == sizeof(float) * (Config::kFeatures + 1) * Config::kClasses,
              "the head is one float32 layer");
static_assert(MemoryPlan::kBufferBytes == (Config::kFeatures * sizeof(Config::Feature) + 1) *
                                              static_cast<std::size_t>(Config::kBufferSamples),
              "a sample is its features and one byte for its label");
// Model::classify keeps the features of one image on the stack, beside the calls of the extractor.
static_assert(Config::kFeatures * sizeof(Config::Feature) + 2048 <= MemoryPlan::kStackBytes,
              "the stack holds a feature vector");

}  // namespace tinyml
