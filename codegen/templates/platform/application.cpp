#include "platform/application.hpp"

#include <cstring>

#include "platform/stack.hpp"
#include "runtime/serial/port.hpp"

namespace tinyml {

static_assert(sizeof(void*) != 4 || sizeof(Application) == MemoryPlan::kFirmwareBytes,
              "the planned bytes are the real ones");

namespace {

constexpr std::uint32_t kImageBytes = Config::kImageElements * sizeof(Config::Pixel);
/// Flash wears out: no head is saved more often than this by itself.
constexpr std::uint32_t kLeastAutosave = 16;

/// In replies; not the values of anything else.
enum Dtype : std::uint8_t { kInt8 = 0, kFloat32 = 1 };
template <typename T>
constexpr Dtype kDtype = sizeof(T) == sizeof(float) ? kFloat32 : kInt8;

PayloadLayout layout_of(Message message) {
  switch (message) {
    case Message::kClassify:
      return {0, kImageBytes};
    case Message::kLearn:
      return {1, kImageBytes};
    case Message::kLearnLast:
      return {1, 0};
    case Message::kReadHead:
      return {8, 0};
    case Message::kSetLearningRate:
    case Message::kSetAutosave:
      return {4, 0};
    default:
      return {0, 0};
  }
}

template <typename Number>
Number number_at(const std::uint8_t* bytes) {
  Number value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

}  // namespace

void Application::start() {
  tinyml_uart_open();
  tick_source_ = start_ticks();
  load();
}

void Application::receive(std::uint8_t byte) {
  auto* const image = reinterpret_cast<std::uint8_t*>(Model::image());
  switch (reader_.feed(byte, layout_of, image)) {
    case FrameReader::Result::kNothing:
      return;
    case FrameReader::Result::kBroken:
      reply_status(kBrokenFrameReply, 0, Status::kBrokenFrame);
      return;
    case FrameReader::Result::kFrame:
      if (reader_.version() == kProtocolVersion) {
        answer();
        return;
      }
      break;
    case FrameReader::Result::kWrongLength:
      break;
  }
  const auto message = static_cast<std::uint8_t>(reader_.message());
  const bool same_version = reader_.version() == kProtocolVersion;
  reply_status(message | kReply, reader_.sequence(),
               same_version ? Status::kWrongLength : Status::kWrongVersion);
}

void Application::reply_status(std::uint8_t message, std::uint8_t sequence, Status status) {
  writer_.begin(message, sequence);
  writer_.put(status);
  writer_.end();
}

void Application::answer() {
  const auto message = static_cast<std::uint8_t>(reader_.message());
  if ((message & kActs) != 0) {
    // A host that missed the reply asks again: the sample is not learned twice.
    if (!has_acted_ || acted_crc_ != reader_.crc()) {
      kept_ = act(reader_.message());
      acted_crc_ = reader_.crc();
      has_acted_ = true;
    }
    writer_.begin(message | kReply, reader_.sequence());
    writer_.put(kept_.status);
    writer_.put(kept_.bytes, kept_.count);
    writer_.end();
    return;
  }
  writer_.begin(message | kReply, reader_.sequence());
  switch (reader_.message()) {
    case Message::kHello:
      hello();
      break;
    case Message::kStats:
      stats();
      break;
    case Message::kMemory:
      memory();
      break;
    case Message::kTiming:
      timing();
      break;
    case Message::kReadHead:
      read_head();
      break;
    case Message::kClassify:
      classify();
      break;
    default:
      writer_.put(Status::kUnknownMessage);
  }
  writer_.end();
}

// --- requests that ask ---------------------------------------------------------------------------

void Application::hello() {
  has_acted_ = false;  // a host that starts again may use the same sequence numbers
  writer_.put(Status::kOk);
  writer_.put(kDigestWords, sizeof(kDigestWords));
  writer_.put(static_cast<std::uint16_t>(Config::kImageHeight));
  writer_.put(static_cast<std::uint16_t>(Config::kImageWidth));
  writer_.put(static_cast<std::uint16_t>(Config::kImageChannels));
  writer_.put(static_cast<std::uint16_t>(Config::kClasses));
  writer_.put(static_cast<std::uint32_t>(Config::kFeatures));
  writer_.put(static_cast<std::uint32_t>(Config::kBufferSamples));
  writer_.put(kPixelScale);
  writer_.put(static_cast<std::int16_t>(kPixelZeroPoint));
  writer_.put(kApiVersion);
  writer_.put(kDtype<Config::Pixel>);
  writer_.put(kDtype<Config::Feature>);
  writer_.put(static_cast<std::uint8_t>(store().fits()));
  writer_.put(kClassNames, sizeof(kClassNames) - 1);
}

void Application::stats() {
  writer_.put(Status::kOk);
  writer_.put(accuracy_.samples());
  writer_.put(accuracy_.correct());
  writer_.put(accuracy_.recent());
  writer_.put(drift_.statistic());
  writer_.put(alarms_);
  writer_.put(last_alarm_);
  writer_.put(static_cast<std::uint32_t>(model_.buffer_count()));
  writer_.put(model_.learning_rate());
  writer_.put(autosave_every_);
  writer_.put(unsaved_updates_);
  writer_.put(saved_sequence_);
  writer_.put(accuracy_.seen(), sizeof(accuracy_.seen()));
  writer_.put(accuracy_.correct_of(), sizeof(accuracy_.correct_of()));
}

void Application::memory() {
  const std::size_t parts[] = {MemoryPlan::kArenaBytes,
                               MemoryPlan::kHeadBytes,
                               MemoryPlan::kBufferBytes,
                               MemoryPlan::kLearnerBytes,
                               sizeof(Application),
                               MemoryPlan::kStackBytes,
                               stack_used(),
                               MemoryPlan::kRamBytes,
                               MemoryPlan::kBoardRamBytes,
                               MemoryPlan::kFlashBytes,
                               MemoryPlan::kBoardFlashBytes,
                               BoardFlash::kSlotBytes};
  writer_.put(Status::kOk);
  for (const std::size_t bytes : parts) writer_.put(static_cast<std::uint32_t>(bytes));
}

void Application::timing() {
  writer_.put(Status::kOk);
  writer_.put(static_cast<std::uint8_t>(tick_source_));
  writer_.put(extract_ticks_);
  writer_.put(learn_ticks_);
}

void Application::read_head() {
  const auto offset = number_at<std::uint32_t>(reader_.fields());
  const auto bytes = number_at<std::uint32_t>(reader_.fields() + 4);
  if (offset > Model::kHeadBytes || bytes > Model::kHeadBytes - offset) {
    writer_.put(Status::kWrongValue);
    return;
  }
  writer_.put(Status::kOk);
  writer_.put(static_cast<const std::uint8_t*>(model_.head()) + offset, bytes);
}

void Application::classify() {
  extract();
  Model::Logits logits;
  model_.logits(features_, logits);
  writer_.put(Status::kOk);
  writer_.put(prediction_);
  writer_.put(logits, sizeof(logits));
}

// --- requests that act ---------------------------------------------------------------------------

Application::KeptReply Application::act(Message message) {
  switch (message) {
    case Message::kLearn:
      if (reader_.fields()[0] >= Config::kClasses) return {Status::kWrongLabel, 0, {}};
      extract();
      return learn(reader_.fields()[0]);
    case Message::kLearnLast:
      if (reader_.fields()[0] >= Config::kClasses) return {Status::kWrongLabel, 0, {}};
      if (!has_features_) return {Status::kNoImage, 0, {}};
      return learn(reader_.fields()[0]);
    case Message::kSave:
      return save();
    case Message::kLoad:
      return load();
    case Message::kReset:
      model_.reset();
      accuracy_ = Prequential<Config::kClasses>();
      drift_ = PageHinkley();
      alarms_ = last_alarm_ = unsaved_updates_ = 0;
      return {Status::kOk, 0, {}};
    case Message::kSetLearningRate: {
      const auto rate = number_at<float>(reader_.fields());
      constexpr float kMost = 1e6F;
      if (!(rate > 0.0F && rate <= kMost)) return {Status::kWrongValue, 0, {}};  // and no NaN
      model_.set_learning_rate(rate);
      return {Status::kOk, 0, {}};
    }
    case Message::kSetAutosave: {
      const auto every = number_at<std::uint32_t>(reader_.fields());
      if (every > 0 && every < kLeastAutosave) return {Status::kWrongValue, 0, {}};
      if (every > 0 && !store().fits()) return {Status::kNoStorage, 0, {}};
      autosave_every_ = every;
      return {Status::kOk, 0, {}};
    }
    default:
      return {Status::kUnknownMessage, 0, {}};
  }
}

Application::KeptReply Application::learn(std::uint8_t label) {
  // Predicted again: since the image was classified the head may have learned.
  prediction_ = model_.predict(features_);
  accuracy_.update(label, prediction_);
  const bool alarm = drift_.update(label != prediction_);
  if (alarm) {
    ++alarms_;
    last_alarm_ = accuracy_.samples();
  }
  const std::uint32_t started = ticks();
  model_.learn(features_, label);
  learn_ticks_ = ticks() - started;

  std::uint8_t saved = 0;
  ++unsaved_updates_;
  if (autosave_every_ > 0 && unsaved_updates_ >= autosave_every_) {
    saved = save().status == Status::kOk ? 1 : 2;
    unsaved_updates_ = 0;  // a flash that fails is not tried again with the next sample
  }
  return {Status::kOk, 3, {prediction_, static_cast<std::uint8_t>(alarm), saved}};
}

Application::KeptReply Application::save() {
  if (!store().fits()) return {Status::kNoStorage, 0, {}};
  if (!store().save(model_.head(), saved_sequence_)) return {Status::kStorageFailed, 0, {}};
  unsaved_updates_ = 0;
  KeptReply reply = {Status::kOk, sizeof(saved_sequence_), {}};
  std::memcpy(reply.bytes, &saved_sequence_, sizeof(saved_sequence_));
  return reply;
}

Application::KeptReply Application::load() {
  if (!store().fits()) return {Status::kNoStorage, 0, {}};
  if (!store().load(model_.head(), saved_sequence_)) return {Status::kNothingSaved, 0, {}};
  unsaved_updates_ = 0;
  KeptReply reply = {Status::kOk, sizeof(saved_sequence_), {}};
  std::memcpy(reply.bytes, &saved_sequence_, sizeof(saved_sequence_));
  return reply;
}

void Application::extract() {
  const std::uint32_t started = ticks();
  Model::extract(Model::image(), features_);
  extract_ticks_ = ticks() - started;
  prediction_ = model_.predict(features_);
  has_features_ = true;
}

SlotStore<BoardFlash> Application::store() {
  return SlotStore<BoardFlash>(flash_, Model::kHeadBytes, kDigestWords);
}

}  // namespace tinyml
