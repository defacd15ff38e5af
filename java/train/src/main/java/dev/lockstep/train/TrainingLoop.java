package dev.lockstep.train;

import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.TrainingEvent.CheckpointTaken;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingEvent.Validated;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.engine.Evaluator;
import dev.lockstep.train.engine.Evaluator.Evaluation;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.StepReport;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.memory.ControlWords.Word;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Steps, and what happens between them: validation, checkpoints, the end. All ranks decide alike,
 * because they decide by numbers that are equal on all ranks or by what they have told each other.
 * One thread.
 */
final class TrainingLoop {
  private static final Logger log = LoggerFactory.getLogger(TrainingLoop.class);

  private final TrainingAssembly run;
  private final TrainingConfig config;
  private final TrainingListener listener;
  private final Checkpoints checkpoints;
  private final AtomicBoolean stopRequested;
  private final Evaluator evaluator;
  private final Recurrence validation;
  private final RunTotals totals;

  /** The sum of the losses of this rank's samples in this epoch so far. */
  private double lossSum;

  private final NextSteps next;
  private final NonFinite nonFinite;
  private long steps;
  private Skipped skipped = Skipped.NONE;
  private boolean enough;
  private @Nullable Evaluation lastEvaluation;

  private boolean timeIsOver;

  /** Why training ended before its end. */
  private @Nullable Ending ending;

  private long epochStarted;
  private long pausedNanos;
  private double waitedBeforeEpoch;
  private long samplesBefore;

  /**
   * Takes up a run.
   *
   * @param position where it goes on; null for the beginning
   * @param totals of what this process has trained before
   */
  TrainingLoop(
      TrainingAssembly run,
      TrainingListener listener,
      Checkpoints checkpoints,
      AtomicBoolean stopRequested,
      Checkpoints.@Nullable Position position,
      RunTotals totals) {
    this.run = run;
    this.totals = totals;
    this.listener = listener;
    this.checkpoints = checkpoints;
    this.stopRequested = stopRequested;
    config = run.task.plan().training();
    evaluator = run.newEvaluator();
    nonFinite = new NonFinite(run.role.compute(), run.task.communicator());
    TrainingConfig.Validation when = config.validation();
    validation =
        new Recurrence(
            when.everyEpochs(), when.everySteps(), when.everySeconds(), System::nanoTime);
    next = new NextSteps(run);
    if (position != null) {
      steps = position.steps();
      run.sampler.seek(position.sampler());
      lossSum = position.lossSum();
      skipped = position.skipped();
      next.seek(steps, skipped);
      // A run that is over keeps the model on which the ranks had agreed.
      if (run.sampler.hasNext() && epochs() < config.epochs() && !isCutShort()) {
        run.role.goOn();
      }
    }
  }

  /** How a loop ends. */
  enum Ending {
    /** All has been trained. */
    FINISHED,
    /** A rank was asked to stop. */
    STOPPED,
    /** Ranks are gone, and the others form a group without them. */
    REGROUPS
  }

  /** Trains what is left; collective. */
  Ending run() {
    run.model.setTraining(true);
    beginEpoch();
    while (ending == null && epochs() < config.epochs() && !enough && !isCutShort()) {
      if (run.sampler.hasNext()) {
        takeStep();
      }
      if (ending == null && (!run.sampler.hasNext() || enough || isCutShort())) {
        endEpoch();
      }
    }
    return ending == null ? Ending.FINISHED : ending;
  }

  /**
   * Does, in a new group of ranks, what the old one could not do any more after its last step:
   * collective, before {@link #run}.
   *
   * @param found what is not finite, by what the old group knew
   */
  void meetAfterRegrouping(NonFinite.Found found) {
    nonFinite.takeOver(found);
    Set<Word> agreed = run.role.synchronize(SyncPoint.CHECKPOINT);
    if (agreed.contains(Word.REGROUP)) {
      nonFinite.agree(agreed);
      ending = Ending.REGROUPS;
      return;
    }
    nonFinite.failIfAgreed(agreed, steps, epochs() + 1);
    timeIsOver |= agreed.contains(Word.FINISH);
    boolean epochEnds = !run.sampler.hasNext() || isCutShort();
    if (!epochEnds) {
      doWhatIsDue(validation.isDueAfterStep(steps), checkpoints.isDueAfterStep(steps));
      if (!enough) {
        run.role.goOn();
      }
    }
    if (epochEnds || enough) {
      beginEpoch();
      endEpoch();
    }
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

  NonFinite.Found nonFinite() {
    return nonFinite.found();
  }

  RunTotals totals() {
    return totals;
  }

  /** What the held-out samples say of the model that is kept; collective. */
  Evaluation finalEvaluation() {
    // A rank that shares the parameters' memory may still be copying them for the last checkpoint.
    run.task.communicator().barrier();
    boolean restored = run.best.restore();
    if (!restored) {
      run.average.take();
    }
    return restored || lastEvaluation == null ? evaluator.evaluate() : lastEvaluation;
  }

  Evaluator evaluator() {
    return evaluator;
  }

  Checkpoints.Position position() {
    return new Checkpoints.Position(run.sampler.position(), steps, lossSum, skipped);
  }

  /** One step and what is due after it. */
  private void takeStep() {
    Step step = next.take(steps, lossSum, skipped, words());
    double waited = run.role.waitedSeconds();
    long began = System.nanoTime();
    StepReport report = run.role.step(step);
    double worked = (System.nanoTime() - began) * 1e-9 - (run.role.waitedSeconds() - waited);
    lossSum = report.lossSum();
    steps++;
    Set<Word> agreed = EnumSet.noneOf(Word.class);
    agreed.addAll(report.agreed());
    if (report.skipped()) {
      skip(step);
    } else {
      run.average.update();
    }
    if (!report.reduced().finite()) {
      nonFinite.look(step);
    }
    timeIsOver |= agreed.contains(Word.FINISH);
    boolean epochEnds = !run.sampler.hasNext() || isCutShort();
    boolean validates = validation.isDueAfterStep(steps) || agreed.contains(Word.VALIDATE);
    boolean saves = checkpoints.isDueAfterStep(steps) || agreed.contains(Word.CHECKPOINT);
    boolean stops = agreed.contains(Word.STOP);
    boolean regroups = agreed.contains(Word.REGROUP);
    // Where numbers are not finite, all ranks are to know first who is there to say so.
    boolean fails = agreed.contains(Word.FAILED);
    if (epochEnds || validates || saves || stops || regroups || fails) {
      agreed.addAll(run.role.synchronize(syncPoint(epochEnds, saves || stops)));
    }
    if (agreed.contains(Word.REGROUP)) {
      nonFinite.agree(agreed);
      ending = Ending.REGROUPS;
      return;
    }
    nonFinite.failIfAgreed(agreed, steps, epochs() + 1);
    next.plan(step, report, worked, steps);
    double loss =
        report.skipped() ? Double.NaN : (report.lossSum() - step.lossSum()) / step.batch().count();
    listener.on(new StepDone(epochs() + 1, run.sampler.position().step(), steps, loss));
    if (agreed.contains(Word.STOP)) {
      ending = Ending.STOPPED;
      save();
      return;
    }
    if ((validates || saves) && !epochEnds) {
      long paused = System.nanoTime();
      doWhatIsDue(validates, saves);
      if (!enough) {
        run.role.goOn();
      }
      pausedNanos += System.nanoTime() - paused;
    }
  }

  /** Within an epoch, once the ranks' parameters are equal. */
  private void doWhatIsDue(boolean validates, boolean saves) {
    if (validates) {
      Evaluation scored = validate();
      listener.on(new Validated(epochs() + 1, steps, scored.loss(), scored.scores()));
    }
    if (saves) {
      save();
    }
  }

  /** The step changed nothing; so the learning rate is that of the next once more. */
  private void skip(Step step) {
    int samples = step.batch().globalCount();
    DistributedSampler.Position after = run.sampler.position();
    DistributedSampler.Position before =
        new DistributedSampler.Position(after.epoch(), after.step() - 1, after.samples() - samples);
    long scheduled = run.batches.scheduledSamples(after) - run.batches.scheduledSamples(before);
    skipped = skipped.with(samples, scheduled);
    if (run.task.communicator().rank() == 0) {
      log.info(
          "Step {} is left out: gradients overflow at its loss scale, which is now halved.", steps);
    }
  }

  private SyncPoint syncPoint(boolean epochEnds, boolean saves) {
    if (epochEnds && (epochs() + 1 == config.epochs() || isCutShort())) {
      return SyncPoint.END;
    }
    return saves ? SyncPoint.CHECKPOINT : SyncPoint.EVALUATION;
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
      if (config.maxSeconds() != null && totals.secondsSinceStart() >= config.maxSeconds()) {
        words.add(Word.FINISH);
      }
    }
    return words;
  }

  private Evaluation validate() {
    Evaluation evaluation = run.average.instead(this::evaluateAndKeepBest);
    lastEvaluation = evaluation;
    validation.done();
    return evaluation;
  }

  private Evaluation evaluateAndKeepBest() {
    Evaluation evaluation = evaluator.evaluate();
    enough |= run.best.exhaustedAfter(evaluation.loss());
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
    samplesBefore = run.sampler.position().samples();
    next.forgetAnnounced();
  }

  /** Records an epoch that is over, or what there is of the last one. */
  private void endEpoch() {
    int number = epochs() + 1;
    boolean whole = !run.sampler.hasNext();
    double seconds = (System.nanoTime() - epochStarted - pausedNanos) * 1e-9;
    long taken = run.sampler.position().samples();
    long samples = taken - samplesBefore;
    double waited = run.role.waitedSeconds() - waitedBeforeEpoch;
    double sum = run.mesh.data().allReduce(new double[] {lossSum}, ReduceOp.SUM)[0];
    double trainLoss = sum / (taken - skipped.samples());
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
                next.rate(),
                samples,
                seconds,
                waited / seconds)));
    totals.add(trainLoss, samples, seconds);
    if (whole) {
      lossSum = 0;
      skipped = skipped.nextEpoch();
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
}
