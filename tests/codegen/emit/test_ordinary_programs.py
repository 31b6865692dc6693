"""Ordinary C++ around the model: what newlib and the C++ library ask for is there."""

from __future__ import annotations

import re

import pytest

from codegen.toolchain import target
from codegen.toolchain.run import ToolchainError
from tests.support.needs import needs_board_tools

PROGRAM = """\
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>
#include "tinyml/model.hpp"

{head}

struct Counter {{
  ~Counter() {{ value = -1; }}
  int value = 7;
}};
static Counter counter;
static tinyml::Model model;

int main() {{
  std::vector<int> numbers;
  for (int i = 0; i < 100; ++i) numbers.push_back(i * counter.value);
  auto text = std::make_unique<std::string>("the sum is ");
  long sum = 0;
  for (const int number : numbers) sum += number;
  char line[64];
  std::snprintf(line, sizeof(line), "%s%ld, %d samples\\n", text->c_str(), sum, model.buffer_count());
  assert(sum == 34650);
  say(line);
  {tail}
}}
"""
SEMIHOSTING = (
    '#include "test/io.hpp"\nstatic void say(const char* text) '
    '{ io::print(text); io::print("stack bytes used: 1\\n"); }'
)
SERIAL = (
    '#include "runtime/serial/port.hpp"\nstatic void say(const char* text) '
    "{ while (*text != 0) tinyml_uart_write(static_cast<std::uint8_t>(*text++)); }"
)


@needs_board_tools
def test_vectors_strings_and_asserts_run_on_a_board(emit_identity, tmp_path):
    project, tree = emit_identity()
    program = tree / "test" / "self_test.cpp"
    program.write_text(PROGRAM.format(head=SEMIHOSTING, tail="return 0;"))
    printed = target.run_self_test(tree, project.board, tmp_path)
    assert printed.startswith("the sum is 34650, 0 samples\n")
    # More than there is: newlib says so, and what is left stays the stack's and the model's.
    much = f"return std::malloc({project.board.ram_bytes}) == nullptr ? 0 : 1;"
    program.write_text(PROGRAM.format(head=SEMIHOSTING, tail=much))
    target.run_self_test(tree, project.board, tmp_path)
    program.write_text(PROGRAM.format(head=SEMIHOSTING, tail="assert(sum == 1); return 0;"))
    with pytest.raises(ToolchainError, match=r"exit code 6\n"):  # SIGABRT
        target.run_self_test(tree, project.board, tmp_path)


@needs_board_tools
def test_the_firmware_links_with_them_and_without_them_has_none(emit_identity, tmp_path):
    _, tree = emit_identity()
    symbols = r" (_sbrk|_exit|__dso_handle|_write)\n"
    plain = target.build_firmware(tree, tmp_path / "plain")
    assert not re.search(symbols, target.toolchain.run(["arm-none-eabi-nm", str(plain)], tree, 60))
    (tree / "user").mkdir()
    (tree / "user" / "main.cpp").write_text(PROGRAM.format(head=SERIAL, tail="return 0;"))
    own = target.build_firmware(tree, tmp_path / "own")
    assert re.search(symbols, target.toolchain.run(["arm-none-eabi-nm", str(own)], tree, 60))
