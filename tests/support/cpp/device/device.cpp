// The firmware's application on a computer: bytes in, bytes out. A shared library for
// tests/codegen/link, and a program that reads pieces of input (uint32 length, bytes) from the
// standard input and writes what the firmware sent after each in the same form.

#include <cstdio>
#include <new>
#include <vector>

#include "platform/application.hpp"
#include "platform/stack.hpp"
#include "runtime/serial/port.hpp"

namespace {

tinyml::Model model;
std::vector<std::uint8_t> sent;
std::uint32_t now = 0;

struct Device {
  tinyml::BoardFlash flash;
  tinyml::Application application{model, flash};
};
Device* device = nullptr;

}  // namespace

// By qualified names: each is declared in the namespace of the project.
tinyml::TickSource tinyml::start_ticks() { return TickSource::kSysTick; }
std::uint32_t tinyml::ticks() { return now += 10; }
std::size_t tinyml::stack_used() { return 321; }
std::size_t tinyml::stack_size() { return 8192; }

extern "C" {

void tinyml_uart_open() {}
int tinyml_uart_read() { return -1; }
void tinyml_uart_write(std::uint8_t byte) { sent.push_back(byte); }

/// Power on: RAM is lost, flash is not.
void device_start() {
  delete device;
  model.reset();
  device = new Device;
  device->application.start();
}

void device_erase_flash() {
  for (std::uint8_t& byte : tinyml::BoardFlash::content) byte = 0xFF;
}

void device_cut_power(int operation) {
  device->flash.cut_power(operation, tinyml::BoardFlash::Cut::kTorn, 1);
}

/// The head in RAM and the flash, for tests that damage them.
void* device_head() { return model.state(); }
void* device_flash() { return tinyml::BoardFlash::content; }

int device_erasures() { return device->flash.erasures; }

/// Feeds `count` bytes; how many were sent in answer, at most `capacity` of which are in `out`.
int device_feed(const std::uint8_t* bytes, int count, std::uint8_t* out, int capacity) {
  sent.clear();
  for (int i = 0; i < count; ++i) device->application.receive(bytes[i]);
  for (int i = 0; i < capacity && i < static_cast<int>(sent.size()); ++i) {
    out[i] = sent[static_cast<std::size_t>(i)];
  }
  return static_cast<int>(sent.size());
}

int cobs_encode(const std::uint8_t* bytes, int count, std::uint8_t* out) {
  const auto start = out;
  const auto write = [&out](std::uint8_t byte) { *out++ = byte; };
  tinyml::CobsEncoder<decltype(write)> encoder(write);
  for (int i = 0; i < count; ++i) encoder.put(bytes[i]);
  encoder.end();
  return static_cast<int>(out - start);
}

/// The decoded bytes of one frame; -1 when it is broken.
int cobs_decode(const std::uint8_t* bytes, int count, std::uint8_t* out) {
  tinyml::CobsDecoder decoder;
  int decoded = 0;
  for (int i = 0; i < count; ++i) {
    const auto result = decoder.feed(bytes[i], out[decoded]);
    if (result == tinyml::CobsDecoder::Result::kByte) ++decoded;
    if (result == tinyml::CobsDecoder::Result::kBroken) return -1;
  }
  return decoded;
}

std::uint32_t crc32(const std::uint8_t* bytes, int count) {
  tinyml::Crc32 crc;
  crc.add(bytes, static_cast<std::size_t>(count));
  return crc.value();
}

/// Marks the results (1 for a wrong one) at which the drift alarm is raised.
void page_hinkley(const std::uint8_t* wrong, int count, std::uint8_t* alarms, float* statistics) {
  tinyml::PageHinkley test;
  for (int i = 0; i < count; ++i) {
    alarms[i] = test.update(wrong[i] != 0) ? 1 : 0;
    statistics[i] = test.statistic();
  }
}

}  // extern "C"

int main() {
  device_erase_flash();
  device_start();
  std::uint32_t length = 0;
  while (std::fread(&length, sizeof(length), 1, stdin) == 1) {
    std::vector<std::uint8_t> piece(length);
    if (length > 0 && std::fread(piece.data(), 1, length, stdin) != length) return 2;
    device_feed(piece.data(), static_cast<int>(length), nullptr, 0);
    const auto count = static_cast<std::uint32_t>(sent.size());
    std::fwrite(&count, sizeof(count), 1, stdout);
    if (count > 0) std::fwrite(sent.data(), 1, count, stdout);
  }
  return 0;
}
