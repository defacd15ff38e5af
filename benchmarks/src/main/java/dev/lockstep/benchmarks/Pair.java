package dev.lockstep.benchmarks;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.TcpOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Where two ranks that are threads of this process meet. */
record Pair(Backend backend, int port) {
  private static final double TIMEOUT_SECONDS = 30;

  /** Over {@code IN_PROCESS}, {@code SHARED_MEMORY} or {@code TCP}. */
  static Pair over(Backend backend) throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new Pair(backend, socket.getLocalPort());
    }
  }

  Communicator join(int rank) {
    return backend == Backend.IN_PROCESS
        ? Communicator.inProcess("benchmark-" + port, rank, 2, TIMEOUT_SECONDS)
        : Communicator.join(
            new TcpOptions(rank, 2, "127.0.0.1", port, "benchmark", TIMEOUT_SECONDS),
            new CommunicatorConfig(
                CommunicatorConfig.Choice.valueOf(backend.name()), TIMEOUT_SECONDS));
  }
}
