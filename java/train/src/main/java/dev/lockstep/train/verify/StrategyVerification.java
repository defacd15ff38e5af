package dev.lockstep.train.verify;

import dev.lockstep.train.strategy.Strategies;
import dev.lockstep.train.strategy.VerifiedSetting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Tries strategies out: this library's, and any other that is on the class path. Each is run with
 * the settings that it names ({@link
 * dev.lockstep.train.strategy.StrategyProvider#verifiedSettings}) on a small regression problem;
 * ranks are threads of this process, which the checks delay, stop, silence and end.
 *
 * <p>What it asks: a setting that claims to be data-parallel training gives its parameters; ranks
 * end with equal ones; delays of messages change no bit (where the strategy says so); a run that is
 * stopped goes on to the same bytes, and with other numbers of ranks to a comparable result; when a
 * rank ends or falls silent, all others are told of it, and the run can be resumed.
 */
public final class StrategyVerification {
  /** Stands for all types. */
  public static final String ALL = "all";

  private final VerificationPlan plan;

  public StrategyVerification(VerificationPlan plan) {
    this.plan = plan;
  }

  /** All types that can be verified, in alphabetical order. */
  public static Collection<String> types() {
    return Strategies.options().keySet();
  }

  /**
   * Runs all checks.
   *
   * @param type of a strategy, or {@link #ALL}
   * @param progress hears of each finding as it is made
   * @return all findings
   * @throws IllegalArgumentException if there is no such strategy
   */
  public List<Finding> run(String type, Consumer<Finding> progress) {
    Collection<String> types = type.equals(ALL) ? types() : List.of(type);
    List<Finding> findings = new ArrayList<>();
    Path scratch = createScratch();
    try {
      for (String each : types) {
        for (VerifiedSetting<?> setting : Strategies.verifiedSettings(each)) {
          for (Supplier<Finding> check : new SettingChecks(plan, each, setting, scratch).all()) {
            Finding finding = check.get();
            findings.add(finding);
            progress.accept(finding);
          }
        }
      }
    } finally {
      delete(scratch);
    }
    return findings;
  }

  private static Path createScratch() {
    try {
      return Files.createTempDirectory("lockstep-verify-");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder for checkpoints", e);
    }
  }

  /** What a rank that still hangs holds open is left to the system's cleaning of /tmp. */
  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }
}
