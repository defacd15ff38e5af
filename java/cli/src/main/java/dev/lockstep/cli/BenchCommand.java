package dev.lockstep.cli;

import dev.lockstep.bench.Bench;
import dev.lockstep.bench.BenchCase;
import dev.lockstep.bench.BenchJson;
import dev.lockstep.bench.BenchOperation;
import dev.lockstep.bench.BenchResult;
import dev.lockstep.bench.BenchTable;
import dev.lockstep.bench.Iterations;
import dev.lockstep.bench.SizeList;
import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep bench}: this process is one rank of a measurement. */
@Command(
    name = "bench",
    description = {
      "Time collectives over sizes and check every result; alone, or as one rank under launch, mpirun"
          + " or srun.",
      "",
      "Before each timed call every rank rewrites its inputs and meets the others at a barrier; after it"
          + " all results are read and checked. Times are the mean over ranks up to 64 KiB (as OSU's"
          + " benchmarks) and the maximum above (as nccl-tests), of iterations the median. Bandwidths are"
          + " in GB/s; busbw is what nccl-tests means by it. Wrong results give exit code 7."
    },
    subcommands = {BenchTuneCommand.class, BenchPlotCommand.class},
    footer = {
      "",
      "Sizes: bytes with K, M or G (powers of 1024), or ranges FROM:TO:xFACTOR and FROM:TO:+STEP.",
      "",
      "Examples:",
      "  lockstep launch -n 2 -- bench allreduce --sizes 8:128M:x4 --registered --in-place",
      "  mpirun -n 2 lockstep bench broadcast alltoall --sizes 4K,64K,1M --json results.json",
      "  lockstep bench plot results.json --output results.png"
    })
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "OPERATION",
      description = "${COMPLETION-CANDIDATES}.",
      completionCandidates = LowerCaseOperations.class)
  private List<BenchOperation> operations = List.of();

  @Option(
      names = "--sizes",
      paramLabel = "SIZES",
      defaultValue = "8:64M:x8",
      description = "Bytes of the larger buffer of a rank (default: ${DEFAULT-VALUE}).")
  private String sizes = "";

  @Option(
      names = "--types",
      split = ",",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description = "Element types: f32, f64, f16, bf16, i32, i64, u8 (default: ${DEFAULT-VALUE}).")
  private List<DataType> types = List.of();

  @Option(
      names = "--op",
      paramLabel = "OP",
      defaultValue = "sum",
      description = "sum, average, min, max or product (default: ${DEFAULT-VALUE}).")
  private ReduceOp op = ReduceOp.SUM;

  @Option(
      names = "--registered",
      description = "Use buffers that the communicator allocates, instead of plain ones.")
  private boolean registered;

  @Option(names = "--in-place", description = "All-reduce with input and output the same.")
  private boolean inPlace;

  @Option(
      names = "--iterations",
      paramLabel = "N",
      description = "Measured iterations of each size (default: 1000 up to 64 KiB, then fewer).")
  private @Nullable Integer iterations;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description = "Iterations before those (default: a fifth, and compilation of the code).")
  private @Nullable Integer warmUp;

  @Option(
      names = "--algorithm",
      paramLabel = "NAME",
      description = "Instead of the tuning's choice: ring, recursive-doubling, …")
  private @Nullable String algorithm;

  @Mixin private GroupOptions groupOptions;

  @Option(names = "--json", paramLabel = "FILE", description = "Also write the results there.")
  private @Nullable Path json;

  @Override
  public Integer call() {
    List<BenchCase> cases = cases();
    Algorithm chosen = chosenAlgorithm();
    try (Communicator group = groupOptions.join();
        MDC.MDCCloseable ignored = RankContext.enter(group.rank());
        Bench bench = new Bench(group, cases)) {
      List<BenchResult> results = new ArrayList<>();
      use(group, chosen);
      for (BenchCase parameters : cases) {
        print(group, results, bench.measure(parameters, iterationsOf(parameters)));
      }
      if (group.rank() == 0 && json != null) {
        write(json, results);
      }
      return report(group.rank(), results.stream().mapToLong(BenchResult::errors).sum());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private @Nullable Algorithm chosenAlgorithm() {
    if (algorithm == null) {
      return null;
    }
    for (Algorithm known : Algorithm.values()) {
      if (known.text().equalsIgnoreCase(algorithm) && known != Algorithm.NONE) {
        return known;
      }
    }
    throw new ParameterException(
        spec.commandLine(), "'" + algorithm + "' is no algorithm such as ring or direct");
  }

  /** All ranks choose alike, and a group that has not what was chosen says what it has. */
  private void use(Communicator group, @Nullable Algorithm chosen) {
    if (chosen == null) {
      return;
    }
    for (BenchOperation operation : operations) {
      try {
        operation.collective().ifPresent(collective -> group.useAlgorithm(collective, chosen));
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec.commandLine(), e.getMessage(), e);
      }
    }
  }

  /** All rows, in the order in which they are measured. */
  private List<BenchCase> cases() {
    if (operations.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "an operation is missing: allreduce, …");
    }
    try {
      List<Long> bytes = SizeList.parse(sizes);
      List<BenchCase> cases = new ArrayList<>();
      for (BenchOperation operation : operations) {
        boolean barrier = operation == BenchOperation.BARRIER;
        for (DataType type : barrier ? List.of(DataType.U8) : types) {
          for (long size : barrier ? List.of(0L) : bytes) {
            cases.add(new BenchCase(operation, size, type, op, registered, inPlace));
          }
        }
      }
      cases.forEach(this::iterationsOf);
      return cases;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private Iterations iterationsOf(BenchCase parameters) {
    Iterations usual = Iterations.forSize(parameters.bytes());
    return new Iterations(
        warmUp == null ? usual.warmUp() : warmUp,
        iterations == null ? usual.measured() : iterations,
        warmUp == null ? usual.compile() : 0);
  }

  /** Rank 0 prints each row as soon as it is there. */
  private static void print(Communicator group, List<BenchResult> results, BenchResult result) {
    if (group.rank() == 0) {
      BenchOperation operation = result.parameters().operation();
      boolean first =
          results.isEmpty()
              || results.get(results.size() - 1).parameters().operation() != operation;
      if (first) {
        System.out.println(BenchTable.header(group, result.parameters()));
      }
      System.out.println(BenchTable.row(result));
    }
    results.add(result);
  }

  private static void write(Path file, List<BenchResult> results) {
    try {
      DurableFiles.replace(file, BenchJson.write(results));
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written: " + e.getMessage(), e);
    }
  }

  static int report(int rank, long errors) {
    if (errors == 0) {
      return ExitCode.OK;
    }
    if (rank == 0) {
      System.err.println("lockstep: " + errors + " elements of the results were wrong");
    }
    return ExitCode.UNHEALTHY;
  }

  /** For help and completion: {@code valueOf} takes any case, people write lower. */
  static final class LowerCaseOperations extends ArrayList<String> {
    private static final long serialVersionUID = 1;

    LowerCaseOperations() {
      for (BenchOperation operation : BenchOperation.values()) {
        add(operation.text());
      }
    }
  }
}
