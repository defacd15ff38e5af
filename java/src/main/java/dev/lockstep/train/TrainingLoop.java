package dev.lockstep.train;

import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.TrainingEvent.CheckpointTaken;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingEvent.Validated;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.engine.Evaluator;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import dev.lockstep.train.engine.MicroBatch;
import dev.lockstep.train.engine.Needs;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.StepReport;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.memory.ControlWords.Word;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Steps, and what happens between them: validation, checkpoints, the end. All ranks decide alike,
 * because they decide by numbers that are equal on all ranks or by what they have told each other.
 * One thread.
 */
final class TrainingLoop {
  private final TrainingAssembly run;
  private final TrainingConfig config;
  private final TrainingListener listener;
  private final Checkpoints checkpoints;
  private final AtomicBoolean stopRequested;
  private final Evaluator evaluator;
  private final Recurrence validation;
  private final long started = System.nanoTime();
  private final RunTotals totals = new RunTotals();

  /** The sum of the losses of this rank's samples in this epoch so far. */
  private double lossSum;

  private long steps;
  private boolean enough;
  private @Nullable Evaluation lastEvaluation;
  private String notFinite = "";

  private boolean timeIsOver;

  /** The pieces of the next step, which the reader knows of. */
  private @Nullable List<MicroBatch> next;

  private long epochStarted;
  private long pausedNanos;
  private double waitedBeforeEpoch;
  private int stepsBefore;

  /**
   * Takes up a run.
   *
   * @param progress where it goes on; null for the beginning
   */
  TrainingLoop(
      TrainingAssembly run,
      TrainingListener listener,
      Checkpoints checkpoints,
      AtomicBoolean stopRequested,
      @Nullable Progress progress) {
    this.run = run;
    this.listener = listener;
    this.checkpoints = checkpoints;
    this.stopRequested = stopRequested;
    config = run.task.plan().training();
    evaluator = run.newEvaluator();
    TrainingConfig.Validation when = config.validation();
    validation =
        new Recurrence(
            when.everyEpochs(), when.everySteps(), when.everySeconds(), System::nanoTime);
    if (progress != null) {
      steps = progress.steps();
      run.sampler.seek(progress.sampler());
      lossSum = progress.lossSum(run.task.communicator().rank(), run.task.communicator().size());
      if (run.sampler.hasNext()) {
        run.role.goOn();
      }
    }
  }

  /** Trains what is left; collective. Returns whether it was asked to stop before the end. */
  boolean run() {
    run.model.setTraining(true);
    beginEpoch();
    while (epochs() < config.epochs() && !enough && !isCutShort()) {
      if (run.sampler.hasNext() && takeStep()) {
        save();
        return true;
      }
      if (!run.sampler.hasNext() || enough || isCutShort()) {
        endEpoch();
      }
    }
    return false;
  }

  /** Whether training ends here, in the middle of an epoch or not. */
  private boolean isCutShort() {
    return timeIsOver || (config.maxSteps() != null && steps >= config.maxSteps());
  }

  /** Whole epochs since the run began. */
  int epochs() {
    return (int) run.sampler.position().epoch();
  }

  long steps() {
    return steps;
  }

  RunTotals totals() {
    return totals;
  }

  /** What the held-out samples say of the model that is kept; collective. */
  Evaluation finalEvaluation() {
    boolean restored = run.best.restore();
    return restored || lastEvaluation == null ? evaluator.evaluate() : lastEvaluation;
  }

  Evaluator evaluator() {
    return evaluator;
  }

  private Checkpoints.Position position() {
    return new Checkpoints.Position(run.sampler.position(), steps, lossSum);
  }

  /** One step and what is due after it; returns whether all ranks agree to stop now. */
  private boolean takeStep() {
    Step step = nextStep();
    StepReport report = run.role.step(step);
    lossSum = report.lossSum();
    steps++;
    Set<Word> agreed = EnumSet.noneOf(Word.class);
    agreed.addAll(report.agreed());
    if (!report.reduced().finite() && notFinite.isEmpty()) {
      String found = run.role.compute().findNonFinite(step);
      notFinite = found.isEmpty() ? "" : "step " + steps + ": " + found;
    }
    timeIsOver |= agreed.contains(Word.FINISH);
    boolean epochEnds = !run.sampler.hasNext() || isCutShort();
    boolean validates = validation.isDueAfterStep(steps) || agreed.contains(Word.VALIDATE);
    boolean saves = checkpoints.isDueAfterStep(steps) || agreed.contains(Word.CHECKPOINT);
    boolean stops = agreed.contains(Word.STOP);
    if (epochEnds || validates || saves || stops) {
      agreed.addAll(run.role.synchronize(syncPoint(epochEnds, saves || stops)));
    }
    failIfNotFinite(agreed);
    double loss = (report.lossSum() - step.lossSum()) / step.batch().count();
    listener.on(new StepDone(epochs() + 1, run.sampler.position().step(), steps, loss));
    if (agreed.contains(Word.STOP)) {
      return true;
    }
    long paused = System.nanoTime();
    if (validates && !epochEnds) {
      Evaluation scored = validate();
      listener.on(new Validated(epochs() + 1, steps, scored.loss(), scored.scores()));
    }
    if (saves && !epochEnds) {
      save();
    }
    if ((validates || saves) && !epochEnds) {
      run.role.goOn();
    }
    pausedNanos += System.nanoTime() - paused;
    return false;
  }

  private SyncPoint syncPoint(boolean epochEnds, boolean saves) {
    if (epochEnds && (epochs() + 1 == config.epochs() || isCutShort())) {
      return SyncPoint.END;
    }
    return saves ? SyncPoint.CHECKPOINT : SyncPoint.EVALUATION;
  }

  private Step nextStep() {
    Batch batch = run.sampler.next();
    List<MicroBatch> pieces = next;
    if (pieces == null) {
      pieces = cut(batch);
      run.reader.announce(pieces);
    }
    next = run.sampler.peek().map(this::cut).orElse(null);
    if (next != null) {
      run.reader.announce(next);
    }
    return new Step(
        steps,
        batch,
        pieces,
        run.schedule.learningRate(steps),
        lossSum,
        new Needs(config.clipNorm() != null, words()));
  }

  private List<MicroBatch> cut(Batch batch) {
    return MicroBatch.cut(batch, config.accumulationSteps());
  }

  /** What this rank tells the others in the step that begins. */
  private Set<Word> words() {
    EnumSet<Word> words = EnumSet.noneOf(Word.class);
    if (stopRequested.get()) {
      words.add(Word.STOP);
    }
    if (run.task.communicator().rank() == 0) {
      if (validation.isDueByClock()) {
        words.add(Word.VALIDATE);
      }
      if (checkpoints.isDueByClock()) {
        words.add(Word.CHECKPOINT);
      }
      if (config.maxSeconds() != null && System.nanoTime() - started >= config.maxSeconds() * 1e9) {
        words.add(Word.FINISH);
      }
    }
    return words;
  }

  private void failIfNotFinite(Set<Word> agreed) {
    if (!agreed.contains(Word.FAILED)) {
      return;
    }
    byte[] own = notFinite.getBytes(StandardCharsets.UTF_8);
    byte[][] all = run.task.communicator().allGather(own);
    StringJoiner findings = new StringJoiner("; ");
    for (int rank = 0; rank < all.length; rank++) {
      if (all[rank].length > 0) {
        findings.add("rank " + rank + ", " + new String(all[rank], StandardCharsets.UTF_8));
      }
    }
    throw new TrainingException(
        "Numbers are not finite in step "
            + steps
            + " of epoch "
            + (epochs() + 1)
            + ": "
            + (findings.length() == 0 ? "the sum of the ranks' gradients" : findings)
            + "; lower optimizer.learning_rate or set training.clip_norm.");
  }

  private Evaluation validate() {
    Evaluation evaluation = evaluator.evaluate();
    lastEvaluation = evaluation;
    enough |= run.best.exhaustedAfter(evaluation.loss());
    validation.done();
    return evaluation;
  }

  private void save() {
    long begin = System.nanoTime();
    if (checkpoints.save(position())) {
      listener.on(new CheckpointTaken(steps, (System.nanoTime() - begin) * 1e-9));
    }
  }

  private void beginEpoch() {
    epochStarted = System.nanoTime();
    pausedNanos = 0;
    waitedBeforeEpoch = run.role.waitedSeconds();
    stepsBefore = run.sampler.position().step();
    next = null;
  }

  /** Records an epoch that is over, or what there is of the last one. */
  private void endEpoch() {
    int number = epochs() + 1;
    boolean whole = !run.sampler.hasNext();
    double seconds = (System.nanoTime() - epochStarted - pausedNanos) * 1e-9;
    long samples = samplesUntil(run.sampler.position().step()) - samplesUntil(stepsBefore);
    double waited = run.role.waitedSeconds() - waitedBeforeEpoch;
    double sum = run.task.communicator().allReduce(new double[] {lossSum}, ReduceOp.SUM)[0];
    double trainLoss = sum / samplesUntil(run.sampler.position().step());
    boolean last = number == config.epochs() || enough || isCutShort();
    boolean validates = validation.isDueAfterEpoch(number) || last;
    Evaluation evaluation = validates ? validate() : Evaluator.Evaluation.none();
    listener.on(
        new EpochDone(
            new EpochRecord(
                number,
                steps,
                trainLoss,
                evaluation.loss(),
                evaluation.scores(),
                run.schedule.learningRate(steps - 1),
                samples,
                seconds,
                waited / seconds)));
    totals.add(trainLoss, samples, seconds);
    if (whole) {
      lossSum = 0;
      run.sampler.nextEpoch();
    }
    if (checkpoints.isDueAfterEpoch(number) || last || enough) {
      save();
    }
    if (!last) {
      run.role.goOn();
    }
    beginEpoch();
  }

  /** Samples of an epoch in its first steps, over all ranks. */
  private long samplesUntil(int step) {
    return Math.min((long) step * config.batchSize(), run.trainingSamples.length);
  }
}
