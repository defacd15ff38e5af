package dev.lockstep.cli;

import dev.lockstep.bench.Bench;
import dev.lockstep.bench.BenchCase;
import dev.lockstep.bench.BenchOperation;
import dev.lockstep.bench.BenchResult;
import dev.lockstep.bench.BenchTable;
import dev.lockstep.bench.Iterations;
import dev.lockstep.bench.SizeList;
import dev.lockstep.bench.TuningTable;
import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Collective;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lockstep bench tune}: measures a group's algorithms and writes its tuning file. */
@Command(
    name = "tune",
    description = {
      "Measure every algorithm of this group over sizes and write which to use when.",
      "",
      "Use the file as communicator.tuning of a configuration, or through LOCKSTEP_TUNING."
    },
    footer = {"", "Example:", "  srun lockstep bench tune --output cluster.tuning"})
final class BenchTuneCommand implements Callable<Integer> {
  /** The collectives that have a choice. */
  private static final Map<Collective, BenchOperation> TUNED =
      new EnumMap<>(
          Map.of(
              Collective.ALL_REDUCE, BenchOperation.ALLREDUCE,
              Collective.BROADCAST, BenchOperation.BROADCAST,
              Collective.ALL_GATHER, BenchOperation.ALLGATHER,
              Collective.REDUCE_SCATTER, BenchOperation.REDUCESCATTER,
              Collective.ALL_TO_ALL, BenchOperation.ALLTOALL,
              Collective.BARRIER, BenchOperation.BARRIER));

  @Spec private CommandSpec spec;

  @Mixin private GroupOptions groupOptions;

  @Option(
      names = "--sizes",
      paramLabel = "SIZES",
      defaultValue = "8:64M:x4",
      description = "Bytes of a rank's buffer (default: ${DEFAULT-VALUE}).")
  private String sizes = "";

  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = "100",
      description = "Measured iterations of each size, at most (default: ${DEFAULT-VALUE}).")
  private int iterations;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The tuning file to write.")
  private Path output;

  @Override
  public Integer call() {
    List<Long> bytes;
    try {
      bytes = SizeList.parse(sizes);
      new Iterations(0, iterations, 0);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    try (Communicator group = groupOptions.join();
        MDC.MDCCloseable ignored = RankContext.enter(group.rank())) {
      if (group.size() == 1) {
        throw new ParameterException(
            spec.commandLine(),
            "bench tune compares algorithms between ranks and this is a group of one; start it under"
                + " mpirun, srun or launch -n N, as the jobs that will use the file");
      }
      TuningTable table =
          new TuningTable(
              String.format(
                  Locale.ROOT,
                  "lockstep bench tune, %s: %d ranks over %s",
                  LocalDate.now(),
                  group.size(),
                  group.backend()));
      long errors = 0;
      for (Map.Entry<Collective, BenchOperation> entry : TUNED.entrySet()) {
        errors += tune(group, entry.getKey(), entry.getValue(), bytes, table);
      }
      if (group.rank() == 0 && errors == 0) {
        write(table);
      }
      return BenchCommand.report(group.rank(), errors);
    }
  }

  /** Measures one collective, where it has a choice. @return wrong elements */
  private long tune(
      Communicator group,
      Collective collective,
      BenchOperation operation,
      List<Long> bytes,
      TuningTable table) {
    List<Algorithm> algorithms = algorithms(group, collective);
    if (algorithms.size() < 2) {
      return 0;
    }
    List<BenchCase> cases = new ArrayList<>();
    for (long size : operation == BenchOperation.BARRIER ? List.of(0L) : bytes) {
      cases.add(new BenchCase(operation, size, DataType.F32, ReduceOp.SUM, false, false));
    }
    NavigableMap<Long, Map<Algorithm, Double>> medians = new TreeMap<>();
    long errors = 0;
    try (Bench bench = new Bench(group, cases)) {
      print(group, BenchTable.header(group, cases.get(0)));
      for (BenchCase parameters : cases) {
        Map<Algorithm, Double> times = new EnumMap<>(Algorithm.class);
        for (Algorithm algorithm : algorithms) {
          group.useAlgorithm(collective, algorithm);
          BenchResult result = bench.measure(parameters, iterationsOf(parameters));
          times.put(algorithm, result.median());
          errors += result.errors();
          print(group, BenchTable.row(result));
        }
        medians.put(parameters.bytes(), times);
      }
    }
    group.useAlgorithm(collective, null);
    table.add(collective, medians);
    return errors;
  }

  /** Those that this group has: it refuses the others, on all ranks alike. */
  private static List<Algorithm> algorithms(Communicator group, Collective collective) {
    List<Algorithm> algorithms = new ArrayList<>();
    for (Algorithm algorithm : Algorithm.values()) {
      if (algorithm == Algorithm.NONE) {
        continue;
      }
      try {
        group.useAlgorithm(collective, algorithm);
        algorithms.add(algorithm);
      } catch (IllegalArgumentException notHere) {
        // The answer to the question.
      }
    }
    group.useAlgorithm(collective, null);
    return algorithms;
  }

  private Iterations iterationsOf(BenchCase parameters) {
    Iterations usual = Iterations.forSize(parameters.bytes());
    int measured = Math.min(iterations, usual.measured());
    return new Iterations(Math.max(3, measured / 5), measured, usual.compile());
  }

  private static void print(Communicator group, String line) {
    if (group.rank() == 0) {
      System.out.println(line);
    }
  }

  private void write(TuningTable table) {
    try {
      DurableFiles.replace(output, table.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(output + " cannot be written: " + e.getMessage(), e);
    }
    System.out.println("wrote " + output);
  }
}
