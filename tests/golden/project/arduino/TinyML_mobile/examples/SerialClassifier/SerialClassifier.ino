// Classifies images that arrive on the serial port, learns those that come with a label, counts how
// often it was right, watches for drift, and saves what was learned where the board's flash has a
// driver. On the computer, with the tool that came with the generator:
//
//     tinyml-link PORT hello
//     tinyml-link PORT stream data.npz
//
// Every request and reply is a frame with a checksum, and carries a number: a byte that is lost or
// damaged on the way costs a repetition, and nothing is learned that nobody sent.

#include <TinyML_mobile.h>

tinyml::mobile::Model model;  // all that is learned; one for a device
tinyml::mobile::BoardFlash flash;
tinyml::mobile::Application application(model, flash);

extern "C" {
void tinyml_uart_open() { Serial.begin(115200); }
int tinyml_uart_read() { return Serial.read(); }
void tinyml_uart_write(std::uint8_t byte) { Serial.write(byte); }
}

void setup() { application.start(); }

void loop() {
  const int byte = tinyml_uart_read();
  if (byte >= 0) application.receive(static_cast<std::uint8_t>(byte));
}
