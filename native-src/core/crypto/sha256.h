#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace lockstep::tcp {

using Digest = std::array<std::byte, 32>;

/// SHA-256 (FIPS 180-4).
Digest sha256(std::span<const std::byte> message);

/// HMAC-SHA-256 (RFC 2104) of `message` under `key`.
Digest hmac_sha256(std::string_view key, std::span<const std::byte> message);

/// Compares in a time that does not depend on where the two differ.
bool equal_in_constant_time(const Digest& left, const Digest& right);

}  // namespace lockstep::tcp
