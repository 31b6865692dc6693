// CHAIN: convolutions, depthwise convolutions and sums that follow each other, run row by row. Of
// what a stage makes only the rows that are still to be read exist, in the scratch.
//
// A row is made as soon as a later stage asks for it, which the last one does first: so rows are
// made once, in rising order, and what is kept is least. A block of expansion, depthwise
// convolution and projection may keep the rows of its input instead of those of the expansion,
// which it then makes anew under each window, some columns at a time: less memory, more
// multiply-adds.
//
// When an output row is written, the input's rows that the stages have asked for by then have been
// read; the output may lie over those that none asks for again. Where the last stage takes the
// input itself, it reads them while it writes.
#pragma once

#include <cstdint>

#include "runtime/kernels/add.hpp"
#include "runtime/kernels/common.hpp"
#include "runtime/kernels/conv_2d.hpp"
#include "runtime/kernels/depthwise_conv_2d.hpp"
#include "runtime/kernels/inverted_residual.hpp"

namespace tinyml {

template <typename Convolution, typename Depthwise, typename Sum>
struct ChainStage {
  // What it runs: one of these four.
  const Convolution* convolution;
  const Depthwise* depthwise;
  const Sum* sum;  // of one row
  const InvertedResidual<Convolution, Depthwise>* block;
  std::int16_t source, other;  // stages whose rows it takes (a sum takes both); -1 is the input
  std::int16_t source_height;
  std::int16_t height, kept;         // rows that it makes, and how many of them are kept at a time
  std::int16_t kernel, stride, pad;  // of rows
  std::int16_t columns;              // that a block makes together
  std::int32_t row;                  // elements of one
  std::int32_t place;                // of its rows, in the scratch
  std::int32_t work;                 // of what a block needs beside them, in the scratch
};

using ChainStageInt8 = ChainStage<Conv2DInt8, DepthwiseConv2DInt8, AddInt8>;
using ChainStageFloat = ChainStage<Conv2DFloat, DepthwiseConv2DFloat, AddFloat>;

static_assert(sizeof(void*) != 4 || sizeof(ChainStageInt8) == 48);  // codegen/ops/chain.py knows it

template <typename Stage>
struct Chain {
  const Stage* stages;
  std::int32_t count;
  std::int32_t input_row;  // elements
};

using ChainInt8 = Chain<ChainStageInt8>;
using ChainFloat = Chain<ChainStageFloat>;

namespace chain_detail {

constexpr std::int32_t kMostStages = 64;  // codegen/ops/chain.py knows it

// Rows [first, made) of a stage exist.
struct Progress {
  std::int16_t first, made;
};

// Rows of its source that a stage reads for its row `y`; none when it has made them all.
struct Reach {
  std::int32_t top, from, to;
};

template <typename Stage>
inline Reach reach_of(const Stage& stage, std::int32_t y) {
  const std::int32_t height = stage.source_height;
  if (y == stage.height) return {height, height, height};
  const std::int32_t top = y * stage.stride - stage.pad;
  return {top, clamp(top, 0, height), clamp(top + stage.kernel, 0, height)};
}

struct Fast {
  static void run(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
    conv_2d(op, input, output);
  }
  static void run(const DepthwiseConv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
    depthwise_conv_2d(op, input, output);
  }
  static void run(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                  std::int8_t* output) {
    add(op, a, b, output);
  }
};

struct Any {
  static void run(const Conv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
    conv_2d_any(op, input, output);
  }
  static void run(const DepthwiseConv2DInt8& op, const std::int8_t* input, std::int8_t* output) {
    depthwise_conv_2d_any(op, input, output);
  }
  static void run(const AddInt8& op, const std::int8_t* a, const std::int8_t* b,
                  std::int8_t* output) {
    add_any(op, a, b, output);
  }
};

struct Real {
  static void run(const Conv2DFloat& op, const float* input, float* output) {
    conv_2d(op, input, output);
  }
  static void run(const DepthwiseConv2DFloat& op, const float* input, float* output) {
    depthwise_conv_2d(op, input, output);
  }
  static void run(const AddFloat& op, const float* a, const float* b, float* output) {
    add(op, a, b, output);
  }
};

// One row of a convolution of either kind; `rows` are those that it reads.
template <typename Kernels, typename Convolution, typename Element>
inline void one_row(const Convolution& whole, const Reach& reach, const Element* rows,
                    Element* output) {
  Convolution op = whole;
  op.window.input.height = static_cast<std::int16_t>(reach.to - reach.from);
  op.window.output.height = 1;
  op.window.pad_top = static_cast<std::int16_t>(reach.from - reach.top);
  Kernels::run(op, rows, output);
}

// One row of a block, `columns` at a time. The work space holds the part of the expansion under
// them, and what the depthwise convolution makes of it.
template <typename Kernels, typename Block, typename Element>
inline void one_row(const Block& block, std::int32_t columns, const Reach& reach,
                    const Element* rows, Element* output, Element* work) {
  auto expand = block.expand;
  auto depthwise = block.depthwise;
  auto project = block.project;
  const Window whole = block.depthwise.window;
  const std::int32_t depth = expand.window.input.channels;
  const std::int32_t channels = project.window.output.channels;
  expand.window.input.height = expand.window.output.height = 1;
  project.window.input.height = project.window.output.height = 1;
  depthwise.window.input.height = static_cast<std::int16_t>(reach.to - reach.from);
  depthwise.window.output.height = 1;
  depthwise.window.pad_top = static_cast<std::int16_t>(reach.from - reach.top);
  for (std::int32_t x = 0; x < whole.output.width; x += columns) {
    const std::int32_t end = x + columns < whole.output.width ? x + columns : whole.output.width;
    const std::int32_t left = x * whole.stride_w - whole.pad_left;
    const std::int32_t right = (end - 1) * whole.stride_w - whole.pad_left + whole.kernel_w;
    const std::int32_t from = clamp(left, 0, whole.input.width);
    const auto width = static_cast<std::int16_t>(clamp(right, 0, whole.input.width) - from);
    expand.window.input.width = expand.window.output.width = width;
    Element* expanded = work;
    for (std::int32_t y = 0; y < depthwise.window.input.height; ++y) {
      Kernels::run(expand, rows + (y * whole.input.width + from) * depth, expanded);
      expanded += width * whole.input.channels;
    }
    depthwise.window.input.width = width;
    depthwise.window.pad_left = static_cast<std::int16_t>(from - left);
    depthwise.window.output.width = static_cast<std::int16_t>(end - x);
    Kernels::run(depthwise, work, expanded);
    project.window.input.width = project.window.output.width = depthwise.window.output.width;
    Kernels::run(project, expanded, output + x * channels);
  }
}

template <typename Kernels, typename Stage, typename Element>
class Run {
 public:
  Run(const Chain<Stage>& op, const Element* input, Element* output, Element* scratch)
      : op_(op), input_(input), output_(output), scratch_(scratch) {}

  void all() {
    const std::int32_t last = op_.count - 1;
    while (progress_[last].made < op_.stages[last].height) make(asked(last));
  }

 private:
  // The stage that `number` waits for, directly or not, and that waits for none.
  std::int32_t asked(std::int32_t number) const {
    for (;;) {
      const Stage& stage = op_.stages[number];
      const std::int32_t to = reach_of(stage, progress_[number].made).to;
      if (stage.source >= 0 && progress_[stage.source].made < to) {
        number = stage.source;
      } else if (stage.sum != nullptr && stage.other >= 0 && progress_[stage.other].made < to) {
        number = stage.other;
      } else {
        return number;
      }
    }
  }

  void make(std::int32_t number) {
    const Stage& stage = op_.stages[number];
    Progress& own = progress_[number];
    if (own.made - own.first == stage.kept) drop(number);
    const Reach reach = reach_of(stage, own.made);
    const Element* rows = row(stage.source, reach.from);
    Element* target = number + 1 == op_.count
                          ? output_ + own.made * stage.row
                          : scratch_ + stage.place + (own.made - own.first) * stage.row;
    if (stage.convolution != nullptr) {
      one_row<Kernels>(*stage.convolution, reach, rows, target);
    } else if (stage.depthwise != nullptr) {
      one_row<Kernels>(*stage.depthwise, reach, rows, target);
    } else if (stage.sum != nullptr) {
      Kernels::run(*stage.sum, rows, row(stage.other, reach.from), target);
    } else {
      one_row<Kernels>(*stage.block, stage.columns, reach, rows, target, scratch_ + stage.work);
    }
    ++own.made;
  }

  // Makes room for a row, over those that no stage reads again.
  void drop(std::int32_t number) {
    Progress& own = progress_[number];
    std::int32_t needed = own.made;
    for (std::int32_t reader = number + 1; reader < op_.count; ++reader) {
      const Stage& stage = op_.stages[reader];
      if (stage.source == number || (stage.sum != nullptr && stage.other == number)) {
        const std::int32_t from = reach_of(stage, progress_[reader].made).from;
        needed = from < needed ? from : needed;
      }
    }
    const std::int32_t size = op_.stages[number].row;
    Element* rows = scratch_ + op_.stages[number].place;
    inverted_residual_detail::move_down(
        rows, rows + (needed - own.first) * size,
        static_cast<std::int32_t>(sizeof(Element)) * (own.made - needed) * size);
    own.first = static_cast<std::int16_t>(needed);
  }

  const Element* row(std::int32_t number, std::int32_t y) const {
    if (number < 0) return input_ + y * op_.input_row;
    const Stage& stage = op_.stages[number];
    return scratch_ + stage.place + (y - progress_[number].first) * stage.row;
  }

  const Chain<Stage>& op_;
  const Element* input_;
  Element* output_;
  Element* scratch_;
  Progress progress_[kMostStages] = {};
};

}  // namespace chain_detail

// For stages of which all that the fast kernels assume is proved.
TINYML_KERNEL void chain(const ChainInt8& op, const std::int8_t* input, std::int8_t* output,
                         std::int8_t* scratch) {
  chain_detail::Run<chain_detail::Fast, ChainStageInt8, std::int8_t>(op, input, output, scratch)
      .all();
}

TINYML_KERNEL void chain_any(const ChainInt8& op, const std::int8_t* input, std::int8_t* output,
                             std::int8_t* scratch) {
  chain_detail::Run<chain_detail::Any, ChainStageInt8, std::int8_t>(op, input, output, scratch)
      .all();
}

TINYML_KERNEL void chain(const ChainFloat& op, const float* input, float* output, float* scratch) {
  chain_detail::Run<chain_detail::Real, ChainStageFloat, float>(op, input, output, scratch).all();
}

}  // namespace tinyml
