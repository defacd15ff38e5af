package dev.lockstep.cli;

import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.monitor.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What commands that record a run in a folder have in common; a mixin. */
final class RunOptions {
  @Parameters(paramLabel = "CONFIG", description = "The YAML file.")
  private Path file;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key, as in --set seed=7; may be repeated.")
  private List<String> overrides = List.of();

  @Option(names = "--resume", description = "Go on from the run's newest usable checkpoint.")
  private boolean resume;

  @Option(names = "--name", description = "The run's name: short for --set name=NAME.")
  private @Nullable String name;

  @Option(
      names = "--backend",
      description = "${COMPLETION-CANDIDATES}: short for --set communicator.backend=…")
  private CommunicatorConfig.@Nullable Choice backend;

  Path file() {
    return file;
  }

  boolean resume() {
    return resume;
  }

  /** Keys to override, those of the short forms last. */
  List<String> overrides() {
    List<String> all = new ArrayList<>(overrides);
    if (name != null) {
      all.add("name=" + quoted(name));
    }
    if (backend != null) {
      all.add("communicator.backend=" + backend.name().toLowerCase(Locale.ROOT));
    }
    return all;
  }

  /** A text as YAML. */
  static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  /** Without a word about it, the last operations before an error go to the run's folder. */
  static CommunicatorConfig recordedIn(RunFolder folder, CommunicatorConfig communicator) {
    return communicator.flightRecorderFolder().isPresent()
        ? communicator
        : communicator.withFlightRecorder(folder.path().toString());
  }
}
