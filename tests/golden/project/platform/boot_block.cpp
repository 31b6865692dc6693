// What the RP2350's boot ROM looks for in the first 4 kB of flash before it starts an image: the
// smallest block that describes an executable for the Arm cores in secure state (RP2350 Datasheet,
// Bootrom, "Minimum Arm IMAGE_DEF"). The vector table is then expected at the start of the image.

#include <cstdint>

namespace {

constexpr std::uint32_t kBlockStart = 0xFFFFDED3U;
constexpr std::uint32_t kExecutableArmSecureRp2350 = 0x10210142U;
constexpr std::uint32_t kLastItemOfOneWord = 0x000001FFU;
constexpr std::uint32_t kNextBlockIsThisOne = 0;
constexpr std::uint32_t kBlockEnd = 0xAB123579U;

[[gnu::section(".boot_block"), gnu::used]] const std::uint32_t kImageDef[] = {
    kBlockStart, kExecutableArmSecureRp2350, kLastItemOfOneWord, kNextBlockIsThisOne, kBlockEnd,
};

}  // namespace
