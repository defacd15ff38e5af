package dev.lockstep.comm;

import dev.lockstep.LockstepException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;

/** Chooses a port for rank 0 to listen on. */
public final class FreePort {
  private static final Path EPHEMERAL_RANGE = Path.of("/proc/sys/net/ipv4/ip_local_port_range");
  private static final int LOWEST = 10_000;
  private static final int TRIES = 200;

  private FreePort() {}

  /**
   * A port that nobody listens on now. It lies below the range from which the kernel gives ports to
   * outgoing connections and to those who ask for any, so that only somebody who names it can take
   * it before rank 0 does; the job's token keeps apart two jobs that meet all the same.
   */
  public static int choose() {
    SecureRandom random = new SecureRandom();
    int end = Math.max(lowestEphemeral(), LOWEST + 1000);
    for (int i = 0; i < TRIES; i++) {
      int port = LOWEST + random.nextInt(end - LOWEST);
      try (ServerSocket probe = new ServerSocket()) {
        probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException taken) {
        continue;
      }
    }
    throw new LockstepException(
        "No free port between " + LOWEST + " and " + end + "; name one with --port.");
  }

  private static int lowestEphemeral() {
    try {
      return Integer.parseInt(Files.readString(EPHEMERAL_RANGE).strip().split("\\s+")[0]);
    } catch (IOException | NumberFormatException e) {
      return 32_768; // Linux's default
    }
  }
}
