#include "core/utf8.h"

#include <algorithm>
#include <cstdint>

namespace lockstep {
namespace {

constexpr std::string_view REPLACEMENT = "\xEF\xBF\xBD";
constexpr std::uint32_t FIRST_SUPPLEMENTARY = 0x10000;

bool is_continuation(char byte) { return (byte & 0xC0) == 0x80; }

struct Character {
  std::uint32_t code;
  std::size_t bytes;  ///< 0 when there is no valid character
};

/// The character with which `text` begins.
Character first_character(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {0, 0};
  std::uint32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {0, 0};
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < FIRST_SUPPLEMENTARY);
  bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? Character{0, 0} : Character{code, bytes};
}

void append_surrogate(std::string& text, std::uint32_t unit) {
  text += static_cast<char>(0xE0 | unit >> 12);
  text += static_cast<char>(0x80 | (unit >> 6 & 0x3F));
  text += static_cast<char>(0x80 | (unit & 0x3F));
}

}  // namespace

std::string modified_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    Character character = first_character(text);
    if (character.bytes == 0) {
      result += REPLACEMENT;
    } else if (character.code == 0) {
      result += "\xC0\x80";
    } else if (character.code >= FIRST_SUPPLEMENTARY) {
      append_surrogate(result, 0xD800 + ((character.code - FIRST_SUPPLEMENTARY) >> 10));
      append_surrogate(result, 0xDC00 + ((character.code - FIRST_SUPPLEMENTARY) & 0x3FF));
    } else {
      result += text.substr(0, character.bytes);
    }
    text.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
  return result;
}

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && is_continuation(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace lockstep
