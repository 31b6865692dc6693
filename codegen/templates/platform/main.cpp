// The firmware: a mailbox in front of the model. Whatever brings images (a camera's driver, a UART,
// a debugger) writes an image to `mailbox.image`, then `mailbox.command`, and finds the answer when
// the command is idle again. No semihosting, no printf: this is the program whose flash and RAM
// codegen.memory predicts.

#include "tinyml/model.hpp"

namespace {

enum Command : std::uint32_t { kIdle, kClassify, kLearn, kReset };

struct Mailbox {
  volatile std::uint32_t command;
  volatile std::uint8_t label;       ///< Given with kLearn.
  volatile std::uint8_t prediction;  ///< Set by kClassify.
  tinyml::Model::Pixel* image;       ///< Each command consumes it.
};

tinyml::Model model;

}  // namespace

extern "C" Mailbox mailbox;
Mailbox mailbox;

int main() {
  mailbox.image = tinyml::Model::image();
  while (true) {
    switch (mailbox.command) {
      case kClassify:
        mailbox.prediction = model.classify(mailbox.image);
        break;
      case kLearn:
        model.learn_image(mailbox.image, mailbox.label);
        break;
      case kReset:
        model.reset();
        break;
      default:
        continue;
    }
    mailbox.command = kIdle;
  }
}
