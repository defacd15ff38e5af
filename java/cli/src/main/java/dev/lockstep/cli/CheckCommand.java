package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lockstep check}: whether this group of ranks can talk. */
@Command(
    name = "check",
    description = {
      "Check all-reduce and broadcast over the ranks that this process was launched among.",
      "Every rank must run it: under launch, mpirun or srun."
    })
final class CheckCommand implements Callable<Integer> {
  private static final int[] LENGTHS = {0, 1, 1_000, 1 << 20};

  @Mixin private GroupOptions groupOptions;

  @Override
  public Integer call() {
    groupOptions.config();
    try (Communicator group = groupOptions.join()) {
      for (int length : LENGTHS) {
        long start = System.nanoTime();
        if (!allReduceIsRight(group, length)) {
          return wrong(group, "all-reduce", length);
        }
        double milliseconds = (System.nanoTime() - start) / 1e6;
        if (group.rank() == 0) {
          System.out.printf(
              Locale.ROOT, "all-reduce of %,d doubles: right, %.2f ms%n", length, milliseconds);
        }
      }
      for (int root = 0; root < group.size(); root++) {
        if (!broadcastIsRight(group, root)) {
          return wrong(group, "broadcast from rank " + root, 1_000);
        }
      }
      group.barrier();
      if (group.rank() == 0) {
        System.out.println("broadcast from every rank: right");
        System.out.println(
            "check passed: "
                + group.size()
                + (group.size() == 1 ? " rank over " : " ranks over ")
                + group.backend().name());
      }
    }
    return ExitCode.OK;
  }

  private static boolean allReduceIsRight(Communicator group, int length) {
    double[] mine = new double[length];
    double[] expected = new double[length];
    for (int i = 0; i < length; i++) {
      // Small whole numbers, so that the sum is exact in any order.
      mine[i] = group.rank() + i % 1000;
      expected[i] = group.size() * (group.size() - 1) / 2.0 + (double) group.size() * (i % 1000);
    }
    return Arrays.equals(expected, group.allReduce(mine, ReduceOp.SUM));
  }

  private static boolean broadcastIsRight(Communicator group, int root) {
    byte[] expected = new byte[1_000];
    Arrays.fill(expected, (byte) (root + 1));
    byte[] mine = group.rank() == root ? expected : new byte[0];
    return Arrays.equals(expected, group.broadcast(mine, root));
  }

  private static int wrong(Communicator group, String operation, int length) {
    System.err.printf(
        Locale.ROOT,
        "lockstep: rank %d: %s of %,d elements gave a wrong result%n",
        group.rank(),
        operation,
        length);
    return ExitCode.UNHEALTHY;
  }
}
