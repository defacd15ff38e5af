package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's and OpenBLAS's thread pools. Left alone they multiply, and steps take several times as
 * long.
 */
public final class TorchThreads {
  private TorchThreads() {}

  /**
   * Sets both pools of this process; collective, because ranks on one host share its cores.
   *
   * @param requested threads of each rank, or 0 for cores ÷ ranks on this host
   * @return threads of this rank, at least 1
   */
  public static int configure(int requested, Communicator communicator) {
    byte[] own = hostName().getBytes(StandardCharsets.UTF_8);
    long here =
        Arrays.stream(communicator.allGather(own)).filter(host -> Arrays.equals(host, own)).count();
    int cores = Runtime.getRuntime().availableProcessors();
    int threads = requested > 0 ? requested : (int) Math.max(1, cores / here);
    torch.set_num_threads(threads);
    openblas.blas_set_num_threads(threads);
    return threads;
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      // A host that cannot look up its own name still has one.
      return String.valueOf(System.getenv("HOSTNAME"));
    }
  }
}
