// Constants of the extractor, in flash. Generated; see extractor.cpp for what each belongs to.
#pragma once

#include <cstdint>

namespace tinyml {
inline namespace mobile {

extern const std::int8_t op00_weights[325];
extern const std::int32_t op00_scales[24];
extern const std::int8_t op00_shifts[12];
extern const std::int8_t op00_table[256];
extern const std::int8_t op01_weights[108];
extern const std::int32_t op01_scales[24];
extern const std::int8_t op01_shifts[12];
extern const std::int8_t op01_table[256];
extern const std::int8_t op02_weights[192];
extern const std::int32_t op02_scales[32];
extern const std::int8_t op02_shifts[16];
extern const std::int8_t op03_weights[640];
extern const std::int32_t op03_scales[80];
extern const std::int8_t op03_shifts[40];
extern const std::int8_t op03_table[256];
extern const std::int8_t op04_weights[1000];
extern const std::int32_t op04_scales[80];
extern const std::int8_t op04_shifts[40];
extern const std::int8_t op04_table[256];
extern const std::int8_t op06_weights[320];
extern const std::int32_t op06_scales[16];
extern const std::int8_t op06_shifts[8];
extern const std::int8_t op06_table[256];
extern const std::int8_t op07_weights[320];
extern const std::int32_t op07_scales[80];
extern const std::int8_t op07_shifts[40];
extern const std::int8_t op07_table[256];
extern const std::int8_t op09_weights[640];
extern const std::int32_t op09_scales[32];
extern const std::int8_t op09_shifts[16];
extern const std::int8_t op11_weights[384];
extern const std::int32_t op11_scales[48];
extern const std::int8_t op11_shifts[24];
extern const std::int8_t op11_table[256];
extern const std::int8_t op12_weights[216];
extern const std::int32_t op12_scales[48];
extern const std::int8_t op12_shifts[24];
extern const std::int8_t op12_table[256];
extern const std::int8_t op14_weights[192];
extern const std::int32_t op14_scales[16];
extern const std::int8_t op14_table[256];
extern const std::int8_t op15_weights[192];
extern const std::int32_t op15_scales[48];
extern const std::int8_t op15_shifts[24];
extern const std::int8_t op15_table[256];
extern const std::int8_t op17_weights[384];
extern const std::int32_t op17_scales[32];
extern const std::int8_t op17_shifts[16];
extern const std::int8_t op20_weights[736];
extern const std::int32_t op20_scales[92];
extern const std::int8_t op20_shifts[46];
extern const std::int8_t op20_table[256];
}  // namespace mobile
}  // namespace tinyml
