#include <memory>

#include "collective/transport_backend.h"
#include "jni/boundary.h"
#include "jni/communicators.h"
#include "lockstep/communicator.h"
#include "transport/tcp/tcp_transport.h"

namespace lockstep {

std::int64_t open_tcp(std::int32_t rank, std::int32_t world_size, const char* master_address,
                      std::int32_t master_port, const char* token, double timeout_seconds) {
  return at_boundary([&] {
    check_world(rank, world_size);
    TcpOptions options;
    options.rank = rank;
    options.world_size = world_size;
    options.master_address = master_address == nullptr ? "" : master_address;
    options.master_port = master_port;
    options.token = token == nullptr ? "" : token;
    options.timeout_seconds = timeout_seconds;
    return open_communicator(make_backend(connect_tcp(options)), timeout_seconds);
  });
}

}  // namespace lockstep
