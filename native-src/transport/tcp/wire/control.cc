#include "transport/tcp/wire/control.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/utf8.h"
#include "transport/tcp/wire/wire.h"

namespace lockstep::tcp {
namespace {

constexpr std::size_t ABORT_FIXED_BYTES = 12;
constexpr std::size_t ROSTER_FIXED_BYTES = 8;
constexpr std::size_t ADDRESS_BYTES = 46;  // INET6_ADDRSTRLEN
constexpr std::size_t ENTRY_BYTES = ADDRESS_BYTES + sizeof(std::uint16_t);

constexpr std::int32_t FIRST_CODE = static_cast<std::int32_t>(ErrorCode::INVALID_ARGUMENT);
constexpr std::int32_t LAST_CODE = static_cast<std::int32_t>(ErrorCode::INTERRUPTED);

}  // namespace

std::vector<std::byte> encode_inquiry(const Inquiry& inquiry) {
  std::vector<std::byte> bytes(INQUIRY_BYTES);
  WireWriter(bytes.data())
      .put(inquiry.awaited)
      .put(inquiry.milliseconds)
      .put(std::uint32_t{inquiry.wants_answer});
  return bytes;
}

Inquiry parse_inquiry(std::span<const std::byte> bytes, int world_size) {
  WireReader reader(bytes.data());
  Inquiry inquiry;
  inquiry.awaited = reader.get<std::int32_t>();
  if (inquiry.awaited < 0 || inquiry.awaited >= world_size) inquiry.awaited = -1;
  inquiry.milliseconds = reader.get<std::uint32_t>();
  inquiry.wants_answer = reader.get<std::uint32_t>() != 0;
  return inquiry;
}

std::vector<std::byte> encode_abort(const AbortNotice& notice) {
  std::string_view text = cut_utf8(notice.message, ABORT_TEXT_LIMIT);
  std::vector<std::byte> bytes(ABORT_FIXED_BYTES + text.size());
  WireWriter(bytes.data())
      .put(static_cast<std::int32_t>(notice.code))
      .put(notice.rank)
      .put(static_cast<std::int32_t>(notice.numbering))
      .put_bytes(std::as_bytes(std::span(text)));
  return bytes;
}

std::optional<AbortNotice> parse_abort(std::span<const std::byte> bytes, int world_size) {
  if (bytes.size() < ABORT_FIXED_BYTES || bytes.size() > ABORT_FIXED_BYTES + ABORT_TEXT_LIMIT)
    return std::nullopt;
  WireReader reader(bytes.data());
  auto code = reader.get<std::int32_t>();
  if (code < FIRST_CODE || code > LAST_CODE) return std::nullopt;
  AbortNotice notice;
  notice.code = static_cast<ErrorCode>(code);
  notice.rank = reader.get<std::int32_t>();
  const bool is_of_whole = reader.get<std::int32_t>() == static_cast<std::int32_t>(Error::Numbering::WHOLE);
  if (notice.rank < 0 || (notice.rank >= world_size && !is_of_whole)) notice.rank = Error::NO_RANK;
  if (is_of_whole) notice.numbering = Error::Numbering::WHOLE;
  notice.message.resize(bytes.size() - ABORT_FIXED_BYTES);
  reader.get_bytes(std::as_writable_bytes(std::span(notice.message.data(), notice.message.size())));
  return notice;
}

std::vector<std::byte> encode_roster(const Roster& roster) {
  std::vector<std::byte> bytes(ROSTER_FIXED_BYTES + roster.entries.size() * ENTRY_BYTES);
  WireWriter writer(bytes.data());
  writer.put(roster.group);
  for (const Roster::Entry& entry : roster.entries) {
    std::array<std::byte, ADDRESS_BYTES> address{};
    std::memcpy(address.data(), entry.address.data(), std::min(entry.address.size(), ADDRESS_BYTES - 1));
    writer.put(entry.port).put_bytes(address);
  }
  return bytes;
}

std::optional<Roster> parse_roster(std::span<const std::byte> bytes, int world_size) {
  if (bytes.size() != ROSTER_FIXED_BYTES + static_cast<std::size_t>(world_size) * ENTRY_BYTES)
    return std::nullopt;
  WireReader reader(bytes.data());
  Roster roster;
  roster.group = reader.get<std::uint64_t>();
  roster.entries.resize(static_cast<std::size_t>(world_size));
  for (Roster::Entry& entry : roster.entries) {
    entry.port = reader.get<std::uint16_t>();
    std::array<char, ADDRESS_BYTES> address;
    reader.get_bytes(std::as_writable_bytes(std::span(address)));
    entry.address.assign(address.data(), ::strnlen(address.data(), address.size()));
  }
  return roster;
}

}  // namespace lockstep::tcp
