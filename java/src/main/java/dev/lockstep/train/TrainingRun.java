package dev.lockstep.train;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelDescription;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.model.Scaling;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.RunRecorder;
import dev.lockstep.monitor.RunStart;
import dev.lockstep.monitor.RunSummary;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The epochs of a run: train, validate, record, keep a checkpoint. One thread. */
final class TrainingRun implements AutoCloseable {
  /** Enough for a plot of predictions, few enough to send to rank 0 at once. */
  private static final int PLOTTED_SAMPLES = 5000;

  /** Held-out samples at once, at least: without gradients they need little memory. */
  private static final int SCORED_SAMPLES = 256;

  private final TrainingPlan plan;
  private final Model model;
  private final TrainingMemory memory;
  private final Dataset dataset;
  private final long[] trainingSamples;
  private final long[] heldOutSamples;
  private final Communicator communicator;
  private final RunRecorder recorder;
  private final Optional<RunFolder> folder;
  private final Normalizer.Pair normalizers;
  private final DistributedSampler sampler;
  private final BatchReader reader;
  private final Schedule schedule;
  private final Strategy strategy;
  private final Trainer trainer;
  private final Evaluator evaluator;
  private final Patience patience;
  private final Loss loss;

  TrainingRun(
      TrainingPlan plan,
      Model model,
      TrainingMemory memory,
      Dataset dataset,
      Split split,
      Communicator communicator,
      RunRecorder recorder,
      Optional<RunFolder> folder,
      AtomicBoolean stopRequested,
      @Nullable Progress progress) {
    this.plan = plan;
    this.model = model;
    this.memory = memory;
    this.dataset = dataset;
    this.communicator = communicator;
    this.recorder = recorder;
    this.folder = folder;
    trainingSamples = split.train();
    heldOutSamples = split.validation();
    normalizers =
        progress == null
            ? Normalizer.fit(dataset, trainingSamples, communicator)
            : progress.normalizer().pair();
    int batchSize = plan.training().batchSize();
    sampler =
        new DistributedSampler(
            trainingSamples, batchSize, plan.seed(), communicator.rank(), communicator.size());
    loss = new Loss(plan.training().loss(), plan.training().huberDelta());
    int share = (int) new DataPartitioner(batchSize, communicator.size()).size(0);
    int steps = plan.training().accumulationSteps();
    int capacity = Math.max(SCORED_SAMPLES, (share + steps - 1) / steps);
    reader = new BatchReader(dataset, normalizers, loss.classifies(), model.type(), capacity);
    schedule =
        new Schedule(
            plan.schedule(),
            plan.optimizer().learningRate(),
            sampler.stepsPerEpoch(),
            (long) sampler.stepsPerEpoch() * plan.training().epochs());
    strategy =
        Strategy.of(
            plan.strategy(),
            communicator,
            memory.parameters(),
            memory.buffers(),
            memory.optimizer(),
            plan.training().clipNorm() != null);
    trainer =
        new Trainer(
            plan,
            model,
            memory,
            strategy,
            sampler,
            reader,
            loss,
            schedule,
            communicator,
            stopRequested);
    evaluator =
        new Evaluator(
            model,
            loss,
            reader,
            capacity,
            normalizers.targets(),
            dataset.targetNames(),
            heldOutSamples,
            communicator);
    patience = new Patience(plan.training().earlyStopping());
    if (progress != null) {
      sampler.seek(progress.sampler());
      trainer.resumeLossSum(progress.lossSum(communicator.rank(), communicator.size()));
      patience.resume(progress.bestLoss(), progress.epochsWithoutImprovement());
    }
  }

  /** Trains the epochs that are left. */
  TrainingResult run(int threads, Optional<String> masterAddress) {
    model.setTraining(true);
    recorder.started(start(threads, masterAddress));
    double trainLoss = Double.NaN;
    Evaluator.Evaluation evaluation = null;
    double seconds = 0;
    long samples = 0;
    boolean enough = false;
    while (epoch() < plan.training().epochs() && !enough) {
      int number = epoch() + 1;
      long before = System.nanoTime();
      double waitedBefore = strategy.waitedSeconds();
      int stepsBefore = sampler.position().step();
      boolean stopped = trainer.trainEpoch(step -> recorder.stepFinished(number, step));
      if (stopped) {
        saveCheckpoint();
        return new TrainingResult(true, epoch(), memory.optimizer().steps(), Optional.empty());
      }
      double epochSeconds = (System.nanoTime() - before) * 1e-9;
      long epochSamples = samplesFrom(stepsBefore);
      seconds += epochSeconds;
      samples += epochSamples;
      trainLoss = finite(trainer.takeEpochLoss(trainingSamples.length), number);
      evaluation = evaluator.evaluate();
      enough = patience.exhaustedAfter(evaluation.loss());
      recorder.epochFinished(
          new EpochRecord(
              number,
              memory.optimizer().steps(),
              trainLoss,
              evaluation.loss(),
              evaluation.scores(),
              schedule.learningRate(memory.optimizer().steps() - 1),
              epochSamples,
              epochSeconds,
              (strategy.waitedSeconds() - waitedBefore) / epochSeconds));
      sampler.nextEpoch();
      if (number % plan.checkpoints().everyEpochs() == 0
          || number == plan.training().epochs()
          || enough) {
        saveCheckpoint();
      }
    }
    return finish(trainLoss, evaluation, seconds, samples);
  }

  private int epoch() {
    return (int) sampler.position().epoch();
  }

  private long samplesFrom(int step) {
    long before = (long) step * plan.training().batchSize();
    return Math.max(0, trainingSamples.length - before);
  }

  private double finite(double trainLoss, int epoch) {
    if (!Double.isFinite(trainLoss)) {
      throw new TrainingException(
          "The training loss of epoch "
              + epoch
              + " is "
              + trainLoss
              + "; lower optimizer.learning_rate or set training.clip_norm.");
    }
    return trainLoss;
  }

  private RunStart start(int threads, Optional<String> masterAddress) {
    DataPartitioner partitioner = new DataPartitioner(trainingSamples.length, communicator.size());
    List<Long> perRank =
        IntStream.range(0, communicator.size()).mapToObj(partitioner::size).toList();
    return new RunStart(
        plan.name(),
        backend(),
        communicator.size(),
        threads,
        masterAddress,
        perRank,
        heldOutSamples.length,
        model.parameterCount(),
        epoch() + 1,
        plan.training().epochs(),
        sampler.stepsPerEpoch());
  }

  private String backend() {
    return communicator.backend().name().toLowerCase(java.util.Locale.ROOT);
  }

  private void saveCheckpoint() {
    double[] lossSums = communicator.allGather(new double[] {trainer.lossSum()});
    if (communicator.rank() != 0 || folder.isEmpty()) {
      return;
    }
    long step = memory.optimizer().steps();
    Progress progress =
        new Progress(
            sampler.position(),
            trainingSamples.length,
            new Progress.OptimizerSteps(step),
            new Progress.NextRate(schedule.learningRate(step)),
            new Progress.RandomState(plan.seed(), step),
            Progress.Normalizers.of(normalizers),
            Arrays.stream(lossSums).boxed().toList(),
            patience.best(),
            patience.epochsWithoutImprovement(),
            plan);
    new CheckpointStore(folder.get().checkpoints(), plan.checkpoints().keep())
        .save(new Checkpoint(step, CheckpointTensors.capture(memory), progress.toJson()));
  }

  private TrainingResult finish(
      double trainLoss, Evaluator.@Nullable Evaluation evaluation, double seconds, long samples) {
    Evaluator.Evaluation last = evaluation == null ? evaluator.evaluate() : evaluation;
    byte[] hash =
        ParameterHash.of(memory.parameters().values()).getBytes(StandardCharsets.US_ASCII);
    List<String> hashes =
        Arrays.stream(communicator.allGather(hash))
            .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
            .toList();
    RunSummary summary =
        new RunSummary(
            trainLoss,
            last.loss(),
            last.scores(),
            trainingSamples.length,
            communicator.size(),
            backend(),
            epoch(),
            seconds,
            seconds > 0 ? samples / seconds : 0,
            seconds > 0 ? strategy.waitedSeconds() / seconds : 0,
            hashes);
    if (communicator.rank() == 0 && folder.isPresent()) {
      saveModel(folder.get());
    }
    recorder.finished(summary, evaluator.predictions(PLOTTED_SAMPLES));
    return new TrainingResult(false, epoch(), memory.optimizer().steps(), Optional.of(summary));
  }

  private void saveModel(RunFolder folder) {
    PhysicalModel.save(
        model,
        scaling(normalizers.features()),
        loss.classifies() ? Scaling.identity() : scaling(normalizers.targets()),
        ModelDescription.of(dataset).toJson(),
        folder.model());
  }

  private static Scaling scaling(Normalizer normalizer) {
    Normalizer.Statistics statistics = normalizer.statistics();
    return new Scaling(
        statistics.mean().stream().mapToDouble(Double::doubleValue).toArray(),
        statistics.standardDeviation().stream().mapToDouble(Double::doubleValue).toArray());
  }

  @Override
  public void close() {
    strategy.close();
    reader.close();
  }
}
