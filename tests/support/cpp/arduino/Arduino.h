// The little of Arduino's core that the emitted sketches use, over standard input and output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

class SerialPort {
 public:
  void begin(unsigned long /*baud*/) {}
  void setTimeout(unsigned long /*milliseconds*/) {}
  int available() {
    const int next = std::getchar();
    if (next == EOF) return 0;
    std::ungetc(next, stdin);
    return 1;
  }
  int read() { return std::getchar(); }
  std::size_t readBytes(char* out, std::size_t bytes) { return std::fread(out, 1, bytes, stdin); }
  void println(int value) { std::printf("%d\n", value); }
};

static SerialPort Serial;

void setup();
void loop();

int main() {
  setup();
  while (Serial.available() != 0) loop();
  return 0;
}
