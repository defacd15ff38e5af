#include "collective/choice/signature_of.h"

namespace lockstep {

Signature signature_of(const Request& request, std::uint64_t sequence) {
  Signature signature;
  signature.operation = request.operation;
  signature.type = request.type;
  signature.op = request.op;
  signature.root = request.root_or_peer;
  signature.sequence = sequence;
  // Only the root of a scatter or a gather knows whether it is uneven.
  const bool only_root_knows =
      request.operation == Operation::SCATTER || request.operation == Operation::GATHER;
  signature.count = only_root_knows || !request.counts.empty() ? 0 : request.count;
  return signature;
}

}  // namespace lockstep
