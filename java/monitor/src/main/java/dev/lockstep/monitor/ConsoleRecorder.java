package dev.lockstep.monitor;

import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Finished;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingEvent.Validated;
import java.io.PrintStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells a person how the run goes: lines, and on a terminal a progress bar below them. */
final class ConsoleRecorder implements TrainingListener {
  /** More ranks than this are told as a range, not one by one. */
  private static final int RANKS_LISTED = 8;

  /** More scores than this are left to the summary. */
  private static final int TEST_LINES = 24;

  private final RunFolder folder;
  private final PrintStream out;
  private final boolean bar;
  private @Nullable RunStart start;
  private @Nullable ProgressLine progress;

  ConsoleRecorder(RunFolder folder, PrintStream out, boolean bar) {
    this.folder = folder;
    this.out = out;
    this.bar = bar;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof StepDone done) {
      stepDone(done.epoch(), done.step());
    } else if (event instanceof Started started) {
      start(started.run());
    } else if (event instanceof Validated validated) {
      println("Step %,d   validation loss %s", validated.steps(), number(validated.loss()));
    } else if (event instanceof EpochDone done) {
      epochDone(done.epoch());
    } else if (event instanceof Finished finished) {
      finish(finished.summary());
    }
  }

  private void start(RunStart start) {
    this.start = start;
    println(
        "Run %s: backend %s, world size %d, %s a rank, master address %s",
        start.name(),
        start.backend(),
        start.worldSize(),
        counted(start.threads(), "thread"),
        start.masterAddress().orElse("none"));
    println(
        "Samples per rank: %s; held out: %,d; trainable parameters: %,d",
        samples(start.samplesPerRank()), start.heldOutSamples(), start.parameters());
    if (start.firstEpoch() > start.epochs()) {
      println("Nothing left to do: %s are done", counted(start.epochs(), "epoch"));
      return;
    }
    println(
        "%s %d to %d, %s each",
        start.firstEpoch() > 1 ? "Resuming: epochs" : "Epochs",
        start.firstEpoch(),
        start.epochs(),
        counted(start.stepsPerEpoch(), "step"));
    if (bar) {
      long done = (start.firstEpoch() - 1L) * start.stepsPerEpoch();
      progress =
          new ProgressLine(out, start.name(), (long) start.epochs() * start.stepsPerEpoch(), done);
    }
  }

  private void stepDone(int epoch, int step) {
    if (progress != null && start != null) {
      progress.stepTo((epoch - 1L) * start.stepsPerEpoch() + step);
    }
  }

  private void epochDone(EpochRecord epoch) {
    int last = start == null ? epoch.epoch() : start.epochs();
    println(
        "Epoch %"
            + Integer.toString(last).length()
            + "d/%d   train loss %s%s   %,.0f samples/s   %.1f %% communicating",
        epoch.epoch(),
        last,
        number(epoch.trainLoss()),
        Double.isNaN(epoch.validationLoss())
            ? ""
            : "   validation loss " + number(epoch.validationLoss()),
        epoch.samplesPerSecond(),
        100 * epoch.communicationShare());
  }

  private void finish(RunSummary summary) {
    endProgress();
    if (summary.seconds() > 0) {
      println(
          "Trained %s in %.1f s: %,.0f samples/s, %.1f %% communicating",
          counted(summary.epochs(), "epoch"),
          summary.seconds(),
          summary.samplesPerSecond(),
          100 * summary.communicationShare());
    }
    ValidationScores scores = summary.scores();
    int width = scores.r2().keySet().stream().mapToInt(String::length).max().orElse(0);
    scores
        .r2()
        .forEach(
            (target, r2) ->
                println(
                    "R² of %-" + width + "s  %.4f   RMSE %s",
                    target,
                    r2,
                    number(scores.rmse().getOrDefault(target, Double.NaN))));
    scores.accuracy().ifPresent(accuracy -> println("Accuracy %.2f %%", 100 * accuracy));
    summary.test().ifPresent(this::printTest);
    println("Files in %s:", folder.path());
    folder.contents().forEach(name -> println("  %s", name));
  }

  @Override
  public void close() {
    endProgress();
  }

  private void endProgress() {
    if (progress != null) {
      progress.close();
      progress = null;
    }
  }

  private void println(String format, Object... arguments) {
    String line = String.format(Locale.ROOT, format, arguments);
    if (progress != null) {
      progress.println(line);
    } else {
      out.println(line);
    }
  }

  private static String samples(List<Long> perRank) {
    if (perRank.size() <= RANKS_LISTED) {
      return perRank.stream()
          .map(samples -> String.format(Locale.ROOT, "%,d", samples))
          .collect(Collectors.joining(" + "));
    }
    return String.format(
        Locale.ROOT, "%,d to %,d", Collections.min(perRank), Collections.max(perRank));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }

  private static String counted(long count, String what) {
    return String.format(Locale.ROOT, "%,d %s%s", count, what, count == 1 ? "" : "s");
  }

  /** The errors on the samples kept for the end, beside those of the baselines. */
  private void printTest(TestScores test) {
    println("Test, %,d samples: weighted errors, and the skill over each baseline", test.samples());
    Map<String, TestScores.Scores> lines = new LinkedHashMap<>();
    addLines(lines, "", test.everywhere());
    test.regions().forEach((name, area) -> addLines(lines, name + ": ", area));
    lines.entrySet().stream()
        .limit(TEST_LINES)
        .forEach(line -> printTest(line.getKey(), line.getValue()));
    if (lines.size() > TEST_LINES) {
      println("  … and %,d more in %s", lines.size() - TEST_LINES, folder.summary());
    }
  }

  private static void addLines(
      Map<String, TestScores.Scores> lines, String region, TestScores.Area area) {
    area.targets().forEach((name, scores) -> lines.put(region + name, scores));
    TestScores.Scores all = area.all();
    if (all != null && area.targets().size() > 1) {
      lines.put(region + "all targets", all);
    }
  }

  private void printTest(String name, TestScores.Scores scores) {
    StringBuilder text = new StringBuilder();
    scores
        .baselines()
        .forEach(
            (baseline, rmse) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "; %s %s (skill %.3f)",
                        baseline.replace('_', ' '),
                        number(rmse),
                        scores.skill(baseline))));
    println(
        "  %s RMSE %s, MAE %s, bias %s, ACC %.3f%s",
        name,
        number(scores.rmse()),
        number(scores.mae()),
        number(scores.bias()),
        scores.acc(),
        text);
  }
}
