// The handshake, as it comes from anyone who finds the port.

#include <cstdlib>

#include "transport/tcp/handshake/handshake.h"

using namespace lockstep::tcp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span(data, size));
  const Nonce nonce{};
  parse_prefix(input);
  parse_challenge(input);
  parse_reply(input);
  auto hello = parse_hello(input);
  if (hello && (hello->rank < 0 || hello->rank >= hello->world_size || hello->target == hello->rank))
    std::abort();
  // Nobody can prove to know a token that is not in the input.
  if (authentic_hello(input, nonce, "a token that the fuzzer does not know")) std::abort();
  if (authentic_reply(input, hello.value_or(Hello{}), nonce, "a token that the fuzzer does not know"))
    std::abort();
  if (hello) {
    auto again = encode_hello(*hello, nonce, "token");
    if (!authentic_hello(again, nonce, "token")) std::abort();
  }
  return 0;
}
