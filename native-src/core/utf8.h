#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lockstep/export.h"

namespace lockstep {

/// The text in the modified UTF-8 that JNI's NewStringUTF() demands (JNI specification, "Modified UTF-8
/// Strings"). Bytes that are no UTF-8 (RFC 3629) become U+FFFD.
LOCKSTEP_API std::string modified_utf8(std::string_view text);

/// The first `limit` bytes, or up to three fewer where that would cut a character.
std::string_view cut_utf8(std::string_view text, std::size_t limit);

}  // namespace lockstep
