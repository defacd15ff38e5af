#pragma once

#include <cstdio>
#include <string>

namespace lockstep {

/// A time for people, in its shortest form: "3 s", "0.25 s".
inline std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

}  // namespace lockstep
