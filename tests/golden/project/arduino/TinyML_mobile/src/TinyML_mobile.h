// mobile as an Arduino library: the one header that a sketch includes. Generated.
#pragma once

#include "platform/application.hpp"
#include "runtime/serial/port.hpp"
#include "tinyml/mobile/model.hpp"
