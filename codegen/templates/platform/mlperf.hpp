#pragma once

#include <cstdint>

#include "platform/subject.hpp"

/// What MLPerf Tiny's runner sends for an element of the input, and which of its tests this is for.
#ifndef TINYML_MLPERF_INPUT
#define TINYML_MLPERF_INPUT kFloat32
#endif
#ifndef TINYML_MLPERF_MODEL
#define TINYML_MLPERF_MODEL "none"
#endif
/// 1 where the result is how badly the output reproduces the input: that of an autoencoder.
#ifndef TINYML_MLPERF_ERROR
#define TINYML_MLPERF_ERROR 0
#endif

namespace tinyml {

/// The board's end of the text protocol of MLPerf Tiny's runner (github.com/mlcommons/tiny), in its
/// performance and accuracy modes. docs/protocol.md of the generator describes it.
///
/// A command ends with '%' and a reply with "m-ready". The input arrives as hexadecimal digits and
/// is kept here, so that an inference, which overwrites the network's own input, may be repeated.
class Runner {
 public:
  /// Starts port and clock, and greets. `core_hz` is what SysTick counts.
  void start(std::uint32_t core_hz);

  /// Takes one received character; carries out the command that it ends.
  void receive(char character);

 private:
  /// uint8: bytes of an image; int8: the network's own codes; float32: real numbers, little-endian.
  enum class Format : std::uint8_t { kUint8, kInt8, kFloat32 };
  using Element = Subject::Element;
  static constexpr Format kFormat = Format::TINYML_MLPERF_INPUT;
  static constexpr bool kCodes = sizeof(Element) == 1;
  static constexpr bool kError = TINYML_MLPERF_ERROR != 0;
  static constexpr std::uint32_t kReceivedBytes =
      Subject::kElements * (kFormat == Format::kFloat32 ? 4 : 1);
  static constexpr bool kInPlace = kReceivedBytes == Subject::kElements * sizeof(Element);
  static constexpr int kLongest = 80;  // characters of a command
  static constexpr std::uint32_t kDefaultWarmups = 10;

  static_assert(kFormat != Format::kUint8 || Subject::kTakesBytes,
                "how this network sees a byte of an image is not known: let the runner send codes, "
                "-DMLPERF_INPUT=int8, or generate with --mean and --std");
  static_assert(kFormat != Format::kInt8 || kCodes,
                "this network takes real numbers: -DMLPERF_INPUT=float32");
  static_assert(
      !kError || (kFormat == Format::kFloat32 && Subject::kResults == Subject::kElements),
      "ad01 compares an output with real inputs: it is for an autoencoder, generated with "
      "--inference-only");

  void answer();
  void buffer();
  void load(const char* digits);
  void print();
  void infer();
  void results();
  void timestamp() const;
  void to_input();
  Element* input() { return kInPlace ? reinterpret_cast<Element*>(received_) : own_; }
  const char* word();
  bool number(std::uint32_t least, std::uint32_t& value);

  Subject subject_;
  std::uint32_t core_hz_ = 1;
  std::uint32_t loaded_ = 0;  ///< Bytes of the input that have arrived.
  bool loading_ = false;      ///< Whether more are expected.
  bool inferred_ = false;
  int length_ = 0;  ///< Of the command.
  char line_[kLongest + 1] = {};
  char* rest_ = line_;  ///< What of it was not read yet.
  alignas(4) std::uint8_t received_[kReceivedBytes] = {};
  Element own_[kInPlace ? 1 : Subject::kElements] = {};
  float results_[Subject::kResults] = {};
};

}  // namespace tinyml
