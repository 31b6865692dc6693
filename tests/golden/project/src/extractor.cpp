// The extractor: one kernel call per operator over a planned arena. Generated.
#include "extractor.hpp"

#include <cstring>

#include "../runtime/kernels/add.hpp"
#include "../runtime/kernels/conv_2d.hpp"
#include "../runtime/kernels/depthwise_conv_2d.hpp"
#include "../runtime/kernels/mean.hpp"
#include "../runtime/kernels/mul.hpp"
#include "weights.hpp"

namespace tinyml {
inline namespace mobile {
namespace {

// All activations, 4608 bytes; 6144 are alive at once: an output may lie over the part of an
// input that its kernel has read for the last time.
// No plan of these calls in this order needs less.
alignas(16) std::int8_t arena[4608];

// clang-format off
// 0 CONV_2D: 1x32x32x3 * 12x3x3x3 -> 1x16x16x12
constexpr Conv2DInt8 kOp00{
    /*window=*/{
        /*input=*/{32, 32, 3},
        /*output=*/{16, 16, 12},
        /*kernel_h=*/3,
        /*kernel_w=*/3,
        /*stride_h=*/2,
        /*stride_w=*/2,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op00_weights,
    /*to=*/{
        /*scales=*/op00_scales,
        /*shifts=*/op00_shifts,
        /*table=*/op00_table,
        /*input_zero_point=*/0,
        /*output_zero_point=*/12,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 1 DEPTHWISE_CONV_2D: 1x16x16x12 * 1x3x3x12 -> 1x8x8x12
constexpr DepthwiseConv2DInt8 kOp01{
    /*window=*/{
        /*input=*/{16, 16, 12},
        /*output=*/{8, 8, 12},
        /*kernel_h=*/3,
        /*kernel_w=*/3,
        /*stride_h=*/2,
        /*stride_w=*/2,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*multiplier=*/1,
    /*weights=*/op01_weights,
    /*to=*/{
        /*scales=*/op01_scales,
        /*shifts=*/op01_shifts,
        /*table=*/op01_table,
        /*input_zero_point=*/11,
        /*output_zero_point=*/7,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 2 CONV_2D: 1x8x8x12 * 16x1x1x12 -> 1x8x8x16
constexpr Conv2DInt8 kOp02{
    /*window=*/{
        /*input=*/{8, 8, 12},
        /*output=*/{8, 8, 16},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op02_weights,
    /*to=*/{
        /*scales=*/op02_scales,
        /*shifts=*/op02_shifts,
        /*table=*/nullptr,
        /*input_zero_point=*/7,
        /*output_zero_point=*/-19,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 3 CONV_2D: 1x8x8x16 * 40x1x1x16 -> 1x8x8x40
constexpr Conv2DInt8 kOp03{
    /*window=*/{
        /*input=*/{8, 8, 16},
        /*output=*/{8, 8, 40},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op03_weights,
    /*to=*/{
        /*scales=*/op03_scales,
        /*shifts=*/op03_shifts,
        /*table=*/op03_table,
        /*input_zero_point=*/-19,
        /*output_zero_point=*/14,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 4 DEPTHWISE_CONV_2D: 1x8x8x40 * 1x5x5x40 -> 1x8x8x40
constexpr DepthwiseConv2DInt8 kOp04{
    /*window=*/{
        /*input=*/{8, 8, 40},
        /*output=*/{8, 8, 40},
        /*kernel_h=*/5,
        /*kernel_w=*/5,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/2,
        /*pad_left=*/2,
    },
    /*multiplier=*/1,
    /*weights=*/op04_weights,
    /*to=*/{
        /*scales=*/op04_scales,
        /*shifts=*/op04_shifts,
        /*table=*/op04_table,
        /*input_zero_point=*/9,
        /*output_zero_point=*/-12,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 5 MEAN: 1x8x8x40 * 2 -> 1x1x1x40
constexpr MeanInt8 kOp05{
    /*area=*/64,
    /*channels=*/40,
    /*multiplier=*/1342177280,
    /*exponent=*/-2,
    /*offset=*/-1088,
    /*zero_point=*/9,
};

// 6 CONV_2D: 1x1x1x40 * 8x1x1x40 -> 1x1x1x8
constexpr Conv2DInt8 kOp06{
    /*window=*/{
        /*input=*/{1, 1, 40},
        /*output=*/{1, 1, 8},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op06_weights,
    /*to=*/{
        /*scales=*/op06_scales,
        /*shifts=*/op06_shifts,
        /*table=*/op06_table,
        /*input_zero_point=*/9,
        /*output_zero_point=*/-20,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 7 CONV_2D: 1x1x1x8 * 40x1x1x8 -> 1x1x1x40
constexpr Conv2DInt8 kOp07{
    /*window=*/{
        /*input=*/{1, 1, 8},
        /*output=*/{1, 1, 40},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op07_weights,
    /*to=*/{
        /*scales=*/op07_scales,
        /*shifts=*/op07_shifts,
        /*table=*/op07_table,
        /*input_zero_point=*/-20,
        /*output_zero_point=*/-14,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 8 MUL: 1x8x8x40 * 1x1x1x40 -> 1x8x8x40
constexpr MulInt8 kOp08{
    /*broadcast=*/{/*size=*/{1, 64, 40}, /*step_a=*/{0, 40, 1}, /*step_b=*/{0, 0, 1}},
    /*multiplier=*/2065012480,
    /*exponent=*/-1,
    /*zero_point_a=*/17,
    /*zero_point_b=*/-14,
    /*zero_point=*/-20,
    /*low=*/-128,
    /*high=*/127,
};

// 9 CONV_2D: 1x8x8x40 * 16x1x1x40 -> 1x8x8x16
constexpr Conv2DInt8 kOp09{
    /*window=*/{
        /*input=*/{8, 8, 40},
        /*output=*/{8, 8, 16},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op09_weights,
    /*to=*/{
        /*scales=*/op09_scales,
        /*shifts=*/op09_shifts,
        /*table=*/nullptr,
        /*input_zero_point=*/-20,
        /*output_zero_point=*/-6,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 10 ADD: 1x8x8x16 * 1x8x8x16 -> 1x8x8x16
constexpr AddInt8 kOp10{
    /*broadcast=*/{/*size=*/{1, 1, 1024}, /*step_a=*/{0, 0, 1}, /*step_b=*/{0, 0, 1}},
    /*multiplier_a=*/1322616067,
    /*multiplier_b=*/1073741824,
    /*multiplier=*/1073741824,
    /*exponent_a=*/-5,
    /*exponent_b=*/0,
    /*exponent=*/-18,
    /*zero_point_a=*/-19,
    /*zero_point_b=*/-6,
    /*zero_point=*/-14,
    /*low=*/-128,
    /*high=*/127,
};

// 11 CONV_2D: 1x8x8x16 * 24x1x1x16 -> 1x8x8x24
constexpr Conv2DInt8 kOp11{
    /*window=*/{
        /*input=*/{8, 8, 16},
        /*output=*/{8, 8, 24},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op11_weights,
    /*to=*/{
        /*scales=*/op11_scales,
        /*shifts=*/op11_shifts,
        /*table=*/op11_table,
        /*input_zero_point=*/-14,
        /*output_zero_point=*/9,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 12 DEPTHWISE_CONV_2D: 1x8x8x24 * 1x3x3x24 -> 1x8x8x24
constexpr DepthwiseConv2DInt8 kOp12{
    /*window=*/{
        /*input=*/{8, 8, 24},
        /*output=*/{8, 8, 24},
        /*kernel_h=*/3,
        /*kernel_w=*/3,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/1,
        /*pad_left=*/1,
    },
    /*multiplier=*/1,
    /*weights=*/op12_weights,
    /*to=*/{
        /*scales=*/op12_scales,
        /*shifts=*/op12_shifts,
        /*table=*/op12_table,
        /*input_zero_point=*/-3,
        /*output_zero_point=*/-6,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 13 MEAN: 1x8x8x24 * 2 -> 1x1x1x24
constexpr MeanInt8 kOp13{
    /*area=*/64,
    /*channels=*/24,
    /*multiplier=*/1342177227,
    /*exponent=*/-2,
    /*offset=*/960,
    /*zero_point=*/-4,
};

// 14 CONV_2D: 1x1x1x24 * 8x1x1x24 -> 1x1x1x8
constexpr Conv2DInt8 kOp14{
    /*window=*/{
        /*input=*/{1, 1, 24},
        /*output=*/{1, 1, 8},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op14_weights,
    /*to=*/{
        /*scales=*/op14_scales,
        /*shifts=*/op06_shifts,
        /*table=*/op14_table,
        /*input_zero_point=*/-4,
        /*output_zero_point=*/13,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 15 CONV_2D: 1x1x1x8 * 24x1x1x8 -> 1x1x1x24
constexpr Conv2DInt8 kOp15{
    /*window=*/{
        /*input=*/{1, 1, 8},
        /*output=*/{1, 1, 24},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op15_weights,
    /*to=*/{
        /*scales=*/op15_scales,
        /*shifts=*/op15_shifts,
        /*table=*/op15_table,
        /*input_zero_point=*/13,
        /*output_zero_point=*/-14,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 16 MUL: 1x8x8x24 * 1x1x1x24 -> 1x8x8x24
constexpr MulInt8 kOp16{
    /*broadcast=*/{/*size=*/{1, 64, 24}, /*step_a=*/{0, 24, 1}, /*step_b=*/{0, 0, 1}},
    /*multiplier=*/1558280448,
    /*exponent=*/3,
    /*zero_point_a=*/-15,
    /*zero_point_b=*/-14,
    /*zero_point=*/12,
    /*low=*/-128,
    /*high=*/127,
};

// 17 CONV_2D: 1x8x8x24 * 16x1x1x24 -> 1x8x8x16
constexpr Conv2DInt8 kOp17{
    /*window=*/{
        /*input=*/{8, 8, 24},
        /*output=*/{8, 8, 16},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op17_weights,
    /*to=*/{
        /*scales=*/op17_scales,
        /*shifts=*/op17_shifts,
        /*table=*/nullptr,
        /*input_zero_point=*/12,
        /*output_zero_point=*/-19,
        /*low=*/-128,
        /*high=*/127,
    },
};

// 18 ADD: 1x8x8x16 * 1x8x8x16 -> 1x8x8x16
constexpr AddInt8 kOp18{
    /*broadcast=*/{/*size=*/{1, 1, 1024}, /*step_a=*/{0, 0, 1}, /*step_b=*/{0, 0, 1}},
    /*multiplier_a=*/1422908470,
    /*multiplier_b=*/1073741824,
    /*multiplier=*/1073741824,
    /*exponent_a=*/-4,
    /*exponent_b=*/0,
    /*exponent=*/-18,
    /*zero_point_a=*/-14,
    /*zero_point_b=*/-19,
    /*zero_point=*/-8,
    /*low=*/-128,
    /*high=*/127,
};

// 19 MEAN: 1x8x8x16 * 2 -> 1x1x1x16
constexpr MeanInt8 kOp19{
    /*area=*/64,
    /*channels=*/16,
    /*multiplier=*/1342177280,
    /*exponent=*/-2,
    /*offset=*/512,
    /*zero_point=*/-1,
};

// 20 CONV_2D: 1x1x1x16 * 46x1x1x16 -> 1x1x1x46
constexpr Conv2DInt8 kOp20{
    /*window=*/{
        /*input=*/{1, 1, 16},
        /*output=*/{1, 1, 46},
        /*kernel_h=*/1,
        /*kernel_w=*/1,
        /*stride_h=*/1,
        /*stride_w=*/1,
        /*pad_top=*/0,
        /*pad_left=*/0,
    },
    /*weights=*/op20_weights,
    /*to=*/{
        /*scales=*/op20_scales,
        /*shifts=*/op20_shifts,
        /*table=*/op20_table,
        /*input_zero_point=*/-1,
        /*output_zero_point=*/17,
        /*low=*/-128,
        /*high=*/127,
    },
};

// clang-format on

}  // namespace

std::int8_t* extractor_input() { return arena + 640; }

void extract(const std::int8_t* image, std::int8_t* features) {
  if (image != extractor_input()) {
    std::memcpy(extractor_input(), image, 3072);
  }
  conv_2d(kOp00, arena + 640, arena + 448);
  depthwise_conv_2d(kOp01, arena + 448, arena + 352);
  conv_2d(kOp02, arena + 352, arena + 0);
  conv_2d(kOp03, arena + 0, arena + 1984);
  depthwise_conv_2d(kOp04, arena + 1984, arena + 1024);
  mean(kOp05, arena + 1024, arena + 3584);
  conv_2d(kOp06, arena + 3584, arena + 3632);
  conv_2d(kOp07, arena + 3632, arena + 3584);
  mul(kOp08, arena + 1024, arena + 3584, arena + 1024);
  conv_2d(kOp09, arena + 1024, arena + 3584);
  add(kOp10, arena + 0, arena + 3584, arena + 0);
  conv_2d(kOp11, arena + 0, arena + 1536);
  depthwise_conv_2d(kOp12, arena + 1536, arena + 1152);
  mean(kOp13, arena + 1152, arena + 1024);
  conv_2d(kOp14, arena + 1024, arena + 1056);
  conv_2d(kOp15, arena + 1056, arena + 1024);
  mul_any(kOp16, arena + 1152, arena + 1024, arena + 1152);
  conv_2d(kOp17, arena + 1152, arena + 1024);
  add(kOp18, arena + 0, arena + 1024, arena + 0);
  mean(kOp19, arena + 0, arena + 1024);
  conv_2d(kOp20, arena + 1024, arena + 0);
  std::memcpy(features, arena + 0, 46);
}

}  // namespace mobile
}  // namespace tinyml
