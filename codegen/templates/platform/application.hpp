#pragma once

#include <cstdint>

#include "platform/flash.hpp"
#include "platform/ticks.hpp"
#include "runtime/link/frame_reader.hpp"
#include "runtime/link/frame_writer.hpp"
#include "runtime/monitor/page_hinkley.hpp"
#include "runtime/monitor/prequential.hpp"
#include "runtime/storage/slots.hpp"
#include "tinyml/identity.hpp"
#include "tinyml/model.hpp"

namespace tinyml {

/// The firmware: answers requests that arrive on the serial port. docs/protocol.md of the generator
/// describes them; the messages are in runtime/link/messages.hpp.
class Application {
 public:
  /// `model` and `flash` outlive the application.
  Application(Model& model, BoardFlash& flash) : model_(model), flash_(flash) {}

  /// Starts the port, then loads the head that was saved last, if there is one.
  void start();

  /// Takes one received byte; carries out and answers the request that it completes.
  void receive(std::uint8_t byte);

 private:
  /// A reply to a request that acts: kept, so that a repeated request gets the same one.
  struct KeptReply {
    Status status;
    std::uint8_t count;
    std::uint8_t bytes[6];
  };

  void answer();
  void begin_reply();
  void answer_other_version();
  void hello();
  void stats();
  void memory();
  void timing();
  void read_state();
  void classify();
  KeptReply act_once();
  KeptReply act(Message message);
  KeptReply learn(std::uint8_t label);
  Status write_state();
  KeptReply save();
  KeptReply load();
  Status extract();
  SlotStore<BoardFlash> store();

  Model& model_;
  BoardFlash& flash_;
  FrameReader reader_;
  FrameWriter writer_;
  Prequential<Config::kClasses> accuracy_;
  PageHinkley drift_;
  TickSource tick_source_ = TickSource::kSysTick;
  bool has_features_ = false;              ///< Whether `features_` are an image's.
  std::uint8_t prediction_ = 0;            ///< Of the last image.
  std::uint32_t image_sequence_ = 0;       ///< Of the request that brought it.
  std::uint32_t nonce_ = 0;                ///< Of the last HELLO.
  std::uint32_t session_ = 0;              ///< The one that may act.
  std::uint32_t acted_sequence_ = 0;       ///< The last one that acted in it; 0 before the first.
  std::uint32_t acted_crc_ = 0;            ///< Of its frame.
  KeptReply kept_ = {Status::kOk, 0, {}};  ///< What it was answered.
  std::uint32_t alarms_ = 0;
  std::uint32_t last_alarm_ = 0;  ///< Number of the sample, from 1, that raised it.
  std::uint32_t autosave_every_ = 0;
  std::uint32_t unsaved_updates_ = 0;
  std::uint32_t saved_sequence_ = 0;  ///< Of the head in flash; 0 when there is none.
  std::uint32_t extract_ticks_ = 0;
  std::uint32_t learn_ticks_ = 0;
  Config::Feature features_[Config::kFeatures];
};

}  // namespace tinyml
