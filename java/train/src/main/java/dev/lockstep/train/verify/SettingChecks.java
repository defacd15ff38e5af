package dev.lockstep.train.verify;

import static dev.lockstep.train.verify.TrialChecks.SILENCE_TIMEOUT_SECONDS;
import static dev.lockstep.train.verify.TrialChecks.TIMEOUT_SECONDS;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.TrainingResult;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.VerifiedSetting;
import dev.lockstep.train.verify.TrialChecks.Check;
import dev.lockstep.train.verify.TrialChecks.Wrong;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The checks of one setting of a strategy, each in runs of its own. */
final class SettingChecks {
  /** How much worse than an uninterrupted run one may be that went on with other ranks. */
  private static final double LOSS_AFTER_RESIZE = 1.5;

  /** How far rounding alone may take the parameters of 3 epochs, of Adam above all. */
  private static final double EQUAL_AFTER_RESIZE = 1e-3;

  private final VerificationPlan plan;
  private final String type;
  private final VerifiedSetting<?> setting;
  private final Path scratch;

  SettingChecks(VerificationPlan plan, String type, VerifiedSetting<?> setting, Path scratch) {
    this.plan = plan;
    this.type = type;
    this.setting = setting;
    this.scratch = scratch;
  }

  /** The checks, in the table's order; each runs when it is asked for its finding. */
  List<Supplier<Finding>> all() {
    List<Supplier<Finding>> all = new ArrayList<>();
    if (setting.tolerance().isPresent()) {
      all.add(finding("equals data_parallel", this::equalsDataParallel));
    }
    all.add(finding("ranks agree", this::ranksAgree));
    if (plan.schedules() > 0) {
      all.add(
          finding(
              setting.repeatable() ? "same bits in any order" : "agrees in any order",
              this::schedules));
    }
    all.add(finding("stop and resume", this::stopAndResume));
    for (int other : new TreeSet<>(List.of(1, plan.ranks() - 1, plan.ranks() + 1))) {
      all.add(finding("resume on " + other, () -> resumeOn(other)));
    }
    if (plan.faults() > 0) {
      all.add(finding("rank killed", () -> faults(false)));
      all.add(finding("rank silent", () -> faults(true)));
    }
    return all;
  }

  private Supplier<Finding> finding(String name, Check check) {
    return TrialChecks.finding(type, setting.name(), name, check);
  }

  private Trial trial(int ranks, double timeout) {
    return new Trial(
        new StrategyConfig(type, setting.options()),
        setting.optimizer(),
        setting.training(),
        plan.backend(),
        ranks,
        timeout,
        plan.limit());
  }

  private Trial trial() {
    return trial(plan.ranks(), TIMEOUT_SECONDS);
  }

  private String equalsDataParallel() throws Wrong {
    Path own = folder("equal-own");
    Path other = folder("equal-data-parallel");
    ended(trial().run(own, false, Conditions.QUIET));
    Trial dataParallel =
        new Trial(
            StrategyConfig.of(DataParallel.Options.defaults().withFused(false)),
            setting.optimizer(),
            UnaryOperator.identity(),
            plan.backend(),
            plan.ranks(),
            TIMEOUT_SECONDS,
            plan.limit());
    ended(dataParallel.run(other, false, Conditions.QUIET));
    double difference = SavedState.difference(checkpoint(own), checkpoint(other));
    double tolerance = setting.tolerance().orElseThrow();
    if (!(difference <= tolerance)) {
      throw new Wrong(
          String.format(
              Locale.ROOT,
              "parameters differ by %.1e of their norm, not %s",
              difference,
              tolerance == 0 ? "0" : "at most " + tolerance));
    }
    return difference == 0
        ? "same bits"
        : String.format(Locale.ROOT, "%.1e of at most %.0e", difference, tolerance);
  }

  private String ranksAgree() throws Wrong {
    RunSummary summary = ended(trial().run(null, false, Conditions.QUIET));
    return String.format(Locale.ROOT, "loss %.4f", summary.validationLoss());
  }

  private String schedules() throws Wrong {
    RunSummary quiet = ended(trial().run(null, false, Conditions.QUIET));
    for (int i = 0; i < plan.schedules(); i++) {
      long seed = plan.seed() + i;
      try {
        RunSummary summary =
            ended(trial().run(null, false, rank -> Disturbance.delays(seed * plan.ranks() + rank)));
        if (setting.repeatable() && !summary.parametersSha256().equals(quiet.parametersSha256())) {
          throw new Wrong("other bits than without delays");
        }
      } catch (Wrong e) {
        throw new Wrong("with --seed " + seed + " --schedules 1: " + e.getMessage());
      }
    }
    return plan.schedules() + " schedules";
  }

  /** Stops a run after some step and goes on with as many ranks. */
  private String stopAndResume() throws Wrong {
    Path whole = folder("resume-whole");
    RunSummary uninterrupted = ended(trial().run(whole, false, Conditions.QUIET));
    Path stopped = folder("resume-stopped");
    long step = stop(stopped);
    RunSummary resumed = ended(trial().run(stopped, true, Conditions.QUIET));
    return "after step " + step + ": " + compare(uninterrupted, whole, resumed, stopped);
  }

  /** Returns the step at which the run has stopped. */
  private long stop(Path folder) throws Wrong {
    Random random = new Random(plan.seed());
    int rank = random.nextInt(plan.ranks());
    long step = 1 + random.nextInt(Trial.STEPS / 2);
    List<Ending<TrainingResult>> endings =
        trial()
            .run(
                folder,
                false,
                new Conditions() {
                  @Override
                  public Disturbance of(int any) {
                    return Disturbance.NONE;
                  }

                  @Override
                  public long stopsAfter(int any) {
                    return any == rank ? step : Long.MAX_VALUE;
                  }
                });
    TrialChecks.checkEnded(plan, endings);
    var result = endings.get(0).result();
    if (result == null || !result.stopped()) {
      throw new Wrong("rank " + rank + " asked for a stop after step " + step + " in vain");
    }
    return result.step();
  }

  private String compare(RunSummary expected, Path expectedRun, RunSummary resumed, Path run)
      throws Wrong {
    if (setting.repeatable()) {
      Optional<String> tensor =
          SavedState.firstDifference(checkpoint(expectedRun), checkpoint(run));
      if (tensor.isPresent()) {
        throw new Wrong("other bytes than those of the uninterrupted run: " + tensor.get());
      }
      return "same bytes";
    }
    return losses(expected, resumed);
  }

  private String losses(RunSummary expected, RunSummary resumed) throws Wrong {
    String both =
        String.format(
            Locale.ROOT,
            "loss %.4f against %.4f",
            resumed.validationLoss(),
            expected.validationLoss());
    if (!(resumed.validationLoss() <= LOSS_AFTER_RESIZE * expected.validationLoss())) {
      throw new Wrong(both + " of the uninterrupted run");
    }
    return both;
  }

  private String resumeOn(int ranks) throws Wrong {
    Path whole = folder("resize-whole-" + ranks);
    RunSummary uninterrupted = ended(trial().run(whole, false, Conditions.QUIET));
    Path stopped = folder("resize-" + ranks);
    stop(stopped);
    RunSummary resumed = ended(trial(ranks, TIMEOUT_SECONDS).run(stopped, true, Conditions.QUIET));
    if (setting.tolerance().isEmpty()) {
      return losses(uninterrupted, resumed);
    }
    double difference = SavedState.difference(checkpoint(stopped), checkpoint(whole));
    if (!(difference <= EQUAL_AFTER_RESIZE)) {
      throw new Wrong(
          String.format(Locale.ROOT, "parameters differ by %.1e of their norm", difference));
    }
    return String.format(Locale.ROOT, "%.1e of at most %.0e", difference, EQUAL_AFTER_RESIZE);
  }

  /** Each fault in a run of its own, which goes on with the others, or then with all ranks. */
  private String faults(boolean silent) throws Wrong {
    Path whole = folder("fault-whole");
    List<Ending<TrainingResult>> quiet = trial().run(whole, false, Conditions.QUIET);
    RunSummary uninterrupted = ended(quiet);
    Random random = new Random(plan.seed());
    int survived = 0;
    for (int i = 0; i < plan.faults(); i++) {
      int rank = random.nextInt(plan.ranks());
      // Not among the last operations, after which the others may be done without it.
      long all = quiet.get(rank).operations();
      long at = all / 20 + (long) (random.nextDouble() * all * 0.7);
      Path run = folder((silent ? "silent-" : "killed-") + i);
      try {
        List<Ending<TrainingResult>> endings = fault(run, rank, at, silent);
        List<Ending<TrainingResult>> others = new ArrayList<>(endings);
        others.remove(rank);
        if (setting.survives() && others.stream().allMatch(other -> other.result() != null)) {
          losses(uninterrupted, ended(others));
          survived++;
          continue;
        }
        TrialChecks.checkTold(plan, endings, rank);
        compare(uninterrupted, whole, ended(trial().run(run, true, Conditions.QUIET)), run);
      } catch (Wrong e) {
        throw new Wrong("rank " + rank + " at operation " + at + ": " + e.getMessage());
      }
    }
    if (survived > 0) {
      return survived + " went on without it, " + (plan.faults() - survived) + " resumed";
    }
    return plan.faults() + (plan.faults() == 1 ? " run, resumed" : " runs, each resumed");
  }

  private List<Ending<TrainingResult>> fault(Path run, int rank, long at, boolean silent) {
    double timeout = silent ? SILENCE_TIMEOUT_SECONDS : TIMEOUT_SECONDS;
    Conditions conditions = TrialChecks.fault(plan, rank, at, silent);
    return trial(plan.ranks(), timeout).run(run, false, conditions);
  }

  /** All ranks must have ended with the same finite result. */
  private RunSummary ended(List<Ending<TrainingResult>> endings) throws Wrong {
    TrialChecks.checkEnded(plan, endings);
    var result = endings.get(0).result();
    RunSummary summary = result == null ? null : result.summary().orElse(null);
    if (summary == null) {
      throw new Wrong("the run was stopped");
    }
    if (!Double.isFinite(summary.validationLoss())) {
      throw new Wrong("the loss is " + summary.validationLoss());
    }
    if (new HashSet<>(summary.parametersSha256()).size() != 1) {
      throw new Wrong("ranks end with different parameters: " + summary.parametersSha256());
    }
    return summary;
  }

  private static Checkpoint checkpoint(Path folder) throws Wrong {
    return Trial.checkpoint(folder)
        .orElseThrow(() -> new Wrong("the run has written no checkpoint"));
  }

  private Path folder(String name) {
    return scratch.resolve(type + "-" + setting.name().replace(' ', '-')).resolve(name);
  }
}
