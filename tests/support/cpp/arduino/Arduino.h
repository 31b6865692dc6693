// The little of Arduino's core that the emitted sketches use, over standard input and output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

class SerialPort {
 public:
  void begin(unsigned long /*baud*/) { std::setvbuf(stdout, nullptr, _IONBF, 0); }
  int read() {
    const int next = std::getchar();
    ended_ = next == EOF;
    return ended_ ? -1 : next;
  }
  std::size_t write(std::uint8_t byte) { return std::putchar(byte) == byte ? 1 : 0; }
  bool ended() const { return ended_; }

 private:
  bool ended_ = false;
};

inline unsigned long micros() {
  static unsigned long now = 0;
  return now += 7;
}

static SerialPort Serial;

void setup();
void loop();

#if defined(IS_A_SKETCH)
int main() {
  setup();
  while (!Serial.ended()) loop();
  return 0;
}
#endif
