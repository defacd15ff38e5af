package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.ConfigProblem;
import dev.lockstep.localize.IterationPoint;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.LocalizationConfig;
import dev.lockstep.localize.LocalizationInput;
import dev.lockstep.localize.Localizer;
import dev.lockstep.localize.Track;
import dev.lockstep.localize.files.TrackedNetwork;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.NetworkWarnings;
import dev.lockstep.localize.report.ConsoleProgress;
import dev.lockstep.localize.report.LocalizationFolder;
import dev.lockstep.monitor.AtomicFile;
import dev.lockstep.monitor.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lockstep localize}: this process is one rank of a localisation. */
@Command(
    name = "localize",
    description = {
      "Locate a network of sensors from measured distances; alone, or as one rank under launch,"
          + " mpirun or srun.",
      "",
      "Rank 0 writes positions.csv, result.json, network.png and convergence.png. The positions"
          + " have the same bits on any number of ranks."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep localize --network ranges.csv --anchors anchors.csv --out located",
      "  lockstep localize --anchors anchors.csv --track log.csv --out tracked",
      "  lockstep localize --config examples/localize-20.yaml --out located",
      "  lockstep launch -n 2 -- localize --network network.json --config mine.yaml --out located",
      "  mpirun -n 2 lockstep localize --config mine.yaml --set algorithm.refine=false --out"
          + " located"
    })
final class LocalizeCommand implements Callable<Integer> {
  @Option(
      names = "--network",
      paramLabel = "FILE",
      description = "Distances and anchors, .json or .csv (default: generated as CONFIG says).")
  private @Nullable Path network;

  @Option(
      names = "--anchors",
      paramLabel = "FILE",
      description = "A .csv with the anchors, where the network's .csv has none.")
  private @Nullable Path anchors;

  @Option(
      names = "--track",
      paramLabel = "FILE",
      description =
          "A .csv with time,from,to,range: locates each time stamp from the one before, and writes"
              + " track.csv, a line for each fix; with --anchors unless the file has them.")
  private @Nullable Path track;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A YAML file with the sections network, measurements and algorithm.")
  private @Nullable Path config;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      required = true,
      description = "Where the results go.")
  private Path out;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key, as in --set algorithm.max_iterations=200; may be repeated.")
  private List<String> overrides = List.of();

  @Mixin private GroupOptions groupOptions;

  @Override
  public Integer call() {
    LocalizationConfig settings =
        config == null
            ? ConfigLoader.parse(LocalizationConfig.class, "defaults", "{}", overrides)
            : ConfigLoader.load(LocalizationConfig.class, config, overrides);
    if (track != null) {
      return track(settings, track);
    }
    if (network == null && !settings.network().generates()) {
      throw new ConfigException(
          List.of(
              new ConfigProblem(
                  config == null ? "defaults" : config.toString(),
                  "there is no network; name a file by --network, or give network.n_sensors,"
                      + " network.n_anchors and network.communication_range")));
    }
    // A network that is not there or does not fit is found before any rank connects.
    long start = System.nanoTime();
    LocalizationInput input =
        LocalizationInput.read(
            settings, Optional.ofNullable(network), Optional.ofNullable(anchors));
    double readSeconds = (System.nanoTime() - start) / 1e9;
    try (Communicator group = groupOptions.join();
        MDC.MDCCloseable ignored = RankContext.enter(group.rank())) {
      locate(settings, input, group, readSeconds);
    }
    return ExitCode.OK;
  }

  private int track(LocalizationConfig settings, Path file) {
    if (network != null) {
      throw new ConfigException(
          List.of(
              new ConfigProblem(
                  network.toString(),
                  "--track has its ranges in " + file + "; name its anchors by --anchors")));
    }
    List<TrackedNetwork> networks =
        TrackedNetwork.read(
            file, Optional.ofNullable(anchors), settings.measurements().duplicates());
    Track fixes = new Track();
    try (Communicator group = groupOptions.join();
        MDC.MDCCloseable ignored = RankContext.enter(group.rank())) {
      try {
        fixes.run(group, settings, networks);
      } catch (NetworkException e) {
        throw e.at(file.toString());
      }
      if (group.rank() == 0) {
        new LocalizationFolder(out).create();
        AtomicFile.replace(out.resolve("track.csv"), fixes.csv());
        System.out.printf(
            Locale.ROOT,
            "Located %,d of %,d time stamps; file %s%n",
            fixes.located(),
            networks.size(),
            out.resolve("track.csv"));
        if (fixes.skipped() > 0) {
          System.out.println("  left out, the first at " + fixes.reason());
        }
      }
    }
    return ExitCode.OK;
  }

  private void locate(
      LocalizationConfig settings,
      LocalizationInput input,
      Communicator group,
      double readSeconds) {
    LocalizationFolder folder = new LocalizationFolder(out);
    if (group.rank() != 0) {
      located(settings, input, group, point -> {});
      return;
    }
    folder.create();
    if (network != null && settings.network().generates()) {
      System.out.println("The network is that of " + network + "; the configuration's is not used");
    }
    System.out.println(
        "Network: "
            + input.network()
            + "; world size "
            + group.size()
            + ", backend "
            + group.backend());
    NetworkWarnings.of(input.network()).forEach(System.out::println);
    Localization result;
    int iterations = settings.algorithm().maxIterations();
    try (ConsoleProgress progress =
        new ConsoleProgress(System.out, iterations, Terminal.attached())) {
      result = located(settings, input, group, progress);
    }
    checkFit(result);
    folder.write(result, readSeconds);
    report(result);
  }

  /** Numbers that cannot be right are not written. */
  private void checkFit(Localization result) {
    try {
      result.fit().check();
    } catch (NetworkException e) {
      throw network == null ? e : e.at(network.toString());
    }
  }

  private Localization located(
      LocalizationConfig settings,
      LocalizationInput input,
      Communicator group,
      Consumer<IterationPoint> progress) {
    try (Localizer localizer =
        Localizer.builder(group)
            .settings(settings.algorithm())
            .noise(input.noise())
            .weights(input.weights())
            .progress(progress)
            .build()) {
      return localizer.locate(input.network(), input.start());
    } catch (NetworkException e) {
      Path source = network != null ? network : config;
      throw source == null ? e : e.at(source.toString());
    }
  }

  private void report(Localization result) {
    double seconds = result.seconds().values().stream().mapToDouble(Double::doubleValue).sum();
    System.out.printf(
        Locale.ROOT,
        "Located %,d sensors in %.2f s: %,d iterations, %,d of refinement%n",
        result.network().sensors(),
        seconds,
        result.iterations(),
        result.refinementIterations());
    if (result.network().truth().isPresent()) {
      System.out.printf(
          Locale.ROOT,
          "RMSE %.4g, before refinement %.4g%n",
          result.rmse(),
          result.rmseOfSplitting());
    }
    System.out.printf(
        Locale.ROOT,
        "Certainty: %s; chi-square %.4g with %,d degrees of freedom%n",
        result.certainty().verdict().name().toLowerCase(Locale.ROOT),
        result.fit().chiSquare(),
        result.fit().degreesOfFreedom());
    result.certainty().reasons().forEach(reason -> System.out.println("  " + reason));
    System.out.println(
        "Files in " + out + ": positions.csv, result.json, network.png, convergence.png");
  }
}
