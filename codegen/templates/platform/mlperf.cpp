#include "platform/mlperf.hpp"

#include <cstring>

#include "platform/ticks.hpp"
#include "runtime/serial/port.hpp"

namespace tinyml {
namespace {

constexpr std::uint32_t kMostDigits = 9;  // of a number in a command
constexpr std::uint32_t kBytesOfALine = 8;

void say(const char* text) {
  while (*text != '\0') tinyml_uart_write(static_cast<std::uint8_t>(*text++));
}

void say(std::uint64_t value) {
  char digits[21];
  char* at = digits + sizeof(digits) - 1;
  *at = '\0';
  do {
    *--at = static_cast<char>('0' + value % 10U);
    value /= 10U;
  } while (value != 0);
  say(at);
}

/// "m-NAME-VALUE", a line of its own.
void say(const char* name, std::uint64_t value) {
  say(name);
  say(value);
  say("\r\n");
}

void say_hex(std::uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const char text[] = {kDigits[byte >> 4U], kDigits[byte & 15U], '\0'};
  say(text);
}

/// With three decimals, as the runner's own firmware prints it.
void say_real(float value) {
  constexpr float kMost = 1e12F;
  if (value != value) {
    say("nan");
    return;
  }
  if (value < 0.0F) {
    say("-");
    value = -value;
  }
  if (value > kMost) {
    say("inf");
    return;
  }
  // To the nearest, halves up.
  const auto halves = static_cast<std::uint64_t>(static_cast<double>(value) * 2000.0);
  const std::uint64_t thousandths = (halves + 1U) / 2U;
  say(thousandths / 1000U);
  const auto decimals = static_cast<char>(thousandths % 1000U / 100U);
  const char text[] = {'.', static_cast<char>('0' + decimals),
                       static_cast<char>('0' + thousandths % 100U / 10U),
                       static_cast<char>('0' + thousandths % 10U), '\0'};
  say(text);
}

/// The value of a hexadecimal digit; -1 where it is none.
int digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

bool is(const char* word, const char* name) { return std::strcmp(word, name) == 0; }

}  // namespace

void Runner::start(std::uint32_t core_hz) {
  core_hz_ = core_hz;
  start_sys_tick();
  tinyml_uart_open();
  say("m-timestamp-mode-performance\r\n");
  timestamp();
  say("m-init-done\r\nm-ready\r\n");
}

void Runner::receive(char character) {
  if (character == '\r' || character == '\n') return;  // of somebody at a terminal
  if (character != '%') {
    if (length_ < kLongest) line_[length_] = character;
    if (length_ <= kLongest) ++length_;
    return;
  }
  if (length_ > kLongest) {
    say("e-[A command has at most 80 characters]\r\n");
  } else {
    line_[length_] = '\0';
    rest_ = line_;
    answer();
  }
  length_ = 0;
  say("m-ready\r\n");
}

void Runner::answer() {
  const char* const command = word();
  if (is(command, "name")) {
    say("m-name-dut-[unspecified]\r\n");
  } else if (is(command, "timestamp")) {
    timestamp();
  } else if (is(command, "profile")) {
    say("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[" TINYML_MLPERF_MODEL "]\r\n");
  } else if (is(command, "db")) {
    buffer();
  } else if (is(command, "infer")) {
    infer();
  } else if (is(command, "results")) {
    results();
  } else if (is(command, "help")) {
    say("name, timestamp, profile, results, db load BYTES, db HEX, db print [BYTES=16] [FROM=0], "
        "infer TIMES [WARMUPS=10]\r\n");
  } else if (*command != '\0') {
    say("e-[Unknown command: ");
    say(command);
    say("]\r\n");
  }
}

// --- the input -----------------------------------------------------------------------------------

void Runner::buffer() {
  const char* const what = word();
  if (*what == '\0') {
    say("e-[Command 'db' requires a subcommand]\r\n");
  } else if (is(what, "print")) {
    print();
  } else if (!is(what, "load")) {
    load(what);
  } else {
    std::uint32_t bytes = 0;
    loading_ = number(1, bytes) && bytes == kReceivedBytes;
    loaded_ = 0;
    inferred_ = false;
    if (loading_) {
      say("m-[Expecting ");
      say(bytes);
      say(" bytes]\r\n");
    } else {
      say("e-[The input of this network has another number of bytes: ");
      say(kReceivedBytes);
      say("]\r\n");
    }
  }
}

void Runner::load(const char* digits) {
  if (!loading_) {
    say("e-[Bytes come after 'db load']\r\n");
    return;
  }
  const std::uint32_t before = loaded_;
  for (; *digits != '\0' && loaded_ < kReceivedBytes; digits += 2) {
    const int high = digit(digits[0]);
    const int low = high < 0 ? -1 : digit(digits[1]);
    if (low < 0) {  // an odd one at the end, too
      loaded_ = before;
      say("e-[Bytes are pairs of hexadecimal digits]\r\n");
      return;
    }
    received_[loaded_++] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (loaded_ < kReceivedBytes) return;
  loading_ = false;
  to_input();
  say("m-load-done\r\n");
}

/// Outside of what is timed.
void Runner::to_input() {
  for (int i = 0; i < Subject::kElements; ++i) {
    if constexpr (kFormat == Format::kUint8) {
      input()[i] = Subject::of_byte(received_[i], i);
    } else if constexpr (kFormat == Format::kFloat32 && kCodes) {
      float real = 0.0F;
      std::memcpy(&real, received_ + 4 * i, sizeof(real));
      input()[i] = Subject::of_real(real);
    }
  }
}

void Runner::print() {
  std::uint32_t bytes = 16;
  std::uint32_t from = 0;
  if (number(1, bytes)) number(0, from);
  const std::uint32_t last = loaded_ < from ? from : loaded_;
  const std::uint32_t end = last - from < bytes ? last : from + bytes;
  for (std::uint32_t i = from; i < end; ++i) {
    const bool first = (i - from) % kBytesOfALine == 0;
    say(!first ? "-" : i == from ? "m-buffer-" : "\r\nm-buffer-");
    say_hex(received_[i]);
  }
  if (from < end) say("\r\n");
}

// --- inference -----------------------------------------------------------------------------------

void Runner::infer() {
  std::uint32_t times = 1;
  std::uint32_t warmups = kDefaultWarmups;
  if (!number(1, times)) {
    say("e-[Inference iterations must be >0]\r\n");
    return;
  }
  if (!number(0, warmups)) {
    say("e-[Inference warmup must be >=0]\r\n");
    return;
  }
  if (loaded_ != kReceivedBytes) {
    say("e-[The input has ");
    say(loaded_);
    say(" bytes, expected ");
    say(kReceivedBytes);
    say("]\r\n");
    return;
  }
  say("m-warmup-start-", warmups);
  for (; warmups > 0; --warmups) subject_.infer(input());
  say("m-warmup-done\r\n");
  say("m-infer-start-", times);
  timestamp();
  for (; times > 0; --times) subject_.infer(input());
  timestamp();
  say("m-infer-done\r\n");
  inferred_ = true;
  results();
}

void Runner::results() {
  if (!inferred_) {
    say("e-[Nothing was inferred yet]\r\n");
    return;
  }
  subject_.results(results_);
  int count = Subject::kResults;
  if constexpr (kError) {
    float sum = 0.0F;
    for (int i = 0; i < Subject::kResults; ++i) {
      float given = 0.0F;
      std::memcpy(&given, received_ + 4 * i, sizeof(given));
      sum += (results_[i] - given) * (results_[i] - given);
    }
    results_[0] = sum / static_cast<float>(Subject::kResults);
    count = 1;
  }
  for (int i = 0; i < count; ++i) {
    say(i == 0 ? "m-results-[" : ",");
    say_real(results_[i]);
  }
  say("]\r\n");
}

void Runner::timestamp() const {
  constexpr std::uint64_t kMillion = 1000000;
  const std::uint64_t now = sys_ticks();
  say("m-lap-us-", now / core_hz_ * kMillion + now % core_hz_ * kMillion / core_hz_);
}

// --- words of a command --------------------------------------------------------------------------

/// The next word, empty behind the last one.
const char* Runner::word() {
  while (*rest_ == ' ') ++rest_;
  const char* const begin = rest_;
  while (*rest_ != '\0' && *rest_ != ' ') ++rest_;
  if (*rest_ != '\0') *rest_++ = '\0';
  return begin;
}

/// The next word as a number, `value` where there is none. False where it is not one of at least
/// `least`.
bool Runner::number(std::uint32_t least, std::uint32_t& value) {
  const char* at = word();
  if (*at == '\0') return true;
  if (std::strlen(at) > kMostDigits) return false;
  std::uint32_t found = 0;
  for (; *at != '\0'; ++at) {
    if (*at < '0' || *at > '9') return false;
    found = found * 10U + static_cast<std::uint32_t>(*at - '0');
  }
  if (found < least) return false;
  value = found;
  return true;
}

}  // namespace tinyml
