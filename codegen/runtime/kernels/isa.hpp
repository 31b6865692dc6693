// Which instruction set the int8 kernels use; at most one of the macros is 1:
//   TINYML_ISA_MVE  vectors of Cortex-M55 (kernels in mve/)
//   TINYML_ISA_DSP  pairs of 16-bit products of Cortex-M4, M7 and M33 (kernels in dsp/)
//   TINYML_ISA_ARMV6M  plain C++ but for the inner loop of armv6m/, on Cortex-M0+ as gcc optimises
//   it for speed: -Os leaves it too few registers
// None: plain C++17 (Cortex-M3, computers; clang on any core, which has no registers left for the
// inline assembly of mve/ and dsp/). -DTINYML_ISA_PLAIN asks for that anywhere;
// -DTINYML_ISA_DSP=1 on a computer runs the kernels of dsp/ on emulated instructions, for tests.
#pragma once

#if !defined(TINYML_ISA_PLAIN) && !defined(TINYML_ISA_DSP) && !defined(TINYML_ISA_MVE)
#if defined(__clang__)
// As above.
#elif defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define TINYML_ISA_MVE 1
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define TINYML_ISA_DSP 1
#elif defined(__ARM_ARCH_6M__) && defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define TINYML_ISA_ARMV6M 1
#endif
#endif

#if !defined(TINYML_ISA_MVE)
#define TINYML_ISA_MVE 0
#endif
#if !defined(TINYML_ISA_DSP)
#define TINYML_ISA_DSP 0
#endif
#if !defined(TINYML_ISA_ARMV6M)
#define TINYML_ISA_ARMV6M 0
#endif
