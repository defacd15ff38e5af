package dev.lockstep.benchmarks;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs {@link KernelBenchmark} and {@link AllReduceBenchmark} by JMH and prints, as Markdown, the
 * rate of each in bytes read and written, and its share of the rate at which one core copies as
 * large a working set in the same run. Arguments are JMH's.
 */
public final class BandwidthShares {
  private static final double GIGA = 1e9;

  private BandwidthShares() {}

  /** {@code benchmarks/jmh.sh --shares [JMH options]}. */
  public static void main(String[] arguments) throws RunnerException, CommandLineOptionException {
    CommandLineOptions given = new CommandLineOptions(arguments);
    OptionsBuilder options = new OptionsBuilder();
    options.parent(given);
    if (given.getIncludes().isEmpty()) {
      options.include(KernelBenchmark.class.getName()).include(AllReduceBenchmark.class.getName());
    }
    List<RunResult> results =
        new Runner(options.build())
            .run().stream()
                .filter(result -> result.getParams().getParam("kibibytes") != null)
                .toList();
    Map<Long, Double> copies = new HashMap<>();
    for (RunResult result : results) {
      BenchmarkParams parameters = result.getParams();
      if (Kernel.COPY.name().equals(parameters.getParam("kernel"))) {
        copies.put(bytes(parameters), kernelRate(Kernel.COPY, result));
      }
    }
    System.out.println("\n| | working set | GB/s | share of copy |\n|---|---|---|---|");
    results.forEach(result -> print(result, copies));
  }

  private static void print(RunResult result, Map<Long, Double> copies) {
    BenchmarkParams parameters = result.getParams();
    String kernel = parameters.getParam("kernel");
    long bytes = bytes(parameters);
    double rate;
    String name;
    if (kernel != null) {
      name = kernel.toLowerCase(Locale.ROOT).replace('_', ' ');
      rate = kernelRate(Kernel.valueOf(kernel), result);
    } else {
      // Both ranks read both inputs and write one result, counted once for each rank.
      name = "all-reduce, " + parameters.getParam("backend").toLowerCase(Locale.ROOT);
      rate = 3.0 * bytes / seconds(result) / GIGA;
    }
    OptionalDouble copy =
        copies.entrySet().stream()
            .filter(entry -> kernel == null || entry.getKey() == bytes)
            .mapToDouble(Map.Entry::getValue)
            .min();
    String share =
        copy.isEmpty() ? "" : String.format(Locale.ROOT, "%.2f", rate / copy.getAsDouble());
    System.out.printf(
        Locale.ROOT, "| %s | %,d KiB | %.1f | %s |%n", name, bytes / 1024, rate, share);
  }

  private static double kernelRate(Kernel kernel, RunResult result) {
    return kernel.bytesMoved(bytes(result.getParams())) / seconds(result) / GIGA;
  }

  private static long bytes(BenchmarkParams parameters) {
    return Long.parseLong(parameters.getParam("kibibytes")) * 1024;
  }

  private static double seconds(RunResult result) {
    return result.getPrimaryResult().getScore() * 1e-6;
  }
}
