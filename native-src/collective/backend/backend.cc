#include "collective/backend/backend.h"

#include "channel/wire.h"
#include "core/data_type.h"

namespace lockstep {

void Backend::all_reduce_pieces(const Request& /*whole*/, const Pieces& pieces, const Deadline& deadline) {
  for (int piece = 0; piece < pieces.number; ++piece) {
    execute(pieces.make(piece), deadline);
    pieces.take(piece);
  }
}

void Backend::use_algorithm(Operation operation, std::optional<Algorithm> algorithm) {
  if (!algorithm) return;
  throw Error(ErrorCode::INVALID_ARGUMENT, "The " + name() + " backend carries out " + name_of(operation) +
                                               " in its own way; it cannot use " + name_of(*algorithm) + ".");
}

std::unique_ptr<Wire> Backend::take_wire() { return nullptr; }

}  // namespace lockstep
