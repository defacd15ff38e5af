package dev.lockstep.cli;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.ConfigReference;
import dev.lockstep.config.FitConfig;
import dev.lockstep.config.RunConfig;
import dev.lockstep.localize.LocalizationConfig;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep config}: which keys a configuration has. */
@Command(
    name = "config",
    description = "Show what a configuration can hold: every default, or what a key means.",
    footer = {
      "",
      "Examples:",
      "  lockstep config --defaults > mine.yaml",
      "  lockstep config --explain training.batch_size",
      "  lockstep config --explain optimizer"
    })
final class ConfigCommand implements Callable<Integer> {
  /** The commands that take a configuration, with what their defaults cannot know. */
  private enum Kind {
    TRAIN(
        RunConfig.class,
        List.of("name=my-run", "data={path: data.nc, features: [input], targets: [output]}")),
    FIT(
        FitConfig.class,
        List.of("name=my-fit", "data={path: data.nc, features: [input]}", "learner.type=kmeans")),
    LOCALIZE(LocalizationConfig.class, List.of());

    private final Class<? extends Record> type;
    private final List<String> needed;

    Kind(Class<? extends Record> type, List<String> needed) {
      this.type = type;
      this.needed = needed;
    }

    String defaults() {
      return ConfigLoader.toYaml(ConfigLoader.parse(type, "defaults", "", needed));
    }
  }

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "COMMAND",
      defaultValue = "train",
      description = "Whose configuration: train, fit or localize (default: ${DEFAULT-VALUE}).")
  private Kind kind = Kind.TRAIN;

  @Option(
      names = "--defaults",
      description = "Print a configuration with every default written out.")
  private boolean defaults;

  @Option(
      names = "--explain",
      paramLabel = "KEY",
      description = "Say type, default and meaning of a key, or of all keys of a section.")
  private @Nullable String key;

  @Override
  public Integer call() {
    if (key != null && !defaults) {
      explain(key);
    } else if (defaults && key == null) {
      System.out.print(kind.defaults());
    } else {
      throw new ParameterException(spec.commandLine(), "give either --defaults or --explain KEY");
    }
    return ExitCode.OK;
  }

  private void explain(String path) {
    List<ConfigReference.Entry> found = ConfigReference.explain(path);
    if (found.isEmpty()) {
      String nearest = ConfigReference.nearest(path).orElse("none");
      throw new ParameterException(
          spec.commandLine(), "there is no key '" + path + "'; the nearest is " + nearest);
    }
    for (ConfigReference.Entry entry : found) {
      System.out.println(entry.path() + ": " + entry.type() + "; default " + entry.standard());
      System.out.println("    " + entry.meaning());
    }
  }
}
