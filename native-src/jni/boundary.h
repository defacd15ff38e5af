#pragma once

#include <exception>
#include <string>

#include "lockstep/error.h"

namespace lockstep {

/// Runs the body of a function that Java calls, so that Error is all that it throws: the generated bindings
/// carry no other exception's text across.
template <typename Body>
auto at_boundary(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::SYSTEM, std::string("The call failed in native code (") + error.what() +
                                       "); the process may be short of memory.");
  }
}

}  // namespace lockstep
