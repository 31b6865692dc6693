// Runs extractors on an emulated board: inputs from cases.in, outputs to cases.out, both without
// any framing, in the order of the table.
#pragma once

#include "test/io.hpp"

struct Case {
  void (*extract)(const signed char* input, signed char* output);
  unsigned inputs, input_bytes, output_bytes;
};

template <unsigned kCases>
int run_cases(const Case (&cases)[kCases], signed char* input, signed char* output) {
  const int in = io::open_to_read("cases.in");
  const int out = io::open_to_write("cases.out");
  if (in < 0 || out < 0) return 2;
  for (const Case& entry : cases) {
    for (unsigned i = 0; i < entry.inputs; ++i) {
      if (!io::read(in, input, entry.input_bytes)) return 3;
      entry.extract(input, output);
      if (!io::write(out, output, entry.output_bytes)) return 4;
    }
  }
  io::close(in);
  io::close(out);
  return 0;
}
