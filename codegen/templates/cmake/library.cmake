# The library of the model, which programs link as tinyml::${MODULE}. Reads MODULE, SOURCES and
# CORE_FLAGS of CMakeLists.txt; sets ALONE, WARNINGS and LANGUAGE_FLAGS for the programs there.

if(TARGET tinyml_${MODULE})
  message(FATAL_ERROR "Two projects have the name ${MODULE}: generate one of them with another --name")
endif()

# Whether this project is built by itself. Below another one it has the library only, and leaves
# flags that are no concern of the library's to that one.
if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  set(ALONE ON)
else()
  set(ALONE OFF)
endif()

if(NOT CMAKE_CXX_STANDARD)
  set(CMAKE_CXX_STANDARD 17)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
if(NOT DEFINED CMAKE_CXX_EXTENSIONS)
  set(CMAKE_CXX_EXTENSIONS OFF)
endif()

# A warning is an error where this project is built by itself, by the compilers that it is tested
# with, and only in files that were generated.
set(WARNINGS -Wall -Wextra -Wconversion)
if(ALONE)
  list(APPEND WARNINGS -Werror)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
  endif()
endif()

# No fused multiply-add: float sums then round alike on every machine, so that the host learns the
# same bits as the board (and on a Cortex-M4 a multiply and an add take fewer cycles than a VFMA).
set(LANGUAGE_FLAGS -fno-exceptions -fno-rtti -ffp-contract=off)
if(CMAKE_CROSSCOMPILING)
  list(APPEND LANGUAGE_FLAGS -ffunction-sections -fdata-sections -fno-threadsafe-statics)
endif()

# The core's flags are the whole program's; where that has flags of its own, they hold.
get_directory_property(GIVEN_OPTIONS COMPILE_OPTIONS)
if(NOT CMAKE_CROSSCOMPILING)
  set(CORE_FLAGS)
elseif(NOT ALONE AND "${CMAKE_CXX_FLAGS} ${GIVEN_OPTIONS}" MATCHES "-mcpu|-march")
  set(CORE_FLAGS)
endif()

add_library(tinyml_${MODULE} STATIC ${SOURCES})
add_library(tinyml::${MODULE} ALIAS tinyml_${MODULE})
target_compile_features(tinyml_${MODULE} PUBLIC cxx_std_17)
target_compile_options(tinyml_${MODULE} PUBLIC ${CORE_FLAGS} PRIVATE ${LANGUAGE_FLAGS} ${WARNINGS})
target_link_options(tinyml_${MODULE} PUBLIC ${CORE_FLAGS})
# Nothing else is on the path of those who link it. As headers of the system, whatever they warn of.
target_include_directories(tinyml_${MODULE} SYSTEM INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include)
if(NOT CMAKE_CROSSCOMPILING)
  set_target_properties(tinyml_${MODULE} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endif()
