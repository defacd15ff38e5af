package dev.lockstep.train;

import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.Needs;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.StepReport;
import dev.lockstep.train.memory.ControlWords.Word;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of a run one after the other: each one's batch, pieces and learning rate, and what the
 * steps before it have to say of them. One thread.
 */
final class NextSteps {
  private static final Logger log = LoggerFactory.getLogger(NextSteps.class);

  private final TrainingAssembly run;
  private final boolean clips;

  /** The pieces of the next step, which the reader knows of. */
  private @Nullable List<MicroBatch> announced;

  /** The learning rate of the last step. */
  private double rate;

  NextSteps(TrainingAssembly run) {
    this.run = run;
    clips = run.task.plan().training().clipNorm() != null;
    run.followPlans();
    rate = run.schedule.learningRate(0);
  }

  /** A run goes on after so many steps. */
  void seek(long steps, Skipped skipped) {
    rate = run.schedule.learningRate(Math.max(0, steps - skipped.steps() - 1));
  }

  /** The learning rate of the last step. */
  double rate() {
    return rate;
  }

  /** An epoch begins, or what was announced is of no use any more. */
  void forgetAnnounced() {
    announced = null;
  }

  /**
   * Takes the next batch, and has the one behind it read.
   *
   * @param number of the step
   * @param lossSum of this rank's samples in this epoch so far
   * @param words what this rank tells the others
   */
  Step take(long number, double lossSum, Skipped skipped, Set<Word> words) {
    rate = learningRate(number, skipped);
    Batch batch = run.sampler.next();
    List<MicroBatch> pieces = announced;
    if (pieces == null) {
      pieces = cut(batch);
      run.reader.announce(pieces);
    }
    announced = run.sampler.peek().map(this::cut).orElse(null);
    if (announced != null) {
      run.reader.announce(announced);
    }
    boolean measures = run.batches.measures();
    return new Step(
        number, batch, pieces, rate, lossSum, new Needs(clips || measures, measures, words));
  }

  private List<MicroBatch> cut(Batch batch) {
    return MicroBatch.cut(batch, run.pieces);
  }

  /** Where batches grow the schedule goes by samples. */
  private double learningRate(long number, Skipped skipped) {
    long at =
        run.batches.measures()
            ? run.batches.scheduleStep(run.sampler.position(), skipped.scheduled())
            : number - skipped.steps();
    return run.schedule.learningRate(at) * run.batches.rateFactor();
  }

  /**
   * Decides on the batches that follow; collective where ranks get parts by their speed.
   *
   * @param steps that have been taken
   * @param worked seconds of the step without waiting
   */
  void plan(Step step, StepReport report, double worked, long steps) {
    int samples = step.batch().globalCount();
    boolean changes = !report.skipped() && run.batches.stepDone(steps, samples, report.reduced());
    if (changes && run.task.communicator().rank() == 0) {
      log.info(
          "After step {} batches have {} samples, as the gradient noise scale is {}.",
          steps,
          run.batches.size(),
          noise(run.batches.noiseScale()));
    }
    if (run.shares != null) {
      changes |= run.shares.stepDone(steps, worked);
    }
    if (changes) {
      run.followPlans();
      // What was announced was cut from another batch.
      forgetAnnounced();
    }
  }

  private static String noise(double scale) {
    return Double.isInfinite(scale)
        ? "larger than can be measured yet"
        : Long.toString(Math.round(scale));
  }
}
