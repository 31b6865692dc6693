// Classifies images that arrive on the serial port, and learns those that come with a label.
//
// A computer sends one byte, the label or 255 to have the image classified only, then the image:
// 32x32x3 bytes, row by row. The answer is a line with the class that
// the model took it for, before it learned.

#include <TinyML_mobile.h>

using tinyml::Config;
using tinyml::Model;

Model model;  // all that is learned; one for a device
Config::Feature features[Config::kFeatures];

void setup() {
  Serial.begin(115200);
  Serial.setTimeout(1000);
}

void loop() {
  if (Serial.available() == 0) return;
  const int label = Serial.read();
  Model::Pixel* const input = Model::image();
  for (int i = 0; i < Config::kImageElements; ++i) {
    char byte;
    if (Serial.readBytes(&byte, 1) != 1) return;  // the sender stopped in the middle
    tinyml::PixelCodes::put(static_cast<std::uint8_t>(byte), i % Config::kImageChannels, input[i]);
  }
  Model::extract(input, features);
  Serial.println(model.predict(features));
  model.learn(features, static_cast<std::uint8_t>(label));  // refuses what is no class
}
