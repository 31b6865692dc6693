// mobile as an Arduino library: the one header that a sketch includes. Generated.
#pragma once

#include "tinyml/mobile/model.hpp"
