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
/// Of a learner's state, in one request: it arrives where an image does, and is no longer than one.
constexpr std::uint32_t least(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }
constexpr std::uint32_t kStateChunk =
    least(least(128, kImageBytes), static_cast<std::uint32_t>(Model::kStateBytes)) / 4 * 4;

template <typename T>
constexpr Dtype kDtype = sizeof(T) == sizeof(float) ? kFloat32 : kInt8;

PayloadLayout layout_of(Message message) {
  switch (message) {
    case Message::kClassify:
      return {0, kImageBytes};
    case Message::kLearn:
      return {1, kImageBytes};
    case Message::kLearnLast:
      return {5, 0};
    case Message::kReadState:
      return {8, 0};
    case Message::kSetKnob:
      return {5, 0};
    case Message::kSetAutosave:
      return {4, 0};
    case Message::kWriteState:
      return {4, kStateChunk};
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

/// Of a saved state, in the flash: numbers that `Model::state_within_limits` would refuse are left
/// there.
bool accepts(const void* part, std::size_t bytes) {
  return all_within(static_cast<const float*>(part), static_cast<int>(bytes / sizeof(float)),
                    kMostWeight);
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
      writer_.begin(kBrokenFrameReply, 0, 0);
      writer_.put(Status::kBrokenFrame);
      break;
    case FrameReader::Result::kWrongVersion:
      answer_other_version();
      break;
    case FrameReader::Result::kWrongLength:
      begin_reply();
      writer_.put(Status::kWrongLength);
      break;
    case FrameReader::Result::kFrame:
      answer();
      break;
  }
  writer_.end();
}

void Application::begin_reply() {
  writer_.begin(reader_.number() | kReply, reader_.session(), reader_.sequence());
}

void Application::answer_other_version() {
  writer_.begin();
  writer_.put(kProtocolVersion);
  writer_.put(static_cast<std::uint8_t>(reader_.number() | kReply));
  writer_.put(reader_.header()[2]);
  writer_.put(Status::kWrongVersion);
}

void Application::answer() {
  if ((reader_.number() & kActs) != 0) {
    const KeptReply done = act_once();
    begin_reply();
    writer_.put(done.status);
    writer_.put(done.bytes, done.count);
    return;
  }
  begin_reply();
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
    case Message::kReadState:
      read_state();
      break;
    case Message::kClassify:
      classify();
      break;
    default:
      writer_.put(Status::kUnknownMessage);
  }
}

// --- requests that ask ---------------------------------------------------------------------------

void Application::hello() {
  if (nonce_ != reader_.session()) {  // else it is the session that goes on
    nonce_ = reader_.session();
    session_ += nonce_;  // a late copy of an earlier host's HELLO does not bring its session back
    acted_sequence_ = acted_crc_ = 0;
    has_features_ = false;
  }
  writer_.put(Status::kOk);
  writer_.put(session_);
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
  writer_.put(static_cast<std::uint32_t>(Model::kStateBytes));
  writer_.put(static_cast<std::uint8_t>(Config::kKnobs));
  writer_.put(WorkPlan::kClockHz);
  writer_.put(WorkPlan::kClassifyMs);
  writer_.put(WorkPlan::kLearnMs);
  writer_.put(kLearnerName, sizeof(kLearnerName));
  for (int i = 0; i < Config::kKnobs; ++i) {
    const char* const name = Config::knob(i).name;
    writer_.put(name, std::strlen(name) + 1);
  }
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
  writer_.put(autosave_every_);
  writer_.put(unsaved_updates_);
  writer_.put(saved_sequence_);
  writer_.put(static_cast<std::uint8_t>(Config::kKnobs));
  for (int i = 0; i < Config::kKnobs; ++i) writer_.put(model_.knob(i));
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

void Application::read_state() {
  const auto offset = number_at<std::uint32_t>(reader_.fields());
  const auto bytes = number_at<std::uint32_t>(reader_.fields() + 4);
  if (offset > Model::kStateBytes || bytes > Model::kStateBytes - offset) {
    writer_.put(Status::kWrongValue);
    return;
  }
  writer_.put(Status::kOk);
  writer_.put(static_cast<const std::uint8_t*>(model_.state()) + offset, bytes);
}

void Application::classify() {
  const Status status = extract();
  writer_.put(status);
  if (status != Status::kOk) return;
  Model::Logits logits;
  model_.logits(features_, logits);
  writer_.put(prediction_);
  writer_.put(logits, sizeof(logits));
}

// --- requests that act ---------------------------------------------------------------------------

/// Carries a request out unless it was: what was sent twice, or arrives late, is not done again.
Application::KeptReply Application::act_once() {
  if (reader_.session() != session_) return {Status::kWrongSession, 0, {}};
  if (reader_.sequence() <= acted_sequence_) {
    const bool repeated = reader_.sequence() == acted_sequence_ && reader_.crc() == acted_crc_;
    return repeated ? kept_ : KeptReply{Status::kUsedSequence, 0, {}};
  }
  kept_ = act(reader_.message());
  acted_sequence_ = reader_.sequence();
  acted_crc_ = reader_.crc();
  return kept_;
}

Application::KeptReply Application::act(Message message) {
  switch (message) {
    case Message::kLearn: {
      has_features_ = false;
      if (reader_.fields()[0] >= Config::kClasses) return {Status::kWrongLabel, 0, {}};
      const Status status = extract();
      return status == Status::kOk ? learn(reader_.fields()[0]) : KeptReply{status, 0, {}};
    }
    case Message::kLearnLast:
      if (reader_.fields()[0] >= Config::kClasses) return {Status::kWrongLabel, 0, {}};
      if (!has_features_ || image_sequence_ != number_at<std::uint32_t>(reader_.fields() + 1)) {
        return {Status::kNoImage, 0, {}};
      }
      return learn(reader_.fields()[0]);
    case Message::kSave:
      return save();
    case Message::kLoad:
      return load();
    case Message::kReset:
      model_.reset();
      accuracy_ = Prequential<Config::kClasses>();
      drift_ = PageHinkley();
      alarms_ = last_alarm_ = 0;
      unsaved_updates_ = 1;  // another head than the saved one
      return {Status::kOk, 0, {}};
    case Message::kSetKnob: {
      const auto value = number_at<float>(reader_.fields() + 1);
      const bool set = model_.set_knob(reader_.fields()[0], value);
      return {set ? Status::kOk : Status::kWrongValue, 0, {}};
    }
    case Message::kSetAutosave: {
      const auto every = number_at<std::uint32_t>(reader_.fields());
      if (every > 0 && every < kLeastAutosave) return {Status::kWrongValue, 0, {}};
      if (every > 0 && !store().fits()) return {Status::kNoStorage, 0, {}};
      autosave_every_ = every;
      return {Status::kOk, 0, {}};
    }
    case Message::kWriteState:
      return {write_state(), 0, {}};
    default:
      return {Status::kUnknownMessage, 0, {}};
  }
}

Application::KeptReply Application::learn(std::uint8_t label) {
  // Predicted again: since the image was classified the head may have learned.
  const std::uint8_t prediction = model_.predict(features_);
  const std::uint32_t started = ticks();
  // The label is a class and the features are valid: only the head can be refused.
  if (model_.learn(features_, label) != LearnStatus::kLearned) return {Status::kWrongHead, 0, {}};
  learn_ticks_ = ticks() - started;
  prediction_ = prediction;
  accuracy_.update(label, prediction_);
  const bool alarm = drift_.update(label != prediction_);
  if (alarm) {
    ++alarms_;
    last_alarm_ = accuracy_.samples();
  }
  std::uint8_t saved = 0;
  ++unsaved_updates_;
  if (autosave_every_ > 0 && unsaved_updates_ >= autosave_every_) {
    saved = save().status == Status::kOk ? 1 : 2;
    unsaved_updates_ = 0;  // a flash that fails is not tried again with the next sample
  }
  return {Status::kOk, 3, {prediction_, static_cast<std::uint8_t>(alarm), saved}};
}

/// Puts a part of a state in place that was learned elsewhere, if no number in it is wrong.
Status Application::write_state() {
  const auto offset = number_at<std::uint32_t>(reader_.fields());
  if (kStateChunk == 0 || offset % 4 != 0 || offset > Model::kStateBytes - kStateChunk) {
    return Status::kWrongValue;
  }
  float numbers[kStateChunk / 4 + 1];
  std::memcpy(numbers, Model::image(), kStateChunk);
  if (!accepts(numbers, kStateChunk)) return Status::kWrongHead;
  std::memcpy(static_cast<std::uint8_t*>(model_.state()) + offset, numbers, kStateChunk);
  has_features_ = false;
  if (unsaved_updates_ == 0) unsaved_updates_ = 1;  // another head than the saved one
  return Status::kOk;
}

Application::KeptReply Application::save() {
  if (!store().fits()) return {Status::kNoStorage, 0, {}};
  if (!model_.state_within_limits()) return {Status::kWrongHead, 0, {}};
  if (!store().save(model_.state(), saved_sequence_)) return {Status::kStorageFailed, 0, {}};
  unsaved_updates_ = 0;
  KeptReply reply = {Status::kOk, sizeof(saved_sequence_), {}};
  std::memcpy(reply.bytes, &saved_sequence_, sizeof(saved_sequence_));
  return reply;
}

Application::KeptReply Application::load() {
  if (!store().fits()) return {Status::kNoStorage, 0, {}};
  if (!store().load(model_.state(), saved_sequence_)) return {Status::kNothingSaved, 0, {}};
  unsaved_updates_ = 0;
  KeptReply reply = {Status::kOk, sizeof(saved_sequence_), {}};
  std::memcpy(reply.bytes, &saved_sequence_, sizeof(saved_sequence_));
  return reply;
}

/// The features of the image that was received; of what cannot be learned, none.
Status Application::extract() {
  has_features_ = false;
  if (!Model::takes_image(Model::image())) return Status::kWrongSample;
  const std::uint32_t started = ticks();
  Model::extract(Model::image(), features_);
  extract_ticks_ = ticks() - started;
  if (!Model::takes(features_)) return Status::kWrongSample;
  prediction_ = model_.predict(features_);
  image_sequence_ = reader_.sequence();
  has_features_ = reader_.session() == session_;
  return Status::kOk;
}

SlotStore<BoardFlash> Application::store() {
  return SlotStore<BoardFlash>(flash_, Model::kStateBytes, kDigestWords, accepts);
}

}  // namespace tinyml
