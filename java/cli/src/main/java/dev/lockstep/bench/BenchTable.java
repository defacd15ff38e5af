package dev.lockstep.bench;

import dev.lockstep.comm.Communicator;
import java.util.Locale;

/** Results as lines of text, in the manner of nccl-tests. */
public final class BenchTable {
  private BenchTable() {}

  /** What stands above the rows. */
  public static String header(Communicator group, BenchCase parameters) {
    String op = parameters.operation().reduces() ? ", " + lower(parameters.op()) : "";
    return String.format(
            Locale.ROOT,
            "# %s%s, %d ranks over %s, %s buffers, %s%n",
            parameters.operation().text(),
            op,
            group.size(),
            lower(group.backend()),
            parameters.registered() ? "registered" : "plain",
            parameters.inPlace() ? "in place" : "out of place")
        + String.format(
            Locale.ROOT,
            "# %12s %5s %-20s %11s %11s %11s %9s %9s %8s",
            "bytes",
            "type",
            "algorithm",
            "median µs",
            "min",
            "max",
            "algbw",
            "busbw",
            "errors");
  }

  /** One row; bandwidths in GB/s. */
  public static String row(BenchResult result) {
    return String.format(
        Locale.ROOT,
        "  %12d %5s %-20s %11.2f %11.2f %11.2f %9.3f %9.3f %8d",
        result.bytes(),
        lower(result.parameters().type()),
        result.algorithm(),
        result.median(),
        result.min(),
        result.max(),
        result.algbw(),
        result.busbw(),
        result.errors());
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
